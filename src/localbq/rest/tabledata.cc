// tabledata.list.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/status.h"
#include "localbq/catalog/catalog.h"
#include "localbq/catalog/warehouse.h"
#include "localbq/rest/access.h"
#include "localbq/rest/cells.h"
#include "localbq/rest/service.h"

namespace hakobu::localbq::rest {
namespace {

using nlohmann::json;

constexpr int64_t kMostRows = 100'000;
constexpr size_t kMostBytes = size_t{10} << 20;  // a page may be shorter than asked for

// "a,b,c.d": whole columns, or fields of a RECORD.
absl::StatusOr<Schema> Selected(const Schema& schema, std::string_view fields, const TableId& id) {
  if (fields.empty()) return schema;
  Schema selected;
  for (const Column& column : schema) {
    bool wanted = false;
    for (size_t at = 0; at <= fields.size();) {
      const size_t end = std::min(fields.find(',', at), fields.size());
      const std::string_view field = fields.substr(at, end - at);
      at = end + 1;
      wanted = wanted || SameName(field.substr(0, field.find('.')), column.name);
    }
    if (wanted) selected.push_back(column);
  }
  if (selected.empty()) {
    return absl::InvalidArgumentError(
        fmt::format("Invalid selectedFields '{}': Table {} has no such fields", fields, DisplayName(id)));
  }
  return selected;
}

}  // namespace

absl::StatusOr<Reply> ListTableData(Service& service, const Request& request) {
  const TableId id = TableOf(request);
  HAKOBU_ASSIGN_OR_RETURN(const TablePtr table, service.catalog->GetTable(id));
  if (table->type != TableType::kTable && table->type != TableType::kSnapshot) {
    return absl::InvalidArgumentError(fmt::format("Cannot list a table of type VIEW: {}", DisplayName(id)));
  }
  if (service.authority != nullptr)
    HAKOBU_RETURN_IF_ERROR(service.authority->CheckAllRows(request.identity, *table));
  HAKOBU_ASSIGN_OR_RETURN(const Schema schema, Selected(table->schema, request.Query("selectedFields"), id));
  // A token is the row it goes on from and the table it was made for.
  int64_t start = ParseInteger(request.Query("startIndex"), 0);
  if (const std::string_view token = request.Query("pageToken"); !token.empty()) {
    const size_t dash = token.find('-');
    start = ParseInteger(token.substr(0, dash), -1);
    if (start < 0 || dash == std::string_view::npos) {
      return absl::InvalidArgumentError(fmt::format("Invalid value for pageToken: {}", token));
    }
    if (token.substr(dash + 1) != std::to_string(table->generation)) {
      return absl::InvalidArgumentError("The page token is of another table: it was deleted or made anew");
    }
  }
  const int64_t wanted =
      std::clamp<int64_t>(ParseInteger(request.Query("maxResults"), kMostRows), 0, kMostRows);
  const TimestampFormat format = request.QueryFlag("formatOptions.useInt64Timestamp")
                                     ? TimestampFormat::kInt64Micros
                                     : TimestampFormat::kFloatSeconds;
  HAKOBU_ASSIGN_OR_RETURN(const Warehouse::Lease connection, service.warehouse->Connect());
  HAKOBU_ASSIGN_OR_RETURN(const std::string source, service.catalog->ReadSource(*table));
  HAKOBU_ASSIGN_OR_RETURN(Result counted, connection->Query("SELECT count(*) FROM " + source));
  const int64_t total = counted.FirstInt64().value_or(0);
  std::string body =
      fmt::format(R"({{"kind":"bigquery#tableDataList","etag":"{}","totalRows":"{}")", table->etag, total);
  int64_t rows = 0;
  if (wanted > 0 && !schema.empty() && start < total) {
    std::string columns;
    for (const Column& column : schema) {
      columns += fmt::format("{}{}", columns.empty() ? "" : ", ", Quoted(column.name));
    }
    HAKOBU_ASSIGN_OR_RETURN(
        Result result, connection->Query(fmt::format("SELECT {} FROM {} LIMIT {} OFFSET {}", columns, source,
                                                     wanted, start)));
    body += ",\"rows\":[";
    while (const std::optional<Chunk> chunk = result.Next()) {
      for (idx_t row = 0; row < chunk->rows() && body.size() < kMostBytes; ++row, ++rows) {
        if (rows > 0) body.push_back(',');
        AppendRow(schema, chunk->get(), row, format, &body);
      }
      if (body.size() >= kMostBytes) break;
    }
    body.push_back(']');
    if (start + rows < total) body += fmt::format(R"(,"pageToken":"{}-{}")", start + rows, table->generation);
  }
  body.push_back('}');
  Reply reply;
  reply.body = std::move(body);
  return reply;
}

}  // namespace hakobu::localbq::rest
