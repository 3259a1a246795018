#include "delivery/table_work.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "absl/strings/ascii.h"
#include "base/glob.h"
#include "base/status.h"
#include "delivery/sides.h"

namespace hakobu {
namespace {

bool MatchesAny(const std::vector<std::string>& patterns, const std::string& text) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const std::string& pattern) { return GlobMatches(pattern, text); });
}

std::string DatabaseOf(const std::string& pattern) {
  return pattern.substr(0, pattern.find('.'));
}

absl::StatusOr<std::set<std::string>> Databases(const Config& config, Connection* source) {
  std::set<std::string> databases;
  bool all_wanted = false;
  for (const TableRule& rule : config.tables) {
    const std::string database = DatabaseOf(rule.pattern);
    if (!IsGlob(database)) {
      databases.insert(database);
    } else {
      all_wanted = true;
    }
  }
  if (!all_wanted) return databases;
  HAKOBU_ASSIGN_OR_RETURN(const QueryResult result, source->Query("SHOW DATABASES"));
  for (const auto& row : result.rows) {
    const std::string& name = row[0].value_or("");
    if (name == "mysql" || name == "sys" || name == "information_schema" || name == "performance_schema")
      continue;
    for (const TableRule& rule : config.tables) {
      if (GlobMatches(DatabaseOf(rule.pattern), name)) databases.insert(name);
    }
  }
  return databases;
}

bool IsWanted(const std::vector<std::string>& wanted, const std::string& database, const std::string& table) {
  if (wanted.empty()) return true;
  return MatchesAny(wanted, table) || MatchesAny(wanted, database + "." + table);
}

struct Found {
  std::string table;
  const TableRule* rule;
};

WriteMode ModeOf(TableMode mode) {
  if (mode == TableMode::kAppend) return WriteMode::kAppend;
  if (mode == TableMode::kStream) return WriteMode::kStream;
  return mode == TableMode::kIncremental ? WriteMode::kIncremental : WriteMode::kReplace;
}

// Tables of one database that some rule names and the user picked.
std::vector<Found> Choose(const Config& config, const std::vector<std::string>& wanted,
                          DeliveredBy delivered_by, const std::string& database,
                          const std::vector<std::string>& tables, std::set<const TableRule*>* used) {
  std::vector<Found> found;
  for (const std::string& table : tables) {
    const TableRule* rule = FindRule(config, database, table);
    if (rule == nullptr) continue;
    used->insert(rule);
    const bool streamed = rule->options.mode == TableMode::kStream;
    if (IsWanted(wanted, database, table) && streamed == (delivered_by == DeliveredBy::kStream))
      found.push_back({table, rule});
  }
  return found;
}

// All at once; should that fail, one by one, so that a table's trouble is its own.
std::vector<absl::StatusOr<SourceTable>> ReadEach(Connection* source, const std::string& database,
                                                  const std::vector<std::string>& names) {
  std::vector<absl::StatusOr<SourceTable>> tables;
  absl::StatusOr<std::vector<SourceTable>> all = ReadTables(source, database, names);
  if (all.ok()) {
    for (SourceTable& table : *all) tables.emplace_back(std::move(table));
    return tables;
  }
  for (const std::string& name : names) {
    absl::StatusOr<std::vector<SourceTable>> one = ReadTables(source, database, {name});
    if (one.ok()) {
      tables.emplace_back(std::move(one->front()));
    } else {
      tables.emplace_back(one.status());
    }
  }
  return tables;
}

void CheckAllUsed(const Config& config, const std::vector<std::string>& wanted,
                  const std::vector<TableWork>& works, const std::set<const TableRule*>& used,
                  const std::set<std::string>& unread, DeliveredBy delivered_by, Problems* problems) {
  for (const TableRule& rule : config.tables) {
    if (used.contains(&rule)) continue;
    problems->Add(
        WithHint(absl::InvalidArgumentError(fmt::format("{}:{}: `{}` matches no table of the source",
                                                        config.path, rule.line, rule.pattern)),
                 "check the name, and that the user may SELECT from it: a table without privileges is "
                 "not seen"),
        rule.pattern);
  }
  for (const std::string& pattern : wanted) {
    const bool matched = std::any_of(works.begin(), works.end(), [&](const TableWork& work) {
      return GlobMatches(pattern, work.source.name) || GlobMatches(pattern, work.name);
    });
    const bool failed = std::any_of(unread.begin(), unread.end(), [&](const std::string& name) {
      return GlobMatches(pattern, name) || GlobMatches(pattern, name.substr(name.find('.') + 1));
    });
    if (!matched && !failed) {
      problems->Add(absl::InvalidArgumentError(
          fmt::format("`{}` matches none of the configuration's tables that `hakobu {}` delivers", pattern,
                      delivered_by == DeliveredBy::kStream ? "stream" : "run")));
    }
  }
}

