// A column's definition as the column information_schema would show.
#pragma once

#include <string_view>

#include "absl/status/statusor.h"
#include "decode/ddl/statement.h"
#include "row/source_table.h"

namespace hakobu::ddl {

// `table_collation` is for text columns that name none. Unimplemented for types hakobu does not know;
// FailedPrecondition when the collation matters and none is known.
absl::StatusOr<SourceColumn> ShapeColumn(const ColumnDefinition& definition, std::string_view table_collation,
                                         const DdlContext& context);

// ALTER TABLE … CONVERT TO: another character set, and a wider TEXT where the old one might not hold it.
void ConvertColumn(std::string_view collation, const DdlContext& context, SourceColumn* column);

}  // namespace hakobu::ddl
