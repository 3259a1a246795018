#include "delivery/stream/stored_place.h"

#include <utility>

#include "base/check.h"
#include "base/crash_point.h"
#include "base/log.h"
#include "base/status.h"

namespace hakobu {
namespace {

constexpr absl::Duration kTryFullDiskEvery = absl::Seconds(1);

bool SamePlace(const DeliveredPoint& a, const DeliveredPoint& b) {
  return a.file == b.file && a.offset == b.offset && a.gtid_set == b.gtid_set && a.epoch == b.epoch;
}

}  // namespace

void StoredPlace::Begin(const DeliveredPoint& position) {
  absl::MutexLock lock(&mutex_);
  view_.position = position;
}

StoredPlace::View StoredPlace::view() const {
  absl::MutexLock lock(&mutex_);
  return view_;
}

std::vector<StreamTableProgress> StoredPlace::ProgressAt(const LogMark& mark) const {
  std::vector<StreamTableProgress> changed;
  for (const StreamTable* table : context_->tables.all()) {
    const StreamTableRecord record = table->record();
    StreamTableProgress progress{.source = table->name};
    const auto rows = mark.history_rows.find(table->id);
    if (rows != mark.history_rows.end() && rows->second != record.write_offset)
      progress.write_offset = rows->second;
    if (record.state == StreamTableState::kCatching &&
        HasPassed(mark.position, record.whole_epoch, LogPoint::At(record.whole_file, record.whole_offset))) {
      progress.event = StreamTableEvent::kCaughtUp;
      progress.copy_sequence = record.copy_sequence;
      progress.reason = table->caveat();
      progress.since = context_->clock->Now();
    }
    if (progress.write_offset.has_value() || progress.event.has_value())
      changed.push_back(std::move(progress));
  }
  return changed;
}

void StoredPlace::Take(LogMark mark) {
  if (mark.schemas_json == nullptr && unstored_.has_value())
    mark.schemas_json = std::move(unstored_->schemas_json);
  {
    absl::MutexLock lock(&mutex_);
    view_.whole_until = mark.whole_until;
  }
  unstored_ = std::move(mark);
}

absl::Status StoredPlace::Store() {
  if (std::optional<LogMark> newer = context_->keeper->TakeAcknowledged(); newer.has_value())
    Take(*std::move(newer));
  if (!unstored_.has_value() || context_->clock->Now() < not_before_) return absl::OkStatus();
  LogMark& mark = *unstored_;
  const std::vector<StreamTableProgress> changed = ProgressAt(mark);
  if (SamePlace(mark.position, view().position) && changed.empty() && mark.schemas_json == nullptr) {
    unstored_.reset();
    return absl::OkStatus();
  }
  HAKOBU_CHECK(
      mark.position.epoch >= view().position.epoch,
      "the stored place would go back to an older log: what was delivered since would count as newer",
      kStartAgain);
  mark.position.stored = context_->clock->Now();
  CrashPoint("stream.acknowledged");
  const absl::Status stored = context_->log->StorePosition(
      mark.position, changed,
      mark.schemas_json == nullptr ? std::nullopt : std::optional<std::string>(*mark.schemas_json));
  if (absl::IsResourceExhausted(stored)) {
    not_before_ = context_->clock->Now() + kTryFullDiskEvery;
    return absl::OkStatus();
  }
  HAKOBU_RETURN_IF_ERROR(stored);
  CrashPoint("stream.position_stored");
  {
    absl::MutexLock lock(&mutex_);
    view_.position = std::move(mark.position);
  }
  unstored_.reset();
  for (const StreamTableProgress& progress : changed) {
    StreamTable* table = context_->tables.Find(progress.source);
    HAKOBU_RETURN_IF_ERROR(table->Reload(context_->log));
    if (progress.event.has_value() && table->record().state == StreamTableState::kWhole)
      Log(LogSeverity::kInfo, "table is whole", {{"table", progress.source}});
  }
  return absl::OkStatus();
}

}  // namespace hakobu
