#include "delivery/stream/emptied.h"

#include <fmt/format.h>

#include "base/log.h"
#include "base/status.h"
#include "delivery/recorded_contract.h"
#include "source/source.h"

namespace hakobu {
namespace {

constexpr absl::Duration kLongestBehind = absl::Seconds(60);
constexpr absl::Duration kBetweenPlaces = absl::Milliseconds(200);

}  // namespace

absl::Status Emptied::Look(const StreamTable& table, const LaneSchema& schema, const std::string& resource) {
  const StreamTableRecord record = table.record();
  // Before its copy is done a table may well be empty.
  const bool had_rows =
      IsDelivered(record.state) && !IsCopying(record.state) && record.state != StreamTableState::kCatching;
  const absl::StatusOr<TableFacts> facts = ReadTableFacts(resource);
  const absl::StatusOr<PublishTarget> state = ReadTargetState(resource);
  if (!had_rows || !facts.ok() || facts->rows > 0 || !state.ok()) return absl::OkStatus();
  const auto seen = seen_.find(table.id);
  if (seen != seen_.end() && seen->second == state->modified_ms) return absl::OkStatus();
  const absl::StatusOr<bool> proven = IsProven(table, schema, resource);
  if (!proven.ok()) {
    Log(LogSeverity::kDebug, "whether a target was emptied could not be found out",
        {{"table", table.name}, {"error", std::string(View(proven.status().message()))}});
    return absl::OkStatus();
  }
  seen_[table.id] = state->modified_ms;
  if (!*proven) return absl::OkStatus();
  return WithHint(absl::FailedPreconditionError(
                      fmt::format("{}: {} was emptied by somebody else; expected rows, found none",
                                  table.name, schema.work.target.ToString())),
                  fmt::format("`hakobu repair --recopy {}` fills it again", table.name));
}

absl::StatusOr<bool> Emptied::IsProven(const StreamTable& table, const LaneSchema& schema,
                                       const std::string& resource) {
  SourceLease lease(context_->source(nullptr));
  HAKOBU_ASSIGN_OR_RETURN(Connection * source, lease.Get());
  HAKOBU_ASSIGN_OR_RETURN(const std::optional<std::string> before, FirstRow(source, schema));
  if (!before.has_value()) return false;
  HAKOBU_ASSIGN_OR_RETURN(const LogPoint end, ReadLogPoint(source));
  HAKOBU_ASSIGN_OR_RETURN(const bool delivered, IsDeliveredUpTo(end));
  if (!delivered) return absl::DeadlineExceededError("the stream is behind");
  const absl::Duration staleness = schema.work.options.max_staleness;
  if (schema.changes_by_key() && context_->stop.WaitFor(staleness)) return absl::CancelledError("stopped");
  HAKOBU_ASSIGN_OR_RETURN(const bool empty,
                          TargetIsEmpty(*context_->destination.rest, context_->config->destination,
                                        schema.work.target, resource));
  // A history keeps every row that it ever had.
  if (!empty || !schema.changes_by_key()) return empty;
  HAKOBU_ASSIGN_OR_RETURN(const std::optional<std::string> after, FirstRow(source, schema));
  return after == before && table.delivered;
}

absl::StatusOr<std::optional<std::string>> Emptied::FirstRow(Connection* source, const LaneSchema& schema) {
  std::string columns, order;
  if (schema.base.key.has_value()) {
    for (const size_t place : schema.base.key->columns) {
      const std::string name = QuoteIdentifier(schema.base.columns[place].name);
      columns += fmt::format("{}HEX({})", columns.empty() ? "" : ", '/', ", name);
      order += (order.empty() ? " ORDER BY " : ", ") + name;
    }
    columns = fmt::format("CONCAT({})", columns);
  } else {
    columns = "1";
  }
  HAKOBU_ASSIGN_OR_RETURN(const QueryResult rows,
                          source->Query(fmt::format("SELECT {} FROM {}.{}{} LIMIT 1", columns,
                                                    QuoteIdentifier(schema.base.database),
                                                    QuoteIdentifier(schema.base.name), order)));
  if (rows.rows.empty()) return std::optional<std::string>();
  return std::optional<std::string>(rows.rows[0][0].value_or(""));
}

absl::StatusOr<bool> Emptied::IsDeliveredUpTo(const LogPoint& end) {
  const absl::Time until = context_->clock->Now() + kLongestBehind;
  HAKOBU_ASSIGN_OR_RETURN(const std::optional<DeliveredPoint> first, context_->log->Position());
  if (!first.has_value()) return false;
  for (;;) {
    HAKOBU_ASSIGN_OR_RETURN(const std::optional<DeliveredPoint> now, context_->log->Position());
    if (now.has_value() && HasPassed(*now, first->epoch, end)) return true;
    if (context_->clock->Now() > until) return false;
    if (context_->stop.WaitFor(kBetweenPlaces)) return absl::CancelledError("the stream ends");
  }
}

}  // namespace hakobu
