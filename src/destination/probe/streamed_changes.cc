// Change data capture over rows that a load brought, and over a table whose key is taken away and given back.
#include <fmt/format.h>

#include "base/status.h"
#include "destination/probe/experiments.h"
#include "destination/probe/rows.h"
#include "destination/probe/site.h"

namespace hakobu {
namespace {

constexpr char kKeyedFields[] = R"([{"name":"id","type":"INTEGER"},{"name":"note","type":"STRING"}])";
constexpr char kKeyed[] = R"({"tableConstraints":{"primaryKey":{"columns":["id"]}}})";

absl::StatusOr<std::string> RowsOf(ProbeSite& site, const TableName& table) {
  return site.List(fmt::format("SELECT CONCAT(CAST(id AS STRING), '=', note) FROM {}", table.Quoted()));
}

absl::Status Upsert(ProbeSite& site, const TableName& table, const ProbeRow& row) {
  return AppendOnce(site.storage(), DefaultStream(table), RowShape::kChanges, {row});
}

}  // namespace

// Rows 1 to 3 by a load; then UPSERT 2, DELETE 3, UPSERT 1 with a sequence number while no row has one.
ProbeAnswers ProbeLoadThenChanges(ProbeSite& site) {
  HAKOBU_ASSIGN_OR_RETURN(const TableName table, site.Make("loaded_first", kKeyedFields, kKeyed));
  HAKOBU_RETURN_IF_ERROR(site.Load(
      table, "{\"id\":1,\"note\":\"load\"}\n{\"id\":2,\"note\":\"load\"}\n{\"id\":3,\"note\":\"load\"}\n",
      WriteDisposition::kAppend));
  HAKOBU_RETURN_IF_ERROR(AppendOnce(site.storage(), DefaultStream(table), RowShape::kChanges,
                                    {{.id = 2, .note = "stream", .change = "UPSERT", .sequence = "1"},
                                     {.id = 3, .note = "stream", .change = "DELETE", .sequence = "1"},
                                     {.id = 1, .note = "stream", .change = "UPSERT", .sequence = "1"}}));
  HAKOBU_ASSIGN_OR_RETURN(const std::string rows, RowsOf(site, table));
  ProbeAnswer answer{.question = "load_then_changes"};
  answer.seen = "rows afterwards: " + rows;
  const bool replaced = rows == "1=stream 2=stream";
  answer.answer = replaced ? "replaced" : "beside";
  answer.meaning = replaced ? "a first copy may be loaded before changes are streamed"
                            : "rows of a load are no rows to the changes: first copies must be streamed too";
  answer.taken = "first copies go by the stream's own path";
  return std::vector<ProbeAnswer>{std::move(answer)};
}

ProbeAnswers ProbeDroppedKey(ProbeSite& site) {
  HAKOBU_ASSIGN_OR_RETURN(const TableName table, site.Make("dropped_key", kKeyedFields, kKeyed));
  HAKOBU_RETURN_IF_ERROR(Upsert(site, table, {.id = 1, .note = "a", .change = "UPSERT", .sequence = "1"}));
  ProbeAnswer answer{.question = "dropped_key"};
  answer.taken = "a key is never taken away from a streamed table; one that lost it stops";
  const absl::Status dropped = site.Execute(fmt::format("ALTER TABLE {} DROP PRIMARY KEY", table.Quoted()));
  if (!dropped.ok()) {
    answer.answer = "kept";
    answer.seen = Words(dropped);
    answer.meaning = "a table that is streamed to keeps its key";
    return std::vector<ProbeAnswer>{std::move(answer)};
  }
  const absl::Status without =
      Upsert(site, table, {.id = 1, .note = "b", .change = "UPSERT", .sequence = "2"});
  const absl::Status given =
      site.Execute(fmt::format("ALTER TABLE {} ADD PRIMARY KEY (id) NOT ENFORCED", table.Quoted()));
  const absl::Status again = Upsert(site, table, {.id = 1, .note = "c", .change = "UPSERT", .sequence = "3"});
  const absl::StatusOr<std::string> rows = RowsOf(site, table);
  answer.answer = without.ok() ? "accepted" : "refused";
  answer.seen =
      fmt::format("without the key: {}; ADD PRIMARY KEY: {}; with it again: {}; rows: {}", Words(without),
                  Words(given), Words(again), rows.ok() ? *rows : Words(rows.status()));
  answer.meaning = without.ok() ? "changes without a key are taken, as rows of their own perhaps"
                                : "changes wait for the key, and go on once it is there";
  return std::vector<ProbeAnswer>{std::move(answer)};
}

}  // namespace hakobu
