#include "delivery/stream/stream_context.h"

#include <fmt/format.h>

#include "base/log.h"
#include "base/status.h"
#include "delivery/stream/copier.h"

namespace hakobu {

void StreamContext::Fail(const absl::Status& status) {
  {
    absl::MutexLock lock(&mutex_);
    // What was given up says nothing by failing.
    if (failure_.ok() && abandon.cancelled()) return;
    if (failure_.ok()) failure_ = status;
  }
  stop.Cancel();
  abandon.Cancel();
  keeper->Stop();
  connections.InterruptAll();
  if (copier != nullptr) copier->Interrupt();
}

absl::StatusOr<ContractCase> StreamContext::AskContractOf(
    StreamTable* table, LaneSchema* schema, ContractOccasion occasion,
    std::map<std::string, std::string> renamed, std::function<absl::StatusOr<bool>()> source_is_empty) {
  ContractRequest request;
  request.schema = schema;
  request.options = &table->options;
  request.occasion = occasion;
  request.renamed = std::move(renamed);
  request.source_is_empty = std::move(source_is_empty);
  const StreamTableRecord record = table->record();
  if (record.target == schema->work.target.ToString()) request.mode_before = record.mode;
  HAKOBU_ASSIGN_OR_RETURN(ContractCase asked, AskContract(*this, request));
  if (asked.answer.deliver_as.empty()) return asked;
  table->DeliverAs(asked.answer.deliver_as);
  HAKOBU_ASSIGN_OR_RETURN(*schema, MakeLaneSchema(*config, table->options_now(), schema->base));
  return asked;
}

absl::Status StreamContext::CheckTarget(const StreamTable& table, const TableName& target) const {
  for (const StreamTable* other : tables.all()) {
    const std::shared_ptr<const LaneSchema> schema = other->schema();
    if (other == &table || schema == nullptr || !(schema->work.target == target)) continue;
    if (other->record().state == StreamTableState::kDropped) continue;
    return WithHint(absl::InvalidArgumentError(fmt::format("{} and {} would both be delivered to {}",
                                                           other->name, table.name, target.ToString())),
                    "give them targets of their own: `target: {database}_{table}`");
  }
  return absl::OkStatus();
}

void StreamContext::StopTable(StreamTable* table, const absl::Status& why) {
  table->delivered = false;
  const std::string reason(View(why.message()));
  const std::shared_ptr<const LaneSchema> schema = table->schema();
  const std::string target = schema == nullptr ? "" : schema->work.target.ToString();
  const absl::Status stored = table->Advance(log, StreamTableEvent::kStop, [&](StreamTableRecord* record) {
    if (record->target.empty()) record->target = target;
    record->reason = reason;
    record->since = clock->Now();
  });
  if (!stored.ok()) return Fail(stored);
  Log(LogSeverity::kError, "table stopped, the others go on",
      {{"table", table->name}, {"reason", reason}, {"hint", "hakobu repair " + table->name}});
}

}  // namespace hakobu
