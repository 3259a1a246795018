// Load jobs.
// Source: https://cloud.google.com/bigquery/docs/reference/rest/v2/Job#JobConfigurationLoad
#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "absl/cleanup/cleanup.h"
#include "base/crash_point.h"
#include "base/status.h"
#include "localbq/catalog/catalog.h"
#include "localbq/catalog/publish.h"
#include "localbq/faults/faults.h"
#include "localbq/rest/access.h"
#include "localbq/rest/dispositions.h"
#include "localbq/rest/jobs.h"
#include "localbq/rest/load_source.h"
#include "localbq/rest/service.h"
#include "localbq/rest/unsupported.h"
#include "localbq/storage_api/column_defaults.h"

namespace hakobu::localbq::rest {
namespace {

using nlohmann::json;

absl::StatusOr<std::unique_ptr<LoadSource>> Open(const Service& service, const std::string& path,
                                                 const json& load) {
  const std::string format = Text(load, "sourceFormat", "CSV");
  if (format == "AVRO") return OpenAvro(path, load);
  if (format == "CSV") return OpenCsv(path, load);
  if (format == "NEWLINE_DELIMITED_JSON") return OpenNdjson(path, load);
  if (format == "PARQUET") return OpenParquet(path, load, service.warehouse);
  return absl::UnimplementedError(fmt::format(
      "sourceFormat {} is not supported by the local BigQuery: CSV, NEWLINE_DELIMITED_JSON, AVRO and "
      "PARQUET are",
      format));
}

bool HasOption(const json& load, std::string_view option) {
  const auto options = load.find("schemaUpdateOptions");
  if (options == load.end() || !options->is_array()) return false;
  return std::ranges::any_of(*options, [&](const json& entry) { return entry == option; });
}

// The load's columns: given with the job, else the file's own.
absl::StatusOr<Schema> LoadedSchema(const json& load, const LoadSource& source) {
  if (const json& given = Child(load, "schema"); !given.empty()) return SchemaFromJson(given);
  return source.schema();
}

// An appending load may bring new columns and relax others, where the job allows it.
absl::StatusOr<Schema> Extended(const TableId& id, const Schema& table, const Schema& loaded,
                                const json& load) {
  const bool may_add = HasOption(load, "ALLOW_FIELD_ADDITION");
  const bool may_relax = HasOption(load, "ALLOW_FIELD_RELAXATION");
  Schema result = table;
  for (const Column& column : loaded) {
    const Column* there = FindColumn(table, column.name);
    if (there == nullptr) {
      if (!may_add) {
        return absl::InvalidArgumentError(
            fmt::format("Provided Schema does not match Table {}. Cannot add fields (field: {})",
                        DisplayName(id), column.name));
      }
      if (column.mode == Mode::kRequired) {
        return absl::InvalidArgumentError(
            fmt::format("Provided Schema does not match Table {}. Cannot add required fields to an existing "
                        "schema. (field: {})",
                        DisplayName(id), column.name));
      }
      result.push_back(column);
    } else if (may_relax && there->mode == Mode::kRequired && column.mode == Mode::kNullable) {
      for (Column& relaxed : result) {
        if (SameName(relaxed.name, column.name)) relaxed.mode = Mode::kNullable;
      }
    } else if (there->type == Type::kRecord && column.type == Type::kRecord) {
      HAKOBU_ASSIGN_OR_RETURN(Schema fields, Extended(id, there->fields, column.fields, load));
      for (Column& record : result) {
        if (SameName(record.name, column.name)) record.fields = fields;
      }
    }
  }
  return result;
}

// Types and modes given with the job must be the table's.
absl::Status CheckGivenSchema(const TableId& id, const json& load, const Schema& table,
                              const Schema& loaded) {
  if (Child(load, "schema").empty()) return absl::OkStatus();
  static constexpr std::string_view kModes[] = {"NULLABLE", "REQUIRED", "REPEATED"};
  const bool may_relax = HasOption(load, "ALLOW_FIELD_RELAXATION");
  const auto refuse = [&](const Column& column, std::string_view what, std::string_view from,
                          std::string_view to) {
    return absl::InvalidArgumentError(
        fmt::format("Provided Schema does not match Table {}. Field {} has changed {} from {} to {}",
                    DisplayName(id), column.name, what, from, to));
  };
  for (const Column& column : loaded) {
    const Column* there = FindColumn(table, column.name);
    if (there == nullptr) continue;
    if (there->type != column.type) {
      return refuse(column, "type", RestTypeName(there->type), RestTypeName(column.type));
    }
    const bool relaxes = there->mode == Mode::kRequired && column.mode == Mode::kNullable;
    const bool tightens = there->mode == Mode::kNullable && column.mode == Mode::kRequired;  // is ignored
    if (there->mode != column.mode && !tightens && !(relaxes && may_relax)) {
      return refuse(column, "mode", kModes[static_cast<size_t>(there->mode)],
                    kModes[static_cast<size_t>(column.mode)]);
    }
    HAKOBU_RETURN_IF_ERROR(CheckGivenSchema(id, load, there->fields, column.fields));
  }
  return absl::OkStatus();
}

// What a format cannot bring into a type that the job's schema names.
absl::Status CheckFormat(const json& load, const Schema& given, const Schema& of_file) {
  const std::string format = Text(load, "sourceFormat", "CSV");
  for (const Column& column : given) {
    if (format == "PARQUET" && column.type == Type::kJson) {
      return absl::InvalidArgumentError("Unsupported field type: JSON");
    }
    const Column* found = FindColumn(of_file, column.name);
    if (format == "AVRO" && found != nullptr && found->type == Type::kString &&
        column.type == Type::kDateTime) {
      return absl::InvalidArgumentError(fmt::format(
          "Field {} has incompatible types. Configured schema: datetime; Avro file: string.", column.name));
    }
  }
  return absl::OkStatus();
}

// What the new table of a truncating or creating load is.
absl::StatusOr<Table> NewTable(const TableId& id, const json& load, const TablePtr& before, bool losses,
                               const Schema& schema) {
  json resource = {{"schema", SchemaToJson(schema)}};
  for (const char* key : {"timePartitioning", "rangePartitioning", "clustering"}) {
    if (load.contains(key) && load[key].is_object()) resource[key] = load[key];
  }
  if (const json& properties = Child(load, "destinationTableProperties"); !properties.empty()) {
    for (const char* key : {"friendlyName", "description", "labels"}) {
      if (properties.contains(key)) resource[key] = properties[key];
    }
  }
  if (const json& encryption = Child(load, "destinationEncryptionConfiguration"); !encryption.empty()) {
    resource["encryptionConfiguration"] = encryption;
  }
  HAKOBU_ASSIGN_OR_RETURN(Table table, TableFromJson(resource, id));
  if (!before) return table;
  const std::string description = table.description, name = table.friendly_name;
  const auto labels = table.labels;
  KeepOverTruncate(*before, losses, &table);
  if (!description.empty()) table.description = description;
  if (!name.empty()) table.friendly_name = name;
  if (!labels.empty()) table.labels = labels;
  return table;
}

class Load {
 public:
  Load(const Service& service, Job& job, const std::string& path)
      : service_(service), job_(job), path_(path), load_(Child(job.configuration, "load")) {}

