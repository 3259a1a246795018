#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "absl/time/time.h"
#include "base/glob.h"
#include "config/column_rules.h"
#include "config/condition.h"
#include "config/validate.h"
#include "config/value.h"

namespace hakobu {
namespace {

constexpr std::array<std::string_view, 17> kTypeNames = {
    "INT64",       "FLOAT64",        "NUMERIC",      "BIGNUMERIC", "BOOL",     "STRING",
    "STRING(HEX)", "STRING(BASE64)", "STRING(UUID)", "BYTES",      "DATE",     "DATETIME",
    "TIMESTAMP",   "TIME",           "INTERVAL",     "JSON",       "GEOGRAPHY"};

std::string Upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::toupper(c); });
  return text;
}

// The rule's own key where it has one, else that of `defaults`, which it came from.
std::string Owner(const ConfigProblems& problems, const std::string& path, const std::string& key) {
  const std::string own = fmt::format("{}.{}", path, key);
  if (problems.Has(own)) return own;
  const std::string inherited = fmt::format("defaults.{}", key);
  return problems.Has(inherited) ? inherited : own;
}

void CheckPattern(const TableRule& rule, const std::string& path, ConfigProblems* problems) {
  const size_t dot = rule.pattern.find('.');
  if (rule.pattern.empty() || (dot != std::string::npos && dot > 0 && dot + 1 < rule.pattern.size())) return;
  problems->Add(path + ".table", "database.table", fmt::format("\"{}\"", rule.pattern),
                dot == std::string::npos
                    ? fmt::format("for all tables of a database write \"{}.*\"", rule.pattern)
                    : "");
}

void CheckDeletes(const TableOptions& options, const std::string& path, ConfigProblems* problems) {
  const std::string own = path + ".deletes";
  const bool stream = options.mode == TableMode::kStream;
  const bool compares = options.deletes == Deletes::kCompare;
  if (stream && compares) {
    problems->Add(Owner(*problems, path, "deletes"), "delete or soft with mode: stream", "compare",
                  "the log tells of deletes; `hakobu verify` compares");
  }
  if (options.mode == TableMode::kIncremental && !compares && problems->Has(own)) {
    problems->Add(own, "compare with mode: incremental", "another value",
                  "no cursor tells of deletes: keys are compared, or deletes are not seen");
  }
  const bool other = !stream && options.mode != TableMode::kIncremental;
  if (other && problems->Has(own))
    problems->Add(own, "it with mode: stream or incremental only", "another mode");
  if (stream && options.history && options.deletes == Deletes::kSoft) {
    problems->Add(Owner(*problems, path, "deletes"), "it without `history`", "history: true",
                  "a deleted row is a row of the history already");
  }
}

void CheckMode(const TableOptions& options, const std::string& path, ConfigProblems* problems) {
  const bool incremental = options.mode == TableMode::kIncremental;
  if (incremental && options.cursor.empty()) {
    problems->Add(path + ".cursor", "a column, since mode is incremental", "none",
                  "name a column that grows with every change, such as updated_at");
  }
  for (const char* key : {"cursor", "overlap", "overlap_values"}) {
    const std::string own = fmt::format("{}.{}", path, key);
    if (!incremental && problems->Has(own)) {
      problems->Add(own, "it with mode: incremental only", "another mode");
    }
  }
  const bool stream = options.mode == TableMode::kStream;
  for (const char* key : {"history", "max_staleness"}) {
    const std::string own = fmt::format("{}.{}", path, key);
    if (!stream && problems->Has(own)) problems->Add(own, "it with mode: stream only", "another mode");
  }
  CheckDeletes(options, path, problems);
  if (const std::string own = path + ".write";
      stream && options.write == WritePath::kLoad && problems->Has(own)) {
    problems->Add(own, "write: storage", "mode: stream with write: load",
                  "the log is delivered by the Storage Write API");
  }
  if (stream && !(options.where.empty() && options.inherited_where.empty())) {
    problems->Add(Owner(*problems, path, "where"), "another mode than stream", "mode: stream",
                  "the log holds changes of all rows");
  }
  if (const std::string own = path + ".keep_previous";
      options.keep_previous && options.mode != TableMode::kReplace && problems->Has(own)) {
    problems->Add(own, "it with mode: replace only", "another mode");
  }
}

// What takes nothing back though it looks so.
void CheckLists(const TableOptions& options, const std::string& path, ConfigProblems* problems) {
  const std::string own = path + ".exclude";
  if (path == "defaults" || !problems->Has(own) || problems->Has(own + "[0]") || options.exclude.empty())
    return;
  problems->Add(own, "patterns that are added to those of `defaults`", "an empty list",
                "exclusions of `defaults` hold for every table: move them to the tables that need them");
}

