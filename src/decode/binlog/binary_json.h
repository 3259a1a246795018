// MySQL's binary JSON (sql-common/json_binary.h) as text, and the diffs of partial updates applied to it.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace hakobu::binlog {

// Appends the document as a SELECT of it prints it ('{"a": 1, "b": [1.5, "x"]}'). An empty document is null.
// DataLoss when the bytes are no document, or are nested deeper than the server allows (100).
absl::Status AppendJsonText(std::string_view document, std::string* text);

// Applies PARTIAL_UPDATE_ROWS's diffs (sql-common/json_diff.h) to a document and appends the result's text.
absl::Status AppendPatchedJsonText(std::string_view document, std::string_view diffs, std::string* text);

}  // namespace hakobu::binlog
