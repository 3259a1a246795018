#include "delivery/stream/target_watch.h"

#include "base/log.h"
#include "base/status.h"
#include "delivery/outage/watch.h"

namespace hakobu {
namespace {

constexpr absl::Duration kBetweenLooks = absl::Seconds(1);

}  // namespace

void TargetWatch::Run() {
  size_t next = 0;
  while (!context_->stop.WaitFor(kBetweenLooks)) {
    const std::vector<StreamTable*> tables = context_->tables.all();
    if (!tables.empty()) Look(tables[next++ % tables.size()]);
  }
}

void TargetWatch::Look(StreamTable* table) {
  const uint64_t before = table->target_changes;
  const std::shared_ptr<const LaneSchema> schema = table->schema();
  if (table->target_changing > 0 || !table->delivered || schema == nullptr) return;
  LaneSchema wanted = *schema;
  const absl::StatusOr<ContractCase> asked =
      context_->AskContractOf(table, &wanted, ContractOccasion::kAnswered);
  OutageListener* const outages = context_->outages->of(OutageSubject::kBigQuery);
  const std::string work = "look at the target of " + table->name;
  // What is denied to the stream now, it may not write to either.
  if (absl::IsPermissionDenied(asked.status()) || absl::IsUnauthenticated(asked.status())) {
    outages->OnFailure(work, asked.status());
  } else if (asked.ok()) {
    outages->OnSuccess(work);
  }
  if (!asked.ok()) {
    Log(LogSeverity::kDebug, "a target could not be looked at",
        {{"table", table->name}, {"error", std::string(View(asked.status().message()))}});
    return;
  }
  absl::Status held = AnswerStatus(table->name, asked->answer);
  if (held.ok() && asked->existing.has_value()) held = emptied_.Look(*table, *schema, *asked->existing);
  // What was seen while the stream itself changed it says nothing.
  if (held.ok() || table->target_changing > 0 || table->target_changes != before || !table->delivered) return;
  context_->StopTable(table, held);
}

}  // namespace hakobu
