// tabledata.insertAll.
// Source: https://cloud.google.com/bigquery/docs/reference/rest/v2/tabledata/insertAll
#include <fmt/format.h>

#include <deque>
#include <nlohmann/json.hpp>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "base/status.h"
#include "localbq/catalog/catalog.h"
#include "localbq/rest/json_rows.h"
#include "localbq/rest/service.h"

namespace hakobu::localbq::rest {
namespace {

using nlohmann::json;

constexpr size_t kMostRows = 50'000;
constexpr size_t kMostBytes = size_t{10} << 20;
constexpr absl::Duration kRemembered = absl::Minutes(1);

// insertIds of the last minute, for every table (by generation). Thread-safe.
class RecentIds {
 public:
  bool Has(int64_t generation, const std::string& id) {
    absl::MutexLock lock(&mutex_);
    while (!order_.empty() && order_.front().first + kRemembered < absl::Now()) {
      ids_.erase(order_.front().second);
      order_.pop_front();
    }
    return ids_.contains(Key(generation, id));
  }
  void Add(int64_t generation, const std::string& id) {
    absl::MutexLock lock(&mutex_);
    std::string key = Key(generation, id);
    if (ids_.insert(key).second) order_.emplace_back(absl::Now(), std::move(key));
  }

 private:
  static std::string Key(int64_t generation, const std::string& id) {
    return fmt::format("{}/{}", generation, id);
  }

  absl::Mutex mutex_;
  absl::flat_hash_set<std::string> ids_ ABSL_GUARDED_BY(mutex_);
  std::deque<std::pair<absl::Time, std::string>> order_ ABSL_GUARDED_BY(mutex_);
};

RecentIds& Recent() {
  static RecentIds* recent = new RecentIds;
  return *recent;
}

bool IsTrue(const JsonValue* value) {
  return value != nullptr && value->text == "true";
}

json RowErrors(size_t index, const std::vector<RowProblem>& problems) {
  json errors = json::array();
  for (const RowProblem& problem : problems) {
    errors.push_back({{"reason", "invalid"},
                      {"location", problem.location},
                      {"debugInfo", ""},
                      {"message", problem.message}});
  }
  return {{"index", index}, {"errors", std::move(errors)}};
}

json Stopped(size_t index) {
  return {{"index", index},
          {"errors",
           json::array({{{"reason", "stopped"}, {"location", ""}, {"debugInfo", ""}, {"message", ""}}})}};
}

class Insertion {
 public:
  Insertion(const JsonValue& body, const Table& table)
      : rows_(body.Find("rows")),
        unknown_(IsTrue(body.Find("ignoreUnknownValues")) ? UnknownFields::kIgnore : UnknownFields::kRefuse),
        skip_invalid_(IsTrue(body.Find("skipInvalidRows"))),
        table_(&table) {}

  absl::Status Check() const {
    if (rows_ == nullptr || rows_->kind != JsonValue::Kind::kArray || rows_->elements.empty()) {
      return WithReason(absl::InvalidArgumentError("No rows present in the request."), "invalid");
    }
    if (rows_->elements.size() > kMostRows) {
      return absl::InvalidArgumentError(
          fmt::format("Too many rows present in the request, limit: {} row count: {}.", kMostRows,
                      rows_->elements.size()));
    }
    return absl::OkStatus();
  }