absl::Status MapColumns(const SourceTable& source, const TableOptions& options, TableWork* work) {
  Problems problems;
  std::map<std::string, std::string> names;  // BigQuery's, lower case -> the source's
  for (size_t place = 0; place < source.columns.size(); ++place) {
    const std::string& name = source.columns[place].name;
    if (!options.include.empty() && !MatchesAny(options.include, name)) continue;
    if (MatchesAny(options.exclude, name)) continue;
    const auto configured = options.columns.find(name);
    const ColumnConfig column = configured == options.columns.end() ? ColumnConfig() : configured->second;
    absl::StatusOr<Field> field =
        MapColumn(source, place, {.profile = options.types, .invalid = options.invalid}, column.choice);
    if (!field.ok()) {
      problems.Add(Annotate(field.status(), work->name));
      continue;
    }
    if (!column.description.empty()) field->description = column.description;
    const auto [entry, inserted] = names.emplace(absl::AsciiStrToLower(field->name), name);
    if (!inserted) {
      problems.Add(
          WithHint(absl::InvalidArgumentError(fmt::format(
                       "{}: columns `{}` and `{}` would both be `{}` in BigQuery, where case does not matter",
                       work->name, entry->second, name, field->name)),
                   "exclude one of them"));
      continue;
    }
    work->columns.push_back(place);
    work->schema.fields.push_back(*std::move(field));
  }
  for (const auto& [name, unused] : options.columns) {
    const bool known = std::any_of(source.columns.begin(), source.columns.end(),
                                   [&](const SourceColumn& column) { return column.name == name; });
    if (!known)
      problems.Add(absl::InvalidArgumentError(fmt::format("{}: has no column `{}`", work->name, name)));
  }
  if (work->columns.empty() && problems.empty()) {
    problems.Add(
        WithHint(absl::InvalidArgumentError(fmt::format("{}: no column is left to deliver", work->name)),
                 "look at include: and exclude:"));
  }
  return problems.Status();
}

// The key's places among the delivered fields; empty when one of its columns is not delivered as it is.
std::vector<size_t> KeyFields(const SourceTable& source, const TableSchema& schema) {
  std::vector<size_t> key;
  if (!source.key.has_value()) return key;
  for (const size_t column : source.key->columns) {
    const auto field = std::find_if(schema.fields.begin(), schema.fields.end(), [&](const Field& candidate) {
      return candidate.source_column == column && candidate.mask != Mask::kNull &&
             candidate.mask != Mask::kFirstN;
    });
    if (field == schema.fields.end()) return {};
    key.push_back(static_cast<size_t>(field - schema.fields.begin()));
  }
  return key;
}

absl::Status CheckIncremental(const TableWork& work) {
  if (work.mode != WriteMode::kIncremental) return absl::OkStatus();
  if (work.schema.key.empty()) {
    return WithHint(
        absl::InvalidArgumentError(fmt::format(
            "{}: mode incremental needs a primary or unique NOT NULL key whose columns are all delivered, "
            "found {}",
            work.name, work.source.key.has_value() ? "a key with columns left out or masked" : "no key")),
        "use mode: replace, or deliver the key's columns");
  }
  const bool known =
      std::any_of(work.source.columns.begin(), work.source.columns.end(),
                  [&](const SourceColumn& column) { return column.name == work.options.cursor; });
  if (known) return absl::OkStatus();
  return WithHint(absl::InvalidArgumentError(
                      fmt::format("{}: cursor: `{}` is no column", work.name, work.options.cursor)),
                  "name a column that grows with every change, like updated_at");
}

const Field* FindField(const TableWork& work, const std::string& name) {
  for (const Field& field : work.schema.fields) {
    if (absl::AsciiStrToLower(field.name) == absl::AsciiStrToLower(name)) return &field;
  }
  return nullptr;
}

std::string TypeText(const Field* field) {
  if (field == nullptr) return "no such column";
  const std::string type(FieldTypeName(field->type));
  return field->mode == FieldMode::kRepeated ? fmt::format("ARRAY<{}>", type) : type;
}

