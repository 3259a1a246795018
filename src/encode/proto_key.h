// The key of an encoded row, read back from its message.
#pragma once

#include <string>
#include <string_view>

#include "encode/column.h"

namespace hakobu {

// As column.h's KeyText, but of BigQuery's values. "(unreadable)" for bytes that are no such message.
std::string ProtoKeyText(const Columns& columns, std::string_view message);

}  // namespace hakobu
