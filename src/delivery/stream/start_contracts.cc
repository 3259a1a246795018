#include "delivery/stream/start_contracts.h"

#include <fmt/format.h>

#include "base/crash_point.h"
#include "base/status.h"
#include "delivery/repair/copy_anew.h"

namespace hakobu {

bool BeginsAnew(const StreamTableRecord& record, const LaneSchema& schema) {
  return !IsDelivered(record.state) || record.target != schema.work.target.ToString() ||
         record.mode != LaneModeName(schema.mode);
}

ContractOccasion OccasionOf(const StreamTableRecord& record) {
  const bool asked = record.state == StreamTableState::kDropped && record.reason == kCopyAnewReason;
  return asked ? ContractOccasion::kAsked : ContractOccasion::kStart;
}

absl::StatusOr<bool> StaysHistory(const Config& config, Ledger* ledger, const TableWork& work) {
  const DestinationConfig& destination = config.destination;
  const TableName target{destination.project, destination.dataset,
                         TargetName(work.options, work.source.database, work.source.name)};
  HAKOBU_ASSIGN_OR_RETURN(const std::optional<StoredContract> stored,
                          ReadContract(ledger, target.ToString()));
  return stored.has_value() && stored->contract.mode == ContractMode::kHistory &&
         stored->contract.history_without_key;
}

absl::Status StartContracts::Ask(Connection* source, bool first, DeliveredPoint* start) {
  Problems refused;
  bool over_own_rows = false;
  for (StreamTable* table : context_->tables.all()) {
    const StreamTableRecord record = table->record();
    if (record.state == StreamTableState::kStopped) continue;
    LaneSchema schema = *table->schema();
    const std::function<absl::StatusOr<bool>()> source_is_empty = [&]() -> absl::StatusOr<bool> {
      const std::string sql =
          fmt::format("SELECT 1 FROM {}.{} LIMIT 1", QuoteIdentifier(schema.base.database),
                      QuoteIdentifier(schema.base.name));
      const absl::StatusOr<QueryResult> rows = source->Query(sql);
      return !rows.ok() || rows->rows.empty();  // it may be gone from the source by now
    };
    // Before its copy is done a table may well be empty.
    const bool had_rows = IsDelivered(record.state) && !IsCopying(record.state);
    HAKOBU_ASSIGN_OR_RETURN(const ContractCase asked,
                            context_->AskContractOf(table, &schema, OccasionOf(record), {},
                                                    had_rows ? source_is_empty : nullptr));
    if (asked.answer.action == ContractAction::kRefuse) refused.Add(AnswerStatus(table->name, asked.answer));
    const bool again = asked.answer.action == ContractAction::kAnew || BeginsAnew(record, schema);
    over_own_rows = over_own_rows || (again && asked.existing.has_value());
    table->SetSchema(std::make_shared<const LaneSchema>(std::move(schema)));
    answers_.emplace(table, asked.answer);
  }
  HAKOBU_RETURN_IF_ERROR(refused.Status());
  return over_own_rows && !first ? NewEpoch(start) : absl::OkStatus();
}

absl::Status StartContracts::NewEpoch(DeliveredPoint* start) {
  ++start->epoch;
  for (StreamTable* table : context_->tables.all()) {
    if (table->record().state != StreamTableState::kCatching) continue;
    HAKOBU_RETURN_IF_ERROR(
        table->Store(context_->log, [&](StreamTableRecord* record) { record->whole_epoch = start->epoch; }));
  }
  HAKOBU_RETURN_IF_ERROR(context_->log->StorePosition(*start, {}, std::nullopt));
  CrashPoint("stream.new_epoch");
  return absl::OkStatus();
}

}  // namespace hakobu