  // Appends the good rows; the answer's insertErrors.
  absl::StatusOr<json> Run(Appender& appender, ColumnDefaults* defaults) {
    RowFiller filler(table_->schema);
    if (!defaults->IsEmpty()) filler.UseDefaults(defaults);
    json errors = json::array();
    std::vector<size_t> good;
    const auto append = [&](const Chunk& chunk) { return appender.Append(chunk); };
    for (size_t i = 0; i < rows_->elements.size(); ++i) {
      const JsonValue* insert_id = rows_->elements[i].Find("insertId");
      const std::string row_id = insert_id == nullptr ? "" : insert_id->text;
      if (!row_id.empty() && Recent().Has(table_->generation, row_id)) continue;
      const JsonValue* row = rows_->elements[i].Find("json");
      std::vector<RowProblem> problems;
      static const JsonValue empty{.kind = JsonValue::Kind::kObject};
      StoreJsonRow(row == nullptr ? empty : *row, &filler, unknown_, JsonStrings::kAreText, &problems);
      if (problems.empty()) {
        HAKOBU_RETURN_IF_ERROR(filler.Finish());
        good.push_back(i);
        if (!row_id.empty()) ids_.push_back(row_id);
      } else {
        filler.Discard();
        errors.push_back(RowErrors(i, problems));
      }
      if (filler.full()) HAKOBU_RETURN_IF_ERROR(filler.Flush(append));
    }
    if (!errors.empty() && !skip_invalid_) {
      for (const size_t index : good) errors.push_back(Stopped(index));
      return errors;
    }
    HAKOBU_RETURN_IF_ERROR(filler.Flush(append));
    HAKOBU_RETURN_IF_ERROR(appender.Close());
    inserted_ = true;
    return errors;
  }

  bool inserted() const { return inserted_; }
  // Their rows are there: the ids count from now on, so that a refused request may be sent again.
  void Remember() const {
    for (const std::string& id : ids_) Recent().Add(table_->generation, id);
  }

 private:
  const JsonValue* rows_;
  const UnknownFields unknown_;
  const bool skip_invalid_;
  const Table* table_;
  std::vector<std::string> ids_;
  bool inserted_ = false;
};

}  // namespace

absl::StatusOr<Reply> InsertAll(Service& service, const Request& request) {
  const TableId id = TableOf(request);
  if (request.body.size() > kMostBytes) {
    Reply reply =
        ErrorReply(absl::InvalidArgumentError("Request payload size exceeds the limit: 10485760 bytes."));
    reply.status = 413;
    return reply;
  }
  JsonValue body;
  std::string error;
  if (!ParseJson(request.body, &body, &error) || body.kind != JsonValue::Kind::kObject) {
    return WithReason(absl::InvalidArgumentError("Parse Error: " + error), "parseError");
  }
  if (const JsonValue* suffix = body.Find("templateSuffix"); suffix != nullptr && !suffix->text.empty()) {
    return absl::UnimplementedError(
        "templateSuffix (template tables) is not supported by the local BigQuery");
  }
  HAKOBU_ASSIGN_OR_RETURN(const TablePtr table, service.catalog->GetTable(id));
  if (table->type != TableType::kTable) {
    return absl::InvalidArgumentError(
        fmt::format("Cannot add rows to a table of type VIEW: {}", DisplayName(id)));
  }
  HAKOBU_RETURN_IF_ERROR(Insertion(body, *table).Check());
  json errors = json::array();
  bool refused = false;
  std::optional<Insertion> insertion;
  const auto write = [&](Connection& connection, const Table& now) -> absl::Status {
    HAKOBU_ASSIGN_OR_RETURN(Appender appender, Appender::Open(connection, DuckDbSchemaName(id.parent()),
                                                              DuckDbTableName(id.table)));
    insertion.emplace(body, now);
    HAKOBU_ASSIGN_OR_RETURN(ColumnDefaults defaults, ColumnDefaults::Prepare(service.warehouse, now.schema));
    HAKOBU_ASSIGN_OR_RETURN(errors, insertion->Run(appender, &defaults));
    refused = !insertion->inserted();
    return refused ? absl::CancelledError("rows refused") : absl::OkStatus();
  };
  const absl::Status status = service.catalog->Write(id, table->generation, write);
  if (!status.ok() && !refused) return status;
  if (!refused) insertion->Remember();
  json answer = {{"kind", "bigquery#tableDataInsertAllResponse"}};
  if (!errors.empty()) answer["insertErrors"] = std::move(errors);
  return JsonReply(answer);
}

}  // namespace hakobu::localbq::rest
