// MariaDB's compressed events: a byte of method and length size, the length (big-endian), zlib's bytes.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "decode/binlog/event.h"

namespace hakobu::binlog {

// The plain event of a compressed rows event's type; any other as it is.
EventType WithoutCompression(EventType type);

// DataLoss: corrupt bytes.
absl::Status InflateMariadb(std::string_view packed, std::string* out);

}  // namespace hakobu::binlog
