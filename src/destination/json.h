// Reading the service's JSON without trusting its shape. For this folder's .cc files only: it is slow to
// include.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "destination/tables.h"

namespace hakobu {

absl::StatusOr<nlohmann::json> ParseJson(std::string_view text, std::string_view what);
// Absent, or of another kind: "", 0, false, [] and {}.
std::string TextAt(const nlohmann::json& object, std::string_view key);
int64_t IntegerAt(const nlohmann::json& object,
                  std::string_view key);  // a number, or its text as REST writes it
bool FlagAt(const nlohmann::json& object, std::string_view key);
const nlohmann::json& ListAt(const nlohmann::json& object, std::string_view key);
const nlohmann::json& ObjectAt(const nlohmann::json& object, std::string_view key);

// `rows` of tabledata.list and getQueryResults: {"f":[{"v":…}, …]}.
absl::Status ForEachRow(const nlohmann::json& page, absl::FunctionRef<absl::Status(const RowValues&)> each);

}  // namespace hakobu