  absl::Status Run() {
    HAKOBU_ASSIGN_OR_RETURN(const TableId id,
                            TableFromReference(Child(load_, "destinationTable"), job_.project));
    HAKOBU_RETURN_IF_ERROR(CheckTarget(service_, job_, id));
    HAKOBU_RETURN_IF_ERROR(CheckLocation(service_, job_, id.parent()));
    HAKOBU_ASSIGN_OR_RETURN(destination_, OpenDestination(service_, id, Text(load_, "createDisposition"),
                                                          Text(load_, "writeDisposition", "WRITE_APPEND")));
    HAKOBU_RETURN_IF_ERROR(CheckOptions(id));
    HAKOBU_ASSIGN_OR_RETURN(source_, Open(service_, path_, load_));
    HAKOBU_ASSIGN_OR_RETURN(Schema loaded, LoadedSchema(load_, *source_));
    if (!Child(load_, "schema").empty())
      HAKOBU_RETURN_IF_ERROR(CheckFormat(load_, loaded, source_->schema()));
    if (loaded.empty() && destination_.table) loaded = destination_.table->schema;
    if (loaded.empty()) {
      return absl::InvalidArgumentError(fmt::format(
          "No schema specified on job or table: give one, or autodetect. Table: {}", DisplayName(id)));
    }
    loaded_ = loaded;
    bad_.most = Integer(load_, "maxBadRecords");
    absl::Status status = destination_.write == WriteMode::kReplace ? Replace(id, std::move(loaded))
                                                                    : Add(id, std::move(loaded));
    for (const std::string& message : bad_.messages)
      job_.AddError({{"reason", "invalid"}, {"message", message}});
    return status;
  }

 private:
  // What the configuration may not ask of a table that is there.
  absl::Status CheckOptions(const TableId& id) const {
    HAKOBU_RETURN_IF_ERROR(RefuseUnsupportedLoad(load_));
    const bool has_options =
        HasOption(load_, "ALLOW_FIELD_ADDITION") || HasOption(load_, "ALLOW_FIELD_RELAXATION");
    if (has_options && Text(load_, "writeDisposition") == "WRITE_TRUNCATE") return UpdateOptionsRefused();
    if (!destination_.table || !service_.faults->Has(Behaviour::kLayouts)) return absl::OkStatus();
    json layout = json::object();
    for (const char* key : {"timePartitioning", "rangePartitioning", "clustering"}) {
      if (load_.contains(key) && load_[key].is_object()) layout[key] = load_[key];
    }
    HAKOBU_ASSIGN_OR_RETURN(const Table given, TableFromJson(layout, id));
    return CheckLoadLayout(*destination_.table, given);
  }