void CheckExcept(const TableRule& rule, const std::string& path, ConfigProblems* problems) {
  if (rule.except.empty()) return;
  if (!IsGlob(rule.pattern)) {
    problems->Add(path + ".except", "it with a glob in `table`", fmt::format("\"{}\"", rule.pattern));
  }
  for (size_t i = 0; i < rule.except.size(); ++i) {
    const std::string& pattern = rule.except[i];
    const size_t dot = pattern.find('.');
    if (dot != std::string::npos && dot > 0 && dot + 1 < pattern.size()) continue;
    const std::string database = rule.pattern.substr(0, rule.pattern.find('.'));
    problems->Add(fmt::format("{}.except[{}]", path, i), "database.table", fmt::format("\"{}\"", pattern),
                  dot == std::string::npos ? fmt::format("write \"{}.{}\"", database, pattern) : "");
  }
}

void CheckTarget(const TableRule& rule, const std::string& path, ConfigProblems* problems) {
  const std::string& target = rule.options.target;
  if (target.empty()) return;
  const std::string key = Owner(*problems, path, "target");
  if (IsGlob(rule.pattern) && target.find("{table}") == std::string::npos) {
    problems->Add(key, "{table} in it, since `table` is a glob", fmt::format("\"{}\"", target),
                  "all its tables would be delivered to one");
  }
  if (target.find_first_of("./`\n") != std::string::npos || target.size() > 1024) {
    problems->Add(key, "a table name", fmt::format("\"{}\"", target),
                  "the dataset is set once, in destination.dataset");
  }
}

void CheckPartition(const TableOptions& options, const std::string& path, ConfigProblems* problems) {
  if (!options.partition) return;
  const PartitionConfig& partition = *options.partition;
  const bool range = partition.by == PartitionUnit::kRange;
  for (const char* name : {"start", "end", "interval"}) {
    const std::string key = Owner(*problems, path, fmt::format("partition.{}", name));
    if (!range && problems->Has(key)) problems->Add(key, "it with by: range only", "another unit");
  }
  const std::string by = Owner(*problems, path, "partition.by");
  if (range && partition.interval == 0) problems->Add(by, "`interval` with by: range", "none");
  if (range && partition.end <= partition.start) {
    problems->Add(by, "`end` above `start` with by: range",
                  fmt::format("start {}, end {}", partition.start, partition.end));
  } else if (range && partition.interval > 0) {
    const auto width = static_cast<uint64_t>(partition.end) - static_cast<uint64_t>(partition.start);
    const uint64_t count = (width - 1) / static_cast<uint64_t>(partition.interval) + 1;
    if (count > 10'000) {
      problems->Add(by, "at most 10000 partitions", fmt::format("{}", count), "raise interval");
    }
  }
  if (range && partition.expire_after) {
    problems->Add(Owner(*problems, path, "partition.expire_after"), "it with a unit of time", "by: range");
  }
}

void CheckCluster(const TableOptions& options, const std::string& path, ConfigProblems* problems) {
  const std::string key = Owner(*problems, path, "cluster");
  if (options.cluster.size() > 4) {
    problems->Add(key, "at most 4 columns", fmt::format("{}", options.cluster.size()));
  }
  for (size_t i = 1; i < options.cluster.size(); ++i) {
    const auto end = options.cluster.begin() + static_cast<std::ptrdiff_t>(i);
    if (std::find(options.cluster.begin(), end, options.cluster[i]) == end) continue;
    problems->Add(fmt::format("{}[{}]", key, i), "each column once",
                  fmt::format("\"{}\" again", options.cluster[i]));
  }
}

bool IsLabelText(std::string_view text) {
  return text.size() <= 63 && std::all_of(text.begin(), text.end(), [](unsigned char c) {
           return std::islower(c) != 0 || std::isdigit(c) != 0 || c == '_' || c == '-' || c >= 0x80;
         });
}

void CheckAs(const std::string& as, const std::string& key, ConfigProblems* problems) {
  const std::string whole = Upper(as);
  if (whole == "ARRAY<FLOAT64>" || std::find(kTypeNames.begin(), kTypeNames.end(), whole) != kTypeNames.end())
    return;
  const size_t open = as.find('(');
  const std::string base = whole.substr(0, open);
  if (open != std::string::npos && as.back() == ')' && (base == "TIMESTAMP" || base == "DATETIME")) {
    const std::string zone = as.substr(open + 1, as.size() - open - 2);
    absl::TimeZone ignored;
    if (absl::LoadTimeZone(zone, &ignored)) return;
    problems->Add(key, "a zone of the IANA database", fmt::format("\"{}\"", zone),
                  "for example Asia/Tokyo or UTC");
    return;
  }
  const std::vector<std::string> names(kTypeNames.begin(), kTypeNames.end());
  const std::string_view near = NearestName(whole, names);
  problems->Add(key, "a BigQuery type", fmt::format("\"{}\"", as),
                near.empty() ? "see `hakobu schema` or docs/configuration.md"
                             : fmt::format("did you mean \"{}\"?", near));
}

