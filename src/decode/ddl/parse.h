// Statements as the binary log's QUERY events hold them, read for what they do to tables.
#pragma once

#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "decode/binlog/log_decoder.h"
#include "decode/ddl/statement.h"

namespace hakobu::ddl {

// The context a log statement states itself; dialect, version and lower_case_names are the server's.
DdlContext ContextOf(const binlog::LogStatement& statement, Dialect dialect, uint32_t version,
                     bool lower_case_names);

// What the statement does, in order: DROP TABLE a, b is two changes. A statement that may concern a table and
// cannot be read is one change of kind kUnknown, never an error and never nothing; one that concerns none is
// of kind kOther. InvalidArgument only where the text cannot be split into tokens and its first words do not
// say what it is.
absl::StatusOr<std::vector<DdlChange>> ParseDdl(std::string_view statement, const DdlContext& context);

}  // namespace hakobu::ddl
