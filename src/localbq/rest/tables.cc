// The tables resource.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/status.h"
#include "localbq/catalog/catalog.h"
#include "localbq/catalog/warehouse.h"
#include "localbq/faults/faults.h"
#include "localbq/rest/access.h"
#include "localbq/rest/service.h"
#include "localbq/rest/unsupported.h"

namespace hakobu::localbq::rest {
namespace {

using nlohmann::json;

// What a row takes as BigQuery counts it: fixed widths; texts are taken as 16 bytes. An estimate, and said
// so.
int64_t RowBytes(const Schema& schema) {
  int64_t bytes = 0;
  for (const Column& column : schema) {
    switch (column.type) {
      case Type::kBool:
        bytes += 1;
        break;
      case Type::kNumeric:
      case Type::kInterval:
      case Type::kRange:
        bytes += 16;
        break;
      case Type::kBigNumeric:
        bytes += 32;
        break;
      case Type::kString:
      case Type::kBytes:
      case Type::kJson:
      case Type::kGeography:
        bytes += 18;
        break;
      case Type::kRecord:
        bytes += RowBytes(column.fields);
        break;
      default:
        bytes += 8;
    }
  }
  return bytes;
}

absl::StatusOr<int64_t> CountRows(const Service& service, const Table& table) {
  HAKOBU_ASSIGN_OR_RETURN(const Warehouse::Lease connection, service.warehouse->Connect());
  HAKOBU_ASSIGN_OR_RETURN(Result result, connection->Query("SELECT count(*) FROM " + DuckDbName(table.id)));
  return result.FirstInt64().value_or(0);
}

// Rows that were just streamed are not counted yet, and are in the buffer, which is told.
void PutRowCounts(const Service& service, const Table& table, int64_t rows, json* resource) {
  TableHistory& history = service.faults->tables();
  const int64_t buffered = std::min(rows, history.BufferedRows(table));
  if (buffered > 0) {
    (*resource)["streamingBuffer"] = {
        {"estimatedRows", std::to_string(buffered)},
        {"estimatedBytes", std::to_string(buffered * RowBytes(table.schema))},
        {"oldestEntryTime", std::to_string(absl::ToUnixMillis(history.OldestBuffered(table)))}};
  }
  const int64_t counted = std::max<int64_t>(0, rows - history.UncountedRows(table));
  const std::string bytes = std::to_string(counted * RowBytes(table.schema));
  (*resource)["numRows"] = std::to_string(counted);
  for (const char* key : {"numBytes", "numTotalLogicalBytes", "numActiveLogicalBytes"})
    (*resource)[key] = bytes;
  for (const char* key : {"numLongTermBytes", "numLongTermLogicalBytes"}) (*resource)[key] = "0";
}

// Names that the server keeps to itself among a table's other fields.
bool IsInternal(const std::string& key) {
  return key.starts_with('~');
}

absl::StatusOr<json> Representation(const Service& service, const Table& table) {
  json resource = ToJson(table);
  std::erase_if(resource.get_ref<json::object_t&>(),
                [](const auto& member) { return IsInternal(member.first); });
  if (service.faults->Has(Behaviour::kRestMaxStaleness)) resource.erase("maxStaleness");
  resource["selfLink"] = fmt::format("{}/bigquery/v2/projects/{}/datasets/{}/tables/{}", service.url,
                                     table.id.project, table.id.dataset, table.id.table);
  HAKOBU_ASSIGN_OR_RETURN(const DatasetPtr dataset, service.catalog->GetDataset(table.id.parent()));
  resource["location"] = dataset->location;
  if (table.type == TableType::kTable || table.type == TableType::kSnapshot) {
    HAKOBU_ASSIGN_OR_RETURN(const int64_t rows, CountRows(service, table));
    PutRowCounts(service, table, rows, &resource);
  }
  return resource;
}

std::string LocationOf(const Service& service, const TableId& id) {
  const absl::StatusOr<DatasetPtr> dataset = service.catalog->GetDataset(id.parent());
  return dataset.ok() ? (*dataset)->location : "US";
}

absl::StatusOr<Reply> Answer(const Service& service, const Table& table) {
  HAKOBU_ASSIGN_OR_RETURN(const json resource, Representation(service, table));
  Reply reply = JsonReply(resource);
  reply.headers.emplace_back("ETag", table.etag);
  return reply;
}

constexpr int kPatchCost = 5, kInsertCost = 4;  // of TableHistory's burst

// A column comes first, its default in another request.
absl::Status CheckNewDefaults(const Table& before, const Table& after) {
  for (const Column& column : after.schema) {
    if (column.default_expression.empty() || FindColumn(before.schema, column.name) != nullptr) continue;
    if (before.schema.empty()) continue;
    return absl::InvalidArgumentError(fmt::format(
        "Provided Schema does not match Table {}. Cannot add fields with a default value (field: {}): "
        "add the field first, then set its default value.",
        DisplayName(after.id), column.name));
  }
  return absl::OkStatus();
}

// `"schema": null`, which bq sends with every update, leaves the schema; clustering is taken away by
// tables.update alone.
json Merged(const json& resource, json patch) {
  if (const auto clustering = patch.find("clustering"); clustering != patch.end() && clustering->is_null())
    patch.erase(clustering);
  if (const auto schema = patch.find("schema"); schema != patch.end() && schema->is_null())
    patch.erase(schema);
  return Patched(resource, patch);
}

absl::Status CheckPartitioningKept(const Table& before, const Table& after) {
  const auto same_time = [&] {
    if (!before.time_partitioning || !after.time_partitioning) return !before.time_partitioning;
    return before.time_partitioning->type == after.time_partitioning->type &&
           before.time_partitioning->column == after.time_partitioning->column;
  };
  if (before.type == TableType::kTable && after.time_partitioning && !same_time()) {
    return absl::InvalidArgumentError(
        fmt::format("Cannot change partitioning spec for a {}partitioned table.",
                    before.time_partitioning ? "" : "non-"));
  }
  return absl::OkStatus();
}

// Policies hang on a table whatever a client writes of its resource.
void KeepInternalState(const Table& before, Table* after) {
  json other = json::parse(after->other, nullptr, false);
  if (!other.is_object()) other = json::object();
  for (auto each = other.begin(); each != other.end();)
    each = each.key().starts_with('~') ? other.erase(each) : ++each;
  const json kept = json::parse(before.other, nullptr, false);
  if (kept.is_object()) {
    for (const auto& [key, value] : kept.items()) {
      if (key.starts_with('~')) other[key] = value;
    }
  }
  after->other = other.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// A view shows what its author may read.
absl::Status CheckViewQuery(const Service& service, const Request& request, const Table& view) {
  if (service.authority == nullptr || view.type != TableType::kView) return absl::OkStatus();
  sql::Context context;
  context.project = view.id.project;
  sql::ExecuteHooks hooks;
  AddAccessHooks(service, request.identity, /*may_change=*/true, &hooks);
  const absl::Status status = sql::DryRun(view.view_query, context, *service.catalog, hooks).status();
  return absl::IsPermissionDenied(status) ? status : absl::OkStatus();
}

// A patch that names fewer columns than there are is refused as Google does; descriptions and tags may
// change.
absl::StatusOr<Reply> Change(Service& service, const Request& request, bool is_patch) {
  const TableId id = TableOf(request);
  HAKOBU_ASSIGN_OR_RETURN(json body, request.Json());
  HAKOBU_RETURN_IF_ERROR(RefuseUnsupported(body));
  // An etag in the body says nothing: If-Match does.
  std::erase_if(body.get_ref<json::object_t&>(), [](const auto& member) { return IsInternal(member.first); });
  body.erase("etag");
  if (service.faults->Has(Behaviour::kRestMaxStaleness)) body.erase("maxStaleness");
  HAKOBU_RETURN_IF_ERROR(service.faults->tables().ChargeUpdate(id, kPatchCost));
  if (service.authority != nullptr && body.contains("view")) {
    HAKOBU_ASSIGN_OR_RETURN(const Table view, TableFromJson(body, id));
    HAKOBU_RETURN_IF_ERROR(CheckViewQuery(service, request, view));
  }
  const auto apply = [&](Table& table) -> absl::Status {
    const Table before = table;
    json after = is_patch ? Merged(ToJson(before), body) : body;
    if (!after.contains("schema") || after["schema"].is_null()) after["schema"] = SchemaToJson(before.schema);
    HAKOBU_ASSIGN_OR_RETURN(table, TableFromJson(after, id));
    KeepInternalState(before, &table);
    if (before.type == TableType::kTable)
      HAKOBU_RETURN_IF_ERROR(CheckSchemaUpdate(id, before.schema, table.schema));
    HAKOBU_RETURN_IF_ERROR(CheckNewDefaults(before, table));
    HAKOBU_RETURN_IF_ERROR(CheckPartitioningKept(before, table));
    if (service.faults->Has(Behaviour::kRestMaxStaleness)) table.max_staleness = before.max_staleness;
    if (!table.time_partitioning) table.time_partitioning = before.time_partitioning;
    table.range_partitioning = before.range_partitioning;
    table.schema_version = before.schema_version;
    return absl::OkStatus();
  };
  HAKOBU_ASSIGN_OR_RETURN(const TablePtr table,
                          service.catalog->UpdateTable(id, request.Header("if-match"), apply));
  return Answer(service, *table);
}

}  // namespace

absl::StatusOr<TableId> TableFromReference(const json& reference, std::string_view project) {
  TableId id{Text(reference, "projectId", project), Text(reference, "datasetId"), Text(reference, "tableId")};
  if (id.dataset.empty()) {
    return WithReason(absl::InvalidArgumentError("Required parameter is missing: datasetId"), "required");
  }
  if (id.table.empty()) {
    return WithReason(absl::InvalidArgumentError("Required parameter is missing: tableId"), "required");
  }
  return id;
}

json ToReference(const TableId& id) {
  return {{"projectId", id.project}, {"datasetId", id.dataset}, {"tableId", id.table}};
}

absl::StatusOr<Page> PageOf(const Request& request, size_t size, size_t default_results) {
  Page page;
  const std::string_view token = request.Query("pageToken");
  if (!token.empty()) {
    const int64_t begin = ParseInteger(token, -1);
    if (begin < 0) return absl::InvalidArgumentError(fmt::format("Invalid value for pageToken: {}", token));
    page.begin = static_cast<size_t>(begin);
  }
  const int64_t wanted = ParseInteger(request.Query("maxResults"), static_cast<int64_t>(default_results));
  page.begin = std::min(page.begin, size);
  page.end = std::min(size, page.begin + static_cast<size_t>(std::max<int64_t>(wanted, 0)));
  if (page.end < size) page.next_token = std::to_string(page.end);
  return page;
}

absl::StatusOr<Reply> ListTables(Service& service, const Request& request) {
  HAKOBU_ASSIGN_OR_RETURN(const std::vector<TablePtr> tables,
                          service.catalog->ListTables(DatasetOf(request)));
  HAKOBU_ASSIGN_OR_RETURN(const Page page, PageOf(request, tables.size(), 1000));
  json list = {{"kind", "bigquery#tableList"}, {"etag", "tables"}, {"totalItems", tables.size()}};
  constexpr const char* kKept[] = {
      "kind",         "id",     "tableReference", "type",           "timePartitioning",
      "clustering",   "labels", "friendlyName",   "expirationTime", "rangePartitioning",
      "creationTime", "view"};
  for (size_t i = page.begin; i < page.end; ++i) {
    const json resource = ToJson(*tables[i]);
    json entry;
    for (const char* key : kKept) {
      if (resource.contains(key)) entry[key] = resource[key];
    }
    if (entry.contains("view")) entry["view"].erase("query");
    list["tables"].push_back(std::move(entry));
  }
  if (!page.next_token.empty()) list["nextPageToken"] = page.next_token;
  return JsonReply(list);
}

absl::StatusOr<Reply> InsertTable(Service& service, const Request& request) {
  HAKOBU_ASSIGN_OR_RETURN(json body, request.Json());
  HAKOBU_RETURN_IF_ERROR(RefuseUnsupported(body));
  const json& reference = Child(body, "tableReference");
  const TableId id{request.Segment(1), request.Segment(3), Text(reference, "tableId")};
  if (id.table.empty()) {
    return WithReason(absl::InvalidArgumentError("Required parameter is missing: tableId"), "required");
  }
  std::erase_if(body.get_ref<json::object_t&>(), [](const auto& member) { return IsInternal(member.first); });
  if (service.faults->Has(Behaviour::kRestMaxStaleness)) body.erase("maxStaleness");
  HAKOBU_ASSIGN_OR_RETURN(Table table, TableFromJson(body, id));
  if (table.type == TableType::kMaterializedView || table.type == TableType::kExternal) {
    return absl::UnimplementedError(
        "Materialized views and external tables are not supported by the local BigQuery");
  }
  HAKOBU_RETURN_IF_ERROR(CheckViewQuery(service, request, table));
  const absl::StatusOr<TablePtr> created = service.catalog->CreateTable(std::move(table));
  // Of many who make one table, some are told of the rate instead of the duplicate.
  if (absl::IsAlreadyExists(created.status())) {
    HAKOBU_RETURN_IF_ERROR(service.faults->tables().ChargeUpdate(id, kInsertCost));
  }
  if (!created.ok()) return created.status();
  return Answer(service, **created);
}

absl::StatusOr<Reply> GetTable(Service& service, const Request& request) {
  const TableId id = TableOf(request);
  if (service.faults->tables().Hides(id)) {
    return absl::NotFoundError(fmt::format("Not found: Table {} was not found in location {}",
                                           DisplayName(id), LocationOf(service, id)));
  }
  HAKOBU_ASSIGN_OR_RETURN(const TablePtr table, service.catalog->GetTable(id));
  if (request.Header("if-none-match") == table->etag) {
    Reply unchanged;
    unchanged.status = 304;
    return unchanged;
  }
  return Answer(service, *table);
}

absl::StatusOr<Reply> PatchTable(Service& service, const Request& request) {
  return Change(service, request, true);
}
absl::StatusOr<Reply> UpdateTable(Service& service, const Request& request) {
  return Change(service, request, false);
}

absl::StatusOr<Reply> DeleteTable(Service& service, const Request& request) {
  HAKOBU_RETURN_IF_ERROR(service.catalog->DeleteTable(TableOf(request)));
  Reply reply;
  reply.status = 204;
  return reply;
}

}  // namespace hakobu::localbq::rest