// [D:partitioned-tables: by hour only DATETIME and TIMESTAMP.]
void CheckPartition(const TableWork& work, const PartitionConfig& partition, Problems* problems) {
  const Field* field = FindField(work, partition.column);
  std::vector<FieldType> types = {FieldType::kDate, FieldType::kDateTime, FieldType::kTimestamp};
  std::string_view expected = "DATE, DATETIME or TIMESTAMP";
  if (partition.by == PartitionUnit::kRange) {
    types = {FieldType::kInt64};
    expected = "INT64";
  } else if (partition.by == PartitionUnit::kHour) {
    types = {FieldType::kDateTime, FieldType::kTimestamp};
    expected = "DATETIME or TIMESTAMP, for `by: hour`";
  }
  if (field != nullptr && field->mode != FieldMode::kRepeated &&
      std::find(types.begin(), types.end(), field->type) != types.end()) {
    return;
  }
  problems->Add(
      absl::InvalidArgumentError(fmt::format("{}: partition: column `{}` must be {}, found {}", work.name,
                                             partition.column, expected, TypeText(field))));
}

// [D:clustered-tables]
void CheckCluster(const TableWork& work, const std::string& name, Problems* problems) {
  const Field* field = FindField(work, name);
  if (field == nullptr) {
    return problems->Add(
        absl::InvalidArgumentError(fmt::format("{}: cluster: no column `{}` is delivered", work.name, name)));
  }
  switch (field->type) {
    case FieldType::kBool:
    case FieldType::kInt64:
    case FieldType::kNumeric:
    case FieldType::kBigNumeric:
    case FieldType::kString:
    case FieldType::kDate:
    case FieldType::kDateTime:
    case FieldType::kTimestamp:
    case FieldType::kGeography:
      if (field->mode != FieldMode::kRepeated) return;
      break;
    default:
      break;
  }
  problems->Add(absl::InvalidArgumentError(fmt::format(
      "{}: cluster: column `{}` must be BOOL, INT64, NUMERIC, BIGNUMERIC, STRING, DATE, DATETIME, "
      "TIMESTAMP or GEOGRAPHY, found {}",
      work.name, name, TypeText(field))));
}

// [Avro 1.11, "Names"]
bool IsAvroName(std::string_view name) {
  if (name.empty() || absl::ascii_isdigit(static_cast<unsigned char>(name[0]))) return false;
  return std::all_of(name.begin(), name.end(), [](char letter) {
    return absl::ascii_isalnum(static_cast<unsigned char>(letter)) || letter == '_';
  });
}

absl::Status ChooseWritePath(WritePath wanted, TableWork* work) {
  const auto& fields = work->schema.fields;
  const auto other =
      std::find_if(fields.begin(), fields.end(), [](const Field& field) { return !IsAvroName(field.name); });
  if (wanted == WritePath::kByMode) {
    const bool loads = work->mode == WriteMode::kReplace && other == fields.end();
    work->write = loads ? WriteBy::kLoad : WriteBy::kStorage;
    return absl::OkStatus();
  }
  work->write = wanted == WritePath::kLoad ? WriteBy::kLoad : WriteBy::kStorage;
  if (wanted == WritePath::kStorage || other == fields.end()) return absl::OkStatus();
  return WithHint(absl::InvalidArgumentError(
                      fmt::format("{}: write: load, and `{}` is no name for a column of an Avro file "
                                  "(letters A to Z, digits and _)",
                                  work->name, other->name)),
                  "take `write: load` away, and the table is written by the Storage Write API");
}

absl::Status CheckPartitionAndCluster(const TableWork& work) {
  Problems problems;
  if (work.options.partition.has_value()) CheckPartition(work, *work.options.partition, &problems);
  for (const std::string& name : work.options.cluster) CheckCluster(work, name, &problems);
  return problems.Status();
}

}  // namespace

absl::Status Problems::Status() const {
  if (list_.empty()) return absl::OkStatus();
  if (list_.size() == 1) return list_.front().status;
  const bool all_refusals = std::all_of(list_.begin(), list_.end(), [](const Problem& problem) {
    return problem.status.code() == absl::StatusCode::kDataLoss;
  });
  std::string text = fmt::format("{} problems", list_.size());
  absl::StatusCode code = absl::StatusCode::kDataLoss;
  for (const auto& [table, status] : list_) {
    text += fmt::format("\n  - {}", std::string_view(status.message().data(), status.message().size()));
    if (!all_refusals && status.code() != absl::StatusCode::kDataLoss) code = status.code();
  }
  return {code, text};
}

