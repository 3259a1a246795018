#include "delivery/table_work.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "base/status.h"
#include "config/column_rules.h"
#include "config/value.h"
#include "delivery/preflight/table_checks.h"
#include "delivery/sides.h"

namespace hakobu {
namespace {

WriteMode ModeOf(TableMode mode) {
  if (mode == TableMode::kAppend) return WriteMode::kAppend;
  if (mode == TableMode::kStream) return WriteMode::kStream;
  return mode == TableMode::kIncremental ? WriteMode::kIncremental : WriteMode::kReplace;
}

std::vector<std::string> ColumnNames(const SourceTable& source) {
  std::vector<std::string> names;
  for (const SourceColumn& column : source.columns) names.push_back(column.name);
  return names;
}

// Columns that the entry of a table that is named exactly names exactly.
void CheckNamedColumns(const SourceTable& source, const TableOptions& options, const std::string& table,
                       Problems* problems) {
  for (const ColumnRule& rule : options.columns) {
    const bool known =
        std::any_of(source.columns.begin(), source.columns.end(),
                    [&](const SourceColumn& column) { return MeansColumn(rule.pattern, column.name); });
    if (known || !rule.must_exist) continue;
    problems->Add(
        WithHint(absl::InvalidArgumentError(fmt::format("{}: has no column `{}`", table, rule.pattern)),
                 DidYouMean(rule.pattern, ColumnNames(source))));
  }
}

absl::Status MapColumns(const SourceTable& source, const TableOptions& options, TableWork* work) {
  Problems problems;
  std::map<std::string, std::string> names;  // BigQuery's, lower case -> the source's
  for (size_t place = 0; place < source.columns.size(); ++place) {
    const std::string& name = source.columns[place].name;
    const ColumnTreatment column = TreatmentOf(options, name);
    if (!column.delivered) continue;
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
  CheckNamedColumns(source, options, work->name, &problems);
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

// That INTERVAL, or a name of other letters, is loaded from Avro is not documented
// [loading-data-cloud-storage-avro].
absl::Status CheckAvroLoad(const TableWork& work) {
  for (const Field& field : work.schema.fields) {
    if (field.type == FieldType::kInterval) {
      return WithHint(
          absl::InvalidArgumentError(fmt::format(
              "{}: write: load, and `{}`: an INTERVAL cannot be loaded from Avro", work.name, field.name)),
          "`write: storage`, or `as: TIME`, `as: INT64` or `as: STRING`");
    }
    if (!IsAvroName(field.name)) {
      return WithHint(absl::InvalidArgumentError(
                          fmt::format("{}: write: load, and `{}` is no name for a column of an Avro file "
                                      "(letters A to Z, digits and _)",
                                      work.name, field.name)),
                      "take `write: load` away, and the table is written by the Storage Write API");
    }
  }
  return absl::OkStatus();
}

absl::Status ChooseWritePath(WritePath wanted, TableWork* work) {
  const absl::Status can_load = CheckAvroLoad(*work);
  if (wanted == WritePath::kByMode) {
    const bool loads = work->mode == WriteMode::kReplace && can_load.ok();
    work->write = loads ? WriteBy::kLoad : WriteBy::kStorage;
    return absl::OkStatus();
  }
  work->write = wanted == WritePath::kLoad ? WriteBy::kLoad : WriteBy::kStorage;
  return work->write == WriteBy::kLoad ? can_load : absl::OkStatus();
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
  problems.Add(CheckNames(*work));
  problems.Add(CheckIncremental(*work));
  if (work->mode == WriteMode::kIncremental) problems.Add(CheckKeyTypes(*work));
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
  constexpr const char* kVersion = "3";
  std::vector<std::string> parts = {kVersion, SourceAddress(config.source)};
  for (const TableWork& work : tables) {
    const TableOptions& options = work.options;
    parts.push_back(fmt::format("{}>{} {} {} {} {} {}", work.name, work.target.ToString(),
                                WriteModeName(work.mode), WriteByName(work.write), options.where,
                                options.chunk_rows, options.chunk_bytes));
    parts.push_back(SchemaJson(work));
    // Chunks of a window are not those of all rows.
    parts.push_back(fmt::format("{} {} {}", work.from_start, static_cast<int>(work.others), work.new_key));
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