void CheckColumn(const TableOptions& options, const ColumnRule& rule, const std::string& key,
                 ConfigProblems* problems) {
  const ColumnConfig& column = rule.column;
  if (column.as && !column.as->empty()) CheckAs(*column.as, key + ".as", problems);
  // What another entry gives to this one's columns counts too.
  const auto given = [&](const auto& member) {
    return std::any_of(options.columns.begin(), options.columns.end(), [&](const ColumnRule& other) {
      const bool meets = &other == &rule || MeansColumn(other.pattern, rule.pattern);
      return meets && member(other.column);
    });
  };
  const auto masked_by = [&](Mask mask) {
    return given([&](const ColumnConfig& other) { return other.mask == mask; });
  };
  const bool salted = given([](const ColumnConfig& other) { return other.salt.has_value(); });
  // A salt that could not be had is a problem already.
  if (column.mask == Mask::kSha256 && !salted && !problems->Has(key + ".salt")) {
    problems->Add(key + ".mask", "`salt` with mask: sha256", "none",
                  "without one, short values can be found by trying; for example salt: ${env:HAKOBU_SALT}");
  }
  if (problems->Has(key + ".salt") && !masked_by(Mask::kSha256)) {
    problems->Add(key + ".salt", "it with mask: sha256 only", "another mask");
  }
  const bool length = given([](const ColumnConfig& other) { return other.keep.has_value(); });
  if (column.mask == Mask::kFirstN && !length && !problems->Has(key + ".keep")) {
    problems->Add(key + ".mask", "`keep` with mask: first", "none", "for example keep: 3");
  }
  if (problems->Has(key + ".keep") && !masked_by(Mask::kFirstN)) {
    problems->Add(key + ".keep", "it with mask: first only", "another mask");
  }
}

// A pattern that says `none` says nothing, and looks as if it did.
void CheckUnmasking(const ColumnRule& rule, const std::string& key, bool defaults, ConfigProblems* problems) {
  if (defaults || rule.column.mask != Mask::kNone || !IsGlob(rule.pattern)) return;
  problems->Add(key + ".mask", "`mask: none` for a column by its own name",
                fmt::format("the pattern \"{}\"", rule.pattern),
                "no pattern takes a mask back, so that none is lost by mistake");
}

}  // namespace

void CheckLabels(const TableOptions& options, const std::string& path, ConfigProblems* problems) {
  constexpr char kRule[] = "lower-case letters, digits, _ and -, at most 63";
  for (const auto& [name, text] : options.labels) {
    const std::string key = Owner(*problems, path, fmt::format("labels.{}", name));
    const bool starts_with_letter =
        !name.empty() && (std::islower(static_cast<unsigned char>(name[0])) != 0 ||
                          static_cast<unsigned char>(name[0]) >= 0x80);
    if (!IsLabelText(name) || !starts_with_letter) {
      problems->Add(key, fmt::format("a name of {}, a letter first", kRule), fmt::format("\"{}\"", name));
    }
    if (!IsLabelText(text)) problems->Add(key, kRule, fmt::format("\"{}\"", text));
  }
}

void CheckWhere(const std::string& where, const std::string& key, ConfigProblems* problems) {
  if (where.empty()) return;
  if (Upper(where.substr(0, 6)) == "WHERE ") {
    problems->Add(key, "the condition alone", "the word WHERE before it");
  }
  if (auto fault = FaultOfCondition(where)) {
    problems->Add(key, fault->expected, fault->found, fault->hint);
  }
}

void ValidateColumns(const TableOptions& options, const std::string& path, ConfigProblems* problems) {
  for (const ColumnRule& rule : options.columns) {
    const std::string key = fmt::format("{}.columns.{}", path, rule.pattern);
    if (rule.inherited || !problems->Has(key)) continue;
    CheckColumn(options, rule, key, problems);
    CheckUnmasking(rule, key, path == "defaults", problems);
    if (IsGlob(rule.pattern)) continue;
    const auto excluded =
        std::find_if(options.exclude.begin(), options.exclude.end(),
                     [&](const std::string& glob) { return MeansColumn(glob, rule.pattern); });
    if (excluded != options.exclude.end()) {
      problems->Add(key, "a column that is delivered", fmt::format("it in `exclude`, by \"{}\"", *excluded));
    }
  }
}

void ValidateTableRule(const TableRule& rule, const std::string& path, ConfigProblems* problems) {
  CheckPattern(rule, path, problems);
  CheckMode(rule.options, path, problems);
  CheckExcept(rule, path, problems);
  CheckLists(rule.options, path, problems);
  CheckWhere(rule.options.where, path + ".where", problems);
  CheckTarget(rule, path, problems);
  CheckPartition(rule.options, path, problems);
  CheckCluster(rule.options, path, problems);
  CheckLabels(rule.options, path, problems);
  ValidateColumns(rule.options, path, problems);
}

}  // namespace hakobu