std::vector<TableWork> SelectTables(const Config& config, const std::vector<std::string>& wanted,
                                    Connection* source, Problems* problems, DeliveredBy delivered_by) {
  std::vector<TableWork> works;
  std::set<const TableRule*> used;
  const absl::StatusOr<std::set<std::string>> databases = Databases(config, source);
  if (!databases.ok()) {
    problems->Add(databases.status());
    return works;
  }
  std::set<std::string> unread;  // "shop.members": there, but its definition cannot be read
  bool all_read = true;          // else nothing can be said of what matches nothing
  for (const std::string& database : *databases) {
    const absl::StatusOr<std::vector<std::string>> names = ListTables(source, database);
    if (!names.ok()) {
      problems->Add(names.status());
      all_read = false;
      continue;
    }
    const std::vector<Found> found = Choose(config, wanted, delivered_by, database, *names, &used);
    if (found.empty()) continue;
    std::vector<std::string> to_read;
    for (const Found& one : found) to_read.push_back(one.table);
    for (size_t i = 0; const absl::StatusOr<SourceTable>& table : ReadEach(source, database, to_read)) {
      TableWork work;
      work.name = database + "." + found[i].table;
      work.options = found[i].rule->options;
      ++i;
      if (!table.ok()) {
        const bool away = table.status().code() == absl::StatusCode::kUnavailable;
        problems->Add(table.status(), away ? "" : work.name);
        unread.insert(work.name);
        continue;
      }
      work.source = *table;
      works.push_back(std::move(work));
    }
  }
  if (all_read) CheckAllUsed(config, wanted, works, used, unread, delivered_by, problems);
  return works;
}

absl::Status MapTable(const Config& config, TableWork* work) {
  const TableOptions& options = work->options;
  work->mode = ModeOf(options.mode);
  work->target = {config.destination.project, config.destination.dataset,
                  TargetName(options, work->source.database, work->source.name)};
  work->where = options.where;
  HAKOBU_RETURN_IF_ERROR(MapColumns(work->source, options, work));
  HAKOBU_RETURN_IF_ERROR(ChooseWritePath(options.write, work));
  if (work->mode != WriteMode::kReplace) {
    // The table lives on over changes of the source: a column that is dropped there must be able to be NULL
    // here.
    for (Field& field : work->schema.fields) {
      if (field.mode == FieldMode::kRequired) field.mode = FieldMode::kNullable;
    }
  }
  work->schema.key = KeyFields(work->source, work->schema);
  Problems problems;
  problems.Add(CheckIncremental(*work));
  problems.Add(CheckPartitionAndCluster(*work));
  return problems.Status();
}

std::string SchemaJson(const TableWork& work) {
  nlohmann::ordered_json fields = nlohmann::ordered_json::array();
  for (const Field& field : work.schema.fields) {
    const SourceColumn& column = work.source.columns[field.source_column];
    fields.push_back({{"name", field.name},
                      {"type", FieldTypeName(field.type)},
                      {"source", column.name},
                      {"declared", column.declared},
                      {"place", field.source_column}});
  }
  return fields.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

std::string Fingerprint(const Config& config, const std::vector<TableWork>& tables) {
  // Raised when a run of this program could not go on with what an earlier one has left.
  constexpr const char* kVersion = "2";
  std::vector<std::string> parts = {kVersion, SourceAddress(config.source)};
  for (const TableWork& work : tables) {
    const TableOptions& options = work.options;
    parts.push_back(fmt::format("{}>{} {} {} {} {} {}", work.name, work.target.ToString(),
                                WriteModeName(work.mode), WriteByName(work.write), options.where,
                                options.chunk_rows, options.chunk_bytes));
    parts.push_back(SchemaJson(work));
    for (const Field& field : work.schema.fields) {
      parts.push_back(fmt::format("{} {} {} {} {} {}", static_cast<int>(field.conversion), field.zone,
                                  static_cast<int>(field.mask), field.mask_salt, field.mask_keep_characters,
                                  static_cast<int>(field.invalid)));
    }
    for (const size_t column :
         work.source.key.has_value() ? work.source.key->columns : std::vector<size_t>()) {
      parts.push_back(fmt::format("key {}", column));
    }
  }
  std::vector<std::string_view> views(parts.begin(), parts.end());
  return MakeJobId("fingerprint", views);
}

}  // namespace hakobu
