#include "destination/tables.h"

#include <fmt/format.h>

#include <charconv>
#include <nlohmann/json.hpp>

#include "base/status.h"
#include "destination/json.h"
#include "destination/known_table.h"

namespace hakobu {
namespace {

using nlohmann::json;
using Query = std::vector<std::pair<std::string, std::string>>;

std::string DatasetPath(const DatasetName& name) {
  return ResourcePath({"projects", name.project, "datasets", name.dataset});
}

std::string TablePath(const TableName& name) {
  return ResourcePath({"projects", name.project, "datasets", name.dataset, "tables", name.table});
}

absl::StatusOr<Resource> CallForResource(Rest& rest, const RestCallSpec& spec) {
  HAKOBU_ASSIGN_OR_RETURN(std::string body, rest.Call(spec));
  HAKOBU_ASSIGN_OR_RETURN(const json document, ParseJson(body, spec.what));
  return Resource{std::move(body), TextAt(document, "etag")};
}

// `json` with `key` set to `reference` unless it is there; everything else keeps its order and bytes.
absl::StatusOr<std::string> WithReference(std::string_view text, std::string_view key, const json& reference,
                                          std::string_view what) {
  HAKOBU_ASSIGN_OR_RETURN(const json document, ParseJson(text, what));
  if (!document.is_object()) {
    return absl::InvalidArgumentError(fmt::format("{}: expected a JSON object", what));
  }
  if (document.contains(key)) return std::string(text);
  const size_t brace = text.find('{');
  return fmt::format("{{\"{}\":{}{}{}", key, reference.dump(), document.empty() ? "" : ",",
                     text.substr(brace + 1));
}

// An insert that was done although its answer was lost answers AlreadyExists to the next try; only then is
// what exists what was asked for. The first try's AlreadyExists is the caller's business.
absl::StatusOr<Resource> Insert(Rest& rest, RestCallSpec spec,
                                absl::FunctionRef<absl::StatusOr<Resource>()> get) {
  spec.idempotency = Idempotency::kOnce;
  bool lost_answer = false;
  const RestOptions& options = rest.options();
  return Retry(options.retry, options.context, Idempotency::kIdempotent, [&]() -> absl::StatusOr<Resource> {
    absl::StatusOr<Resource> made = CallForResource(rest, spec);
    if (made.ok()) return made;
    if (absl::IsAlreadyExists(made.status()) && lost_answer) return get();
    lost_answer = lost_answer || HttpStatus(made.status()) == 0 || HttpStatus(made.status()) >= 500;
    return made;
  });
}

// All pages of a list method; `each` takes a page.
absl::Status ForEachPage(Rest& rest, RestCallSpec spec, absl::FunctionRef<absl::Status(const json&)> each) {
  const Query base = spec.query;
  std::string token;
  do {
    spec.query = base;
    if (!token.empty()) spec.query.emplace_back("pageToken", token);
    HAKOBU_ASSIGN_OR_RETURN(const std::string body, rest.Call(spec));
    HAKOBU_ASSIGN_OR_RETURN(const json page, ParseJson(body, spec.what));
    HAKOBU_RETURN_IF_ERROR(each(page));
    std::string next = TextAt(page, page.contains("pageToken") ? "pageToken" : "nextPageToken");
    if (!next.empty() && next == token) {
      return absl::InternalError(fmt::format("{}: the service repeats page token", spec.what));
    }
    token = std::move(next);
  } while (!token.empty());
  return absl::OkStatus();
}

}  // namespace

std::string TableName::Quoted() const {
  return fmt::format("`{}.{}.{}`", project, dataset, table);
}

std::string TableName::Resource() const {
  return fmt::format("projects/{}/datasets/{}/tables/{}", project, dataset, table);
}

absl::StatusOr<Resource> GetDataset(Rest& rest, const DatasetName& name) {
  return CallForResource(rest, {.path = DatasetPath(name),
                                .query = {{"accessPolicyVersion", "3"}},
                                .what = "get dataset " + name.ToString()});
}

absl::StatusOr<std::vector<DatasetName>> ListDatasets(Rest& rest, std::string_view project) {
  std::vector<DatasetName> names;
  const RestCallSpec spec = {.path = ResourcePath({"projects", project, "datasets"}),
                             .query = {{"maxResults", "1000"}},
                             .what = fmt::format("list datasets of {}", project)};
  HAKOBU_RETURN_IF_ERROR(ForEachPage(rest, spec, [&](const json& page) {
    for (const json& item : ListAt(page, "datasets")) {
      const json& reference = ObjectAt(item, "datasetReference");
      names.push_back({TextAt(reference, "projectId"), TextAt(reference, "datasetId")});
    }
    return absl::OkStatus();
  }));
  return names;
}

absl::StatusOr<Resource> CreateDataset(Rest& rest, const DatasetName& name, std::string_view text) {
  const std::string what = "create dataset " + name.ToString();
  const json reference = {{"projectId", name.project}, {"datasetId", name.dataset}};
  HAKOBU_ASSIGN_OR_RETURN(const std::string body, WithReference(text, "datasetReference", reference, what));
  RestCallSpec spec = {.method = "POST",
                       .path = ResourcePath({"projects", name.project, "datasets"}),
                       .query = {{"accessPolicyVersion", "3"}},
                       .body = body,
                       .what = what};
  return Insert(rest, std::move(spec), [&] { return GetDataset(rest, name); });
}

// A lost answer to a conditional write is not known to be a failure of the condition, so only unconditional
// writes of whole values are sent again; with an etag the service itself makes the second one harmless (412).
absl::StatusOr<Resource> PatchDataset(Rest& rest, const DatasetName& name, std::string_view text,
                                      std::string_view if_match) {
  return CallForResource(rest, {.method = "PATCH",
                                .path = DatasetPath(name),
                                .query = {{"accessPolicyVersion", "3"}},
                                .body = text,
                                .if_match = std::string(if_match),
                                .what = "patch dataset " + name.ToString()});
}

absl::StatusOr<Resource> UpdateDataset(Rest& rest, const DatasetName& name, std::string_view text,
                                       std::string_view if_match) {
  return CallForResource(rest, {.method = "PUT",
                                .path = DatasetPath(name),
                                .query = {{"accessPolicyVersion", "3"}},
                                .body = text,
                                .if_match = std::string(if_match),
                                .what = "update dataset " + name.ToString()});
}

absl::Status DeleteDataset(Rest& rest, const DatasetName& name, DatasetContents contents) {
  RestCallSpec spec = {
      .method = "DELETE", .path = DatasetPath(name), .what = "delete dataset " + name.ToString()};
  if (contents == DatasetContents::kDeleteToo) spec.query = {{"deleteContents", "true"}};
  const absl::Status status = rest.Call(spec).status();
  return absl::IsNotFound(status) ? absl::OkStatus() : status;
}

absl::StatusOr<std::vector<TableEntry>> ListTables(Rest& rest, const DatasetName& dataset) {
  std::vector<TableEntry> tables;
  const RestCallSpec spec = {
      .path = ResourcePath({"projects", dataset.project, "datasets", dataset.dataset, "tables"}),
      .query = {{"maxResults", "1000"}},
      .what = "list tables of " + dataset.ToString()};
  HAKOBU_RETURN_IF_ERROR(ForEachPage(rest, spec, [&](const json& page) {
    for (const json& item : ListAt(page, "tables")) {
      const std::string table = TextAt(ObjectAt(item, "tableReference"), "tableId");
      tables.push_back({{dataset.project, dataset.dataset, table},
                        TextAt(item, "type"),
                        absl::FromUnixMillis(IntegerAt(item, "creationTime"))});
    }
    return absl::OkStatus();
  }));
  return tables;
}

// A table that this process altered a moment ago may be hidden for a while.
absl::StatusOr<Resource> GetTable(Rest& rest, const TableName& name) {
  const RetryContext& context = rest.options().context;
  RetryPolicy policy = rest.options().retry;
  policy.longest_delay = absl::Seconds(2);
  Backoff backoff(policy, context);
  while (true) {
    absl::StatusOr<Resource> table =
        CallForResource(rest, {.path = TablePath(name), .what = "get table " + name.ToString()});
    if (!absl::IsNotFound(table.status())) return table;
    if (!rest.recent_ddl().MayBeHidden(name.ToString(), context.clock->Now())) return table;
    const absl::Status waited = backoff.Wait(table.status());
    if (!waited.ok()) return waited;
  }
}

absl::StatusOr<Resource> GetKnownTable(Rest& rest, const TableName& name) {
  constexpr int kTries = 5;  // [estuary/connectors, materialize-bigquery: tableMetadataWithRetry]
  constexpr absl::Duration kBetweenTries = absl::Seconds(2);
  for (int tried = 1;; ++tried) {
    absl::StatusOr<Resource> table = GetTable(rest, name);
    if (!absl::IsNotFound(table.status()) || tried == kTries) return table;
    HAKOBU_RETURN_IF_ERROR(SleepFor(rest.options().context, kBetweenTries));
  }
}

absl::StatusOr<Resource> CreateTable(Rest& rest, const TableName& name, std::string_view text) {
  const std::string what = "create table " + name.ToString();
  const json reference = {{"projectId", name.project}, {"datasetId", name.dataset}, {"tableId", name.table}};
  HAKOBU_ASSIGN_OR_RETURN(const std::string body, WithReference(text, "tableReference", reference, what));
  RestCallSpec spec = {.method = "POST",
                       .path = ResourcePath({"projects", name.project, "datasets", name.dataset, "tables"}),
                       .body = body,
                       .what = what};
  return Insert(rest, std::move(spec), [&] { return GetTable(rest, name); });
}

absl::StatusOr<Resource> PatchTable(Rest& rest, const TableName& name, std::string_view text,
                                    std::string_view if_match) {
  HAKOBU_RETURN_IF_ERROR(rest.table_change_pace().Wait(rest.options().context, name.ToString()));
  return CallForResource(rest, {.method = "PATCH",
                                .path = TablePath(name),
                                .body = text,
                                .if_match = std::string(if_match),
                                .what = "patch table " + name.ToString()});
}

absl::Status DeleteTable(Rest& rest, const TableName& name) {
  rest.recent_ddl().Forget(name.ToString());
  const RestCallSpec spec = {
      .method = "DELETE", .path = TablePath(name), .what = "delete table " + name.ToString()};
  const absl::Status status = rest.Call(spec).status();
  return absl::IsNotFound(status) ? absl::OkStatus() : status;
}

absl::StatusOr<std::vector<std::string>> ListRowPolicies(Rest& rest, const TableName& name) {
  std::vector<std::string> names;
  const RestCallSpec spec = {.path = TablePath(name) + "/rowAccessPolicies",
                             .query = {{"pageSize", "100"}},
                             .what = "list the row access policies of " + name.ToString()};
  HAKOBU_RETURN_IF_ERROR(ForEachPage(rest, spec, [&](const json& page) {
    for (const json& policy : ListAt(page, "rowAccessPolicies")) {
      names.push_back(TextAt(ObjectAt(policy, "rowAccessPolicyReference"), "policyId"));
    }
    return absl::OkStatus();
  }));
  return names;
}

absl::StatusOr<std::string> GetTablePolicy(Rest& rest, const TableName& name) {
  return rest.Call({.method = "POST",
                    .path = TablePath(name) + ":getIamPolicy",
                    .body = R"({"options":{"requestedPolicyVersion":3}})",
                    .what = "get the IAM policy of table " + name.ToString()});
}

absl::StatusOr<std::string> SetTablePolicy(Rest& rest, const TableName& name, std::string_view policy) {
  const std::string body = fmt::format(R"({{"policy":{}}})", policy);
  auto answer = rest.Call({.method = "POST",
                           .path = TablePath(name) + ":setIamPolicy",
                           .body = body,
                           .what = "set the IAM policy of table " + name.ToString()});
  const int http_status = HttpStatus(answer.status());
  if (http_status == 409 || http_status == 412) return absl::AbortedError(answer.status().message());
  return answer;
}

absl::Status ListRows(Rest& rest, const TableName& name,
                      absl::FunctionRef<absl::Status(const RowValues&)> each, int page_size) {
  const RestCallSpec spec = {
      .path = TablePath(name) + "/data",
      .query = {{"maxResults", fmt::to_string(page_size)}, {"formatOptions.useInt64Timestamp", "true"}},
      .what = "list rows of " + name.ToString()};
  return ForEachPage(rest, spec, [&](const json& page) { return ForEachRow(page, each); });
}

absl::StatusOr<TableFacts> ReadTableFacts(std::string_view table_json) {
  HAKOBU_ASSIGN_OR_RETURN(const json table, ParseJson(table_json, "read a table resource"));
  TableFacts facts;
  facts.rows = static_cast<uint64_t>(IntegerAt(table, "numRows"));
  facts.bytes = static_cast<uint64_t>(IntegerAt(table, "numBytes"));
  facts.has_streaming_buffer = table.contains("streamingBuffer");
  facts.streaming_buffer_rows =
      static_cast<uint64_t>(IntegerAt(ObjectAt(table, "streamingBuffer"), "estimatedRows"));
  facts.location = TextAt(table, "location");
  return facts;
}

std::string WithKmsKey(std::string_view table_json, std::string_view kms_key) {
  nlohmann::ordered_json table =
      nlohmann::ordered_json::parse(table_json, nullptr, /*allow_exceptions=*/false);
  const bool keyed = table.is_object() && table.contains("encryptionConfiguration");
  if (kms_key.empty() || !table.is_object() || keyed) return std::string(table_json);
  table["encryptionConfiguration"]["kmsKeyName"] = kms_key;
  return table.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

bool MayBeKey(const Field& field) {
  if (field.mode == FieldMode::kRepeated) return false;
  switch (field.type) {
    case FieldType::kFloat64:
    case FieldType::kTime:
    case FieldType::kJson:
    case FieldType::kGeography:
    case FieldType::kInterval:
      return false;
    default:
      return true;
  }
}

std::string SchemaFieldsJson(const TableSchema& schema) {
  nlohmann::ordered_json fields = nlohmann::ordered_json::array();
  for (const Field& field : schema.fields) {
    nlohmann::ordered_json item = {{"name", field.name}, {"type", FieldTypeName(field.type)}};
    item["mode"] = field.mode == FieldMode::kRequired   ? "REQUIRED"
                   : field.mode == FieldMode::kRepeated ? "REPEATED"
                                                        : "NULLABLE";
    if (!field.description.empty()) item["description"] = field.description;
    fields.push_back(std::move(item));
  }
  return fields.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace hakobu
