#include "localbq/catalog/names.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "absl/strings/ascii.h"
#include "base/status.h"

namespace hakobu::localbq {
namespace {

bool IsWord(unsigned char c) {
  return std::isalnum(c) || c == '_';
}

// The positions of capitals as hexadecimal digits, lowest position first, four letters a digit.
std::string CaseSuffix(std::string_view name) {
  std::string suffix;
  for (size_t start = 0; start < name.size(); start += 4) {
    unsigned digit = 0;
    for (size_t i = start; i < std::min(start + 4, name.size()); ++i) {
      if (name[i] >= 'A' && name[i] <= 'Z') digit |= 1U << (i - start);
    }
    suffix.push_back("0123456789abcdef"[digit]);
  }
  while (!suffix.empty() && suffix.back() == '0') suffix.pop_back();
  return suffix.empty() ? suffix : "~" + suffix;
}

}  // namespace

std::string DisplayName(const DatasetId& id) {
  return id.project + ":" + id.dataset;
}
std::string DisplayName(const TableId& id) {
  return id.project + ":" + id.dataset + "." + id.table;
}

std::string Quoted(std::string_view identifier) {
  std::string quoted = "\"";
  for (const char c : identifier) {
    if (c == '"') quoted.push_back('"');
    quoted.push_back(c);
  }
  quoted.push_back('"');
  return quoted;
}

std::string QuotedLiteral(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'') quoted.push_back('\'');
    quoted.push_back(c);
  }
  quoted.push_back('\'');
  return quoted;
}

std::string DuckDbSchemaName(const DatasetId& id) {
  const std::string name = DisplayName(id);
  return name + CaseSuffix(name);
}
std::string DuckDbTableName(std::string_view table) {
  return std::string(table) + CaseSuffix(table);
}
std::string DuckDbName(const DatasetId& id) {
  return Quoted(DuckDbSchemaName(id));
}
std::string DuckDbName(const TableId& id) {
  return DuckDbName(id.parent()) + "." + Quoted(DuckDbTableName(id.table));
}

absl::Status CheckDatasetName(std::string_view name) {
  if (!name.empty() && name.size() <= 1024 && std::ranges::all_of(name, IsWord)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      fmt::format("Invalid dataset ID \"{}\". Dataset IDs must be alphanumeric (plus underscores) and must "
                  "be at most 1024 "
                  "characters long.",
                  name));
}

absl::Status CheckTableName(std::string_view name) {
  const auto legal = [](unsigned char c) { return IsWord(c) || c >= 0x80 || c == '-' || c == ' '; };
  if (!name.empty() && name.size() <= 1024 && std::ranges::all_of(name, legal)) return absl::OkStatus();
  return absl::InvalidArgumentError(fmt::format(
      "Invalid table ID \"{}\". Table IDs must be alphanumeric (plus underscores, dashes and spaces) and "
      "must be at most 1024 bytes long.",
      name));
}

absl::Status CheckColumnName(std::string_view name) {
  static constexpr std::array<std::string_view, 9> kReserved = {
      "_CHANGE_TYPE", "_CHANGE_SEQUENCE_NUMBER", "_CHANGE_TIMESTAMP", "_TABLE_",       "_FILE_",
      "_PARTITION",   "_ROW_TIMESTAMP",          "__ROOT__",          "_COLIDENTIFIER"};
  const std::string upper = absl::AsciiStrToUpper(View(name));
  for (const std::string_view reserved : kReserved) {
    if (upper.starts_with(reserved)) {
      return absl::InvalidArgumentError(fmt::format(
          "Invalid field name \"{}\". Field names are not allowed to start with the (case-insensitive) "
          "prefixes "
          "_PARTITION, _TABLE_, _FILE_, _ROW_TIMESTAMP, __ROOT__ , _COLIDENTIFIER, _CHANGE_SEQUENCE_NUMBER, "
          "_CHANGE_TYPE and _CHANGE_TIMESTAMP",
          name));
    }
  }
  static constexpr std::string_view kForbidden = "!\"$()*,./;?@[\\]^`{}~";
  const auto forbidden = [](char c) {
    return kForbidden.find(c) != std::string_view::npos || static_cast<unsigned char>(c) < 0x20;
  };
  if (name.empty() || name.size() > 300 || std::ranges::any_of(name, forbidden)) {
    return absl::InvalidArgumentError(fmt::format(
        "Invalid field name \"{}\". Fields must contain the allowed characters, and be at most 300 "
        "characters long.",
        name));
  }
  return absl::OkStatus();
}

}  // namespace hakobu::localbq
