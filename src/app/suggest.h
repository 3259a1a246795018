// What `init` thinks of a table: which mode suits it, and which columns look personal. Pure; by names, keys
// and sizes alone, no row is read.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "row/source_table.h"

namespace hakobu {

struct ModeSuggestion {
  TableMode mode = TableMode::kReplace;
  std::string cursor;  // for kIncremental
  std::string reason;  // one sentence, without a full stop
};

// `indexed`: columns that lead an index.
ModeSuggestion SuggestMode(const SourceTable& table, const std::set<std::string>& indexed);

struct PersonalColumn {
  std::string name;
  std::string looks_like;   // "an e-mail address"
  Mask mask = Mask::kNull;  // kSha256 where people join on it, or it is part of the key
};
std::vector<PersonalColumn> FindPersonalColumns(const SourceTable& table);

// BIGINT UNSIGNED columns that identify: they would be NUMERIC, which clients show as an object of a library
// for big numbers, while no id ever reaches 2^63.
std::vector<std::string> FindWideIds(const SourceTable& table);

// A DATE, DATETIME or TIMESTAMP column that says when the row came to be, for partitioning.
std::optional<std::string> FindBirthColumn(const SourceTable& table);

// Rows and bytes above which a table counts as large.
constexpr uint64_t kLargeRows = 2'000'000;
constexpr uint64_t kLargeBytes = 1'000'000'000;

}  // namespace hakobu