  absl::Status Replace(const TableId& id, Schema loaded) {
    // Without a schema of its own (CSV) a truncating load keeps the table's, as loaded() fell back to it.
    HAKOBU_ASSIGN_OR_RETURN(Table table, NewTable(id, load_, destination_.table,
                                                  service_.faults->Has(Behaviour::kPublishLosses), loaded));
    const Schema schema = table.schema;
    return service_.catalog
        ->ReplaceTable(std::move(table), Catalog::Replacement::kTable,
                       [&](Connection& connection, const Catalog::NewRows& rows) {
                         return Fill(connection, rows.schema, rows.table, schema);
                       })
        .status();
  }

  absl::Status Add(const TableId& id, Schema loaded) {
    HAKOBU_RETURN_IF_ERROR(CheckGivenSchema(id, load_, destination_.table->schema, loaded));
    if (!Flag(load_, "ignoreUnknownValues")) {
      HAKOBU_ASSIGN_OR_RETURN(const Schema extended, Extended(id, destination_.table->schema, loaded, load_));
      if (extended != destination_.table->schema) {
        const auto extend = [&](Table& table) {
          table.schema = extended;
          return absl::OkStatus();
        };
        HAKOBU_ASSIGN_OR_RETURN(destination_.table, service_.catalog->UpdateTable(id, "", extend));
      }
    }
    if (destination_.write == WriteMode::kReplaceRows) {
      Table table = *destination_.table;
      if (service_.faults->Has(Behaviour::kTruncateDataPolicies)) DropRowPolicies(&table);
      return service_.catalog
          ->ReplaceTable(table, Catalog::Replacement::kRows,
                         [&](Connection& connection, const Catalog::NewRows& rows) {
                           return Fill(connection, rows.schema, rows.table, table.schema);
                         })
          .status();
    }
    return service_.catalog->Write(
        id, destination_.table->generation, [&](Connection& connection, const Table& table) {
          return Fill(connection, DuckDbSchemaName(id.parent()), DuckDbTableName(id.table), table.schema);
        });
  }

  // The columns that the file lacks and that have a default, unless the source sees to them itself.
  std::vector<size_t> Absent(const Schema& schema, ColumnDefaults* defaults) {
    std::vector<size_t> absent;
    if (defaults->IsEmpty() || source_->UseDefaults(defaults)) return absent;
    for (size_t i = 0; i < schema.size(); ++i) {
      if (defaults->Has(i) && FindColumn(loaded_, schema[i].name) == nullptr) absent.push_back(i);
    }
    return absent;
  }

  absl::Status Fill(Connection& connection, const std::string& schema_name, const std::string& table_name,
                    const Schema& schema) {
    const Job::Interruptible interruptible(&job_, &connection);
    HAKOBU_ASSIGN_OR_RETURN(Appender appender, Appender::Open(connection, schema_name, table_name));
    HAKOBU_ASSIGN_OR_RETURN(ColumnDefaults defaults, ColumnDefaults::Prepare(service_.warehouse, schema));
    const std::vector<size_t> absent = Absent(schema, &defaults);
    const absl::Cleanup forget = [&] { source_->UseDefaults(nullptr); };
    Schema read = schema;
    for (const size_t column : absent) read[column].mode = Mode::kNullable;
    int64_t rows = 0;
    bad_.count = 0;
    bad_.messages.clear();
    const auto append = [&](const Chunk& chunk) -> absl::Status {
      if (job_.cancelled()) return absl::CancelledError("cancelled");
      rows += static_cast<int64_t>(chunk.rows());
      for (const size_t column : absent) {
        HAKOBU_RETURN_IF_ERROR(defaults.Fill(column, chunk, [](idx_t) { return true; }));
      }
      HAKOBU_RETURN_IF_ERROR(appender.Append(chunk));
      if (!absent.empty()) defaults.Release();
      return absl::OkStatus();
    };
    HAKOBU_RETURN_IF_ERROR(source_->Read(read, &bad_, append));
    HAKOBU_RETURN_IF_ERROR(appender.Close());
    std::error_code ignored;
    const std::string bytes = std::to_string(std::filesystem::file_size(path_, ignored));
    job_.SetStatistics({{"inputFiles", "1"},
                        {"inputFileBytes", bytes},
                        {"outputRows", std::to_string(rows)},
                        {"outputBytes", bytes},
                        {"badRecords", std::to_string(bad_.count)}});
    HAKOBU_RETURN_IF_ERROR(job_.RecordDone(connection));
    CrashPoint("load.before_commit");
    return absl::OkStatus();
  }

  const Service& service_;
  Job& job_;
  const std::string path_;
  const json& load_;
  Destination destination_{nullptr, WriteMode::kAppend};
  std::unique_ptr<LoadSource> source_;
  Schema loaded_;  // the columns that the file has
  BadRows bad_;
};

}  // namespace

bool BadRows::Add(std::string message) {
  if (messages.size() < 5) messages.push_back(std::move(message));
  return ++count <= most;
}

absl::Status RunLoad(const Service& service, Job& job, const std::string& path) {
  return Load(service, job, path).Run();
}

}  // namespace hakobu::localbq::rest
