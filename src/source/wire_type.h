// Which type codes of the protocol ("enum_field_types") a column's values may arrive with.
#pragma once

#include "row/source_table.h"

namespace hakobu {

// Whether RowDecoder, made for `column`, reads values right that arrive with this type code and signedness.
bool ArrivesAs(const SourceColumn& column, int type_code, bool is_unsigned);

}  // namespace hakobu
