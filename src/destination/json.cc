#include "destination/json.h"

#include <fmt/format.h>

#include <charconv>

namespace hakobu {
namespace {

using nlohmann::json;

const json& At(const json& object, std::string_view key) {
  static const json kNothing;
  if (!object.is_object()) return kNothing;
  const auto found = object.find(key);
  return found == object.end() ? kNothing : *found;
}

std::optional<std::string> CellText(const json& value) {
  if (value.is_null()) return std::nullopt;
  if (value.is_string()) return value.get<std::string>();
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace

absl::StatusOr<json> ParseJson(std::string_view text, std::string_view what) {
  json document = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (document.is_discarded()) {
    return absl::InternalError(
        fmt::format("{}: expected JSON, found {} bytes of something else", what, text.size()));
  }
  return document;
}

std::string TextAt(const json& object, std::string_view key) {
  const json& value = At(object, key);
  return value.is_string() ? value.get<std::string>() : std::string();
}

int64_t IntegerAt(const json& object, std::string_view key) {
  const json& value = At(object, key);
  if (value.is_number()) return value.get<int64_t>();
  if (!value.is_string()) return 0;
  const auto& text = value.get_ref<const std::string&>();
  int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

bool FlagAt(const json& object, std::string_view key) {
  const json& value = At(object, key);
  return value.is_boolean() && value.get<bool>();
}

const json& ListAt(const json& object, std::string_view key) {
  static const json kEmpty = json::array();
  const json& value = At(object, key);
  return value.is_array() ? value : kEmpty;
}

const json& ObjectAt(const json& object, std::string_view key) {
  static const json kEmpty = json::object();
  const json& value = At(object, key);
  return value.is_object() ? value : kEmpty;
}

absl::Status ForEachRow(const json& page, absl::FunctionRef<absl::Status(const RowValues&)> each) {
  RowValues values;
  for (const json& row : ListAt(page, "rows")) {
    values.clear();
    for (const json& cell : ListAt(row, "f")) values.push_back(CellText(At(cell, "v")));
    HAKOBU_RETURN_IF_ERROR(each(values));
  }
  return absl::OkStatus();
}

}  // namespace hakobu
