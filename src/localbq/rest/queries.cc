// jobs.query and jobs.getQueryResults.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "base/status.h"
#include "localbq/catalog/catalog.h"
#include "localbq/rest/access.h"
#include "localbq/rest/cells.h"
#include "localbq/rest/jobs.h"
#include "localbq/rest/service.h"

namespace hakobu::localbq::rest {
namespace {

using nlohmann::json;

constexpr size_t kMostBytes = size_t{10} << 20;
constexpr int64_t kDefaultTimeoutMs = 10'000;

struct Window {
  uint64_t start = 0, rows = UINT64_MAX;
  TimestampFormat format = TimestampFormat::kFloatSeconds;
};

// The kept rows of a window; `next`: where the next page begins, if there is one.
std::string RenderRows(const QueryRows& rows, const Window& window, uint64_t* next) {
  std::string text = "[";
  uint64_t at = window.start;
  const uint64_t end = window.rows > rows.rows || window.start + window.rows > rows.rows
                           ? rows.rows
                           : window.start + window.rows;
  size_t index = static_cast<size_t>(std::ranges::upper_bound(rows.first_row, at) - rows.first_row.begin());
  index = index == 0 ? 0 : index - 1;
  for (; at < end && text.size() < kMostBytes; ++at) {
    while (at >= rows.first_row[index] + rows.chunks[index].rows()) ++index;
    if (text.size() > 1) text.push_back(',');
    AppendRow(rows.schema, rows.chunks[index].get(), at - rows.first_row[index], window.format, &text);
  }
  text.push_back(']');
  *next = at < rows.rows ? at : 0;
  return text;
}

// A query that wrote a destination table answers with that table's rows.
absl::StatusOr<std::shared_ptr<const QueryRows>> RowsOf(const Service& service, const Job& job) {
  if (std::shared_ptr<const QueryRows> rows = job.rows()) return rows;
  const json& reference = Child(Child(job.configuration, "query"), "destinationTable");
  auto rows = std::make_shared<QueryRows>();
  if (reference.empty()) {
    if (Text(job.statistics(), "statementType", "SELECT") != "SELECT") return rows;
    return absl::NotFoundError(fmt::format("Not found: the rows of job {} are no longer kept", job.id));
  }
  HAKOBU_ASSIGN_OR_RETURN(const TableId id, TableFromReference(reference, job.project));
  HAKOBU_ASSIGN_OR_RETURN(const TablePtr table, service.catalog->GetTable(id));
  rows->schema = table->schema;
  std::string columns;
  for (const Column& column : table->schema) columns += (columns.empty() ? "" : ", ") + Quoted(column.name);
  HAKOBU_ASSIGN_OR_RETURN(const Warehouse::Lease connection, service.warehouse->Connect());
  HAKOBU_ASSIGN_OR_RETURN(const std::string source, service.catalog->ReadSource(*table));
  HAKOBU_ASSIGN_OR_RETURN(Result result,
                          connection->Query(fmt::format("SELECT {} FROM {}", columns, source)));
  while (std::optional<Chunk> chunk = result.Next()) {
    rows->first_row.push_back(rows->rows);
    rows->rows += chunk->rows();
    rows->chunks.push_back(*std::move(chunk));
  }
  return rows;
}

json JobReference(const Job& job) {
  return {{"projectId", job.project}, {"jobId", job.id}, {"location", job.location}};
}

// The common part of both answers; rows are put in as text, for there may be many.
absl::StatusOr<Reply> Results(const Service& service, const Job& job, std::string_view kind,
                              const Window& window) {
  json answer = {{"kind", kind}, {"jobReference", JobReference(job)}, {"jobComplete", job.done()}};
  if (!job.done()) return JsonReply(answer);
  HAKOBU_RETURN_IF_ERROR(job.error());
  const json statistics = job.statistics();
  HAKOBU_ASSIGN_OR_RETURN(const std::shared_ptr<const QueryRows> rows, RowsOf(service, job));
  answer["totalRows"] = std::to_string(rows->rows);
  answer["totalBytesProcessed"] = Text(statistics, "totalBytesProcessed", "0");
  answer["cacheHit"] = false;
  answer["etag"] = job.id;
  answer["schema"] = SchemaToJson(rows->schema);
  if (statistics.contains("numDmlAffectedRows")) {
    answer["numDmlAffectedRows"] = statistics["numDmlAffectedRows"];
    answer["dmlStats"] = statistics["dmlStats"];
  }
  Reply reply;
  uint64_t next = 0;
  std::string text;
  if (window.rows > 0 && !rows->schema.empty()) text = RenderRows(*rows, window, &next);
  if (next != 0) answer["pageToken"] = std::to_string(next);
  reply.body = answer.dump(-1, ' ', false, json::error_handler_t::replace);
  if (text.size() > 2) {
    reply.body.pop_back();
    reply.body += ",\"rows\":" + text + "}";
  }
  return reply;
}

// requestId makes jobs.query idempotent for some minutes. Thread-safe.
class RecentRequests {
 public:
  std::string Find(const std::string& key) {
    absl::MutexLock lock(&mutex_);
    const auto found = jobs_.find(key);
    return found == jobs_.end() ? std::string() : found->second;
  }
  void Add(const std::string& key, const std::string& job) {
    absl::MutexLock lock(&mutex_);
    if (jobs_.size() > 10'000) jobs_.clear();
    jobs_[key] = job;
  }

 private:
  absl::Mutex mutex_;
  absl::flat_hash_map<std::string, std::string> jobs_ ABSL_GUARDED_BY(mutex_);
};

RecentRequests& Recent() {
  static RecentRequests* recent = new RecentRequests;
  return *recent;
}

// jobs.query's body as a query job's resource.
json AsJob(const json& body) {
  json query = json::object();
  for (const char* key : {"query", "useLegacySql", "parameterMode", "queryParameters", "defaultDataset",
                          "maximumBytesBilled", "useQueryCache", "connectionProperties", "createSession"}) {
    if (body.contains(key) && !body[key].is_null()) query[key] = body[key];
  }
  json resource = {{"configuration", {{"query", std::move(query)}}}};
  if (body.contains("labels")) resource["configuration"]["labels"] = body["labels"];
  if (Flag(body, "dryRun")) resource["configuration"]["dryRun"] = true;
  if (body.contains("jobTimeoutMs")) resource["configuration"]["jobTimeoutMs"] = body["jobTimeoutMs"];
  if (body.contains("location")) resource["jobReference"]["location"] = body["location"];
  return resource;
}

}  // namespace

absl::StatusOr<Reply> Query(Service& service, const Request& request) {
  HAKOBU_ASSIGN_OR_RETURN(const json body, request.Json());
  HAKOBU_ASSIGN_OR_RETURN(JobPtr job, MakeJob(service, AsJob(body), request.Segment(1), request.identity));
  job->may_change = MayChange(request);
  if (Flag(body, "dryRun")) {
    HAKOBU_RETURN_IF_ERROR(RunQuery(service, *job));
    json answer = {{"kind", "bigquery#queryResponse"}, {"jobComplete", true}, {"totalRows", "0"}};
    const json statistics = job->statistics();
    answer["totalBytesProcessed"] = Text(statistics, "totalBytesProcessed", "0");
    if (statistics.contains("schema")) answer["schema"] = statistics["schema"];
    answer["jobReference"] = {{"projectId", job->project}, {"location", job->location}};
    return JsonReply(answer);
  }
  const std::string request_id = Text(body, "requestId");
  const std::string key = job->project + "/" + request_id + "/" + job->identity;
  const std::string earlier = request_id.empty() ? std::string() : Recent().Find(key);
  if (!earlier.empty()) {
    HAKOBU_ASSIGN_OR_RETURN(job, service.jobs->Find(job->project, earlier));
  } else {
    HAKOBU_ASSIGN_OR_RETURN(job, service.jobs->Submit(std::move(job), [&service](Job& running) {
      return RunQuery(service, running);
    }));
    if (!request_id.empty()) Recent().Add(key, job->id);
  }
  job->Wait(absl::Milliseconds(Integer(body, "timeoutMs", kDefaultTimeoutMs)));
  Window window;
  window.rows = static_cast<uint64_t>(Integer(body, "maxResults", INT64_MAX));
  if (Flag(Child(body, "formatOptions"), "useInt64Timestamp")) window.format = TimestampFormat::kInt64Micros;
  return Results(service, *job, "bigquery#queryResponse", window);
}

absl::StatusOr<Reply> GetQueryResults(Service& service, const Request& request) {
  HAKOBU_ASSIGN_OR_RETURN(const JobPtr job, service.jobs->FindIn(request.Segment(1), request.Segment(3),
                                                                 request.Query("location")));
  // Rows are their asker's alone, unless they went into a table that others may read.
  if (service.authority != nullptr && auth::EmailOf(request.identity) != job->user) {
    HAKOBU_RETURN_IF_ERROR(CheckJob(service, request, *job, "bigquery.jobs.get"));
    const json& table = Child(Child(job->configuration, "query"), "destinationTable");
    HAKOBU_RETURN_IF_ERROR(CheckPermission(
        service, request, "bigquery.tables.getData",
        {Text(table, "projectId", job->project), Text(table, "datasetId"), Text(table, "tableId")}));
  }
  if (job->type != "QUERY") {
    return absl::InvalidArgumentError(
        fmt::format("Cannot get query results: job {} is a {} job", job->id, job->type));
  }
  job->Wait(absl::Milliseconds(ParseInteger(request.Query("timeoutMs"), kDefaultTimeoutMs)));
  Window window;
  const std::string_view token = request.Query("pageToken");
  const int64_t start = ParseInteger(token.empty() ? request.Query("startIndex") : token, 0);
  window.start = static_cast<uint64_t>(std::max<int64_t>(start, 0));
  window.rows =
      static_cast<uint64_t>(std::max<int64_t>(ParseInteger(request.Query("maxResults"), INT64_MAX), 0));
  if (request.QueryFlag("formatOptions.useInt64Timestamp")) window.format = TimestampFormat::kInt64Micros;
  return Results(service, *job, "bigquery#getQueryResultsResponse", window);
}

}  // namespace hakobu::localbq::rest
