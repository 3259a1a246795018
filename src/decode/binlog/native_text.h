// MariaDB's UUID, INET4 and INET6 columns: fixed bytes in the log, texts for every client.
// Source: sql/sql_type_fixedbin.h, plugin/type_uuid/sql_type_uuid.h and plugin/type_inet/sql_type_inet.cc.
#pragma once

#include <cstdint>
#include <string_view>

#include "decode/binlog/log_cell.h"

namespace hakobu::binlog {

// Of a column that is declared so: how its values are read; nullptr for every other declaration.
LogCellDecoder FindNativeDecoder(std::string_view declared);
// How many bytes a value has in the log before its trailing zeros are dropped; 0: no such type.
uint16_t NativeBytes(std::string_view declared);

}  // namespace hakobu::binlog
