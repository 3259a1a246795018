// What the stream's threads share.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/check.h"
#include "base/status.h"
#include "delivery/move/source_lease.h"
#include "delivery/session.h"
#include "delivery/stream/lane_schema.h"
#include "delivery/stream/position_keeper.h"
#include "delivery/stream/prepared_watch.h"
#include "delivery/stream/sender.h"
#include "delivery/stream/stream.h"
#include "delivery/stream/table_contract.h"
#include "delivery/stream/targets.h"
#include "log/sequence.h"

namespace hakobu {

// One table of the stream, over its whole life. Thread-safe.
class StreamTable {
 public:
  StreamTable(size_t lane, std::string table, TableOptions table_options)
      : id(lane), name(std::move(table)), options(std::move(table_options)) {
    record_.source = name;  // a table that is stopped before it could begin has a name, too
  }

  const size_t id;  // its lane
  const std::string name;
  const TableOptions options;  // the configuration's own

  // Counted by the log's thread and by the copy's.
  std::atomic<uint64_t> inserts{0}, updates{0}, deletes{0}, bytes{0}, quarantined{0};
  // Whether changes of the log go to BigQuery.
  std::atomic<bool> delivered{false};
  // While the target is being changed by the stream itself, and how often it was (TargetChange).
  std::atomic<int> target_changing{0};
  std::atomic<uint64_t> target_changes{0};
  // A copy that is under way ends, as the table changes in a way it cannot go on with.
  std::atomic<bool> cancel_copy{false};

  StreamTableRecord record() const {
    absl::MutexLock lock(&mutex_);
    return record_;
  }
  // The options that it is delivered by: a history that the table has stays one, and a column that BigQuery
  // has in a wider type is delivered in that one.
  TableOptions options_now() const {
    absl::MutexLock lock(&mutex_);
    TableOptions now = options;
    now.history = now.history || keeps_history_;
    for (const auto& [column, as] : deliver_as_) DecideType(column, as, &now);
    return now;
  }
  void KeepHistory() {
    absl::MutexLock lock(&mutex_);
    keeps_history_ = true;
  }
  void DeliverAs(const std::map<std::string, std::string>& types) {
    absl::MutexLock lock(&mutex_);
    for (const auto& [column, as] : types) deliver_as_[column] = as;
  }
  std::shared_ptr<const LaneSchema> schema() const {
    absl::MutexLock lock(&mutex_);
    return schema_;
  }
  void SetSchema(std::shared_ptr<const LaneSchema> schema) {
    absl::MutexLock lock(&mutex_);
    schema_ = std::move(schema);
  }
  void SetRecord(StreamTableRecord record) {
    absl::MutexLock lock(&mutex_);
    record_ = std::move(record);
  }
  // Why the table can differ from its source although all of the log has been delivered; empty: it cannot.
  // Said wherever it is called whole.
  std::string caveat() const {
    absl::MutexLock lock(&mutex_);
    return caveat_;
  }
  void SetCaveat(std::string caveat) {
    absl::MutexLock lock(&mutex_);
    caveat_ = std::move(caveat);
  }
  // Takes the record as the ledger holds it: others than this table's threads write it, too.
  absl::Status Reload(StreamBook* log) {
    const absl::MutexLock storing(&storing_);
    HAKOBU_ASSIGN_OR_RETURN(const std::optional<StreamTableRecord> found, log->Find(name));
    if (found.has_value()) SetRecord(*found);
    return absl::OkStatus();
  }
  // Takes the table to the state that follows on `event`, with what `change` makes of the rest; durable when
  // it returns. FailedPrecondition, and nothing is changed, when the event does not follow.
  absl::Status Advance(StreamBook* log, StreamTableEvent event,
                       absl::FunctionRef<void(StreamTableRecord*)> change) {
    const absl::MutexLock storing(&storing_);
    HAKOBU_ASSIGN_OR_RETURN(StreamTableRecord next, log->Advance(name, event, change));
    absl::MutexLock lock(&mutex_);
    record_ = std::move(next);
    const bool ended =
        record_.state == StreamTableState::kStopped || record_.state == StreamTableState::kDropped;
    if (ended) delivered = false;
    return absl::OkStatus();
  }
  // Changes the rest of the record and makes it durable.
  absl::Status Store(StreamBook* log, absl::FunctionRef<void(StreamTableRecord*)> change) {
    const absl::MutexLock storing(&storing_);
    HAKOBU_ASSIGN_OR_RETURN(StreamTableRecord next, log->Change(name, change));
    SetRecord(std::move(next));
    return absl::OkStatus();
  }
  // The chunks of the copy that is under way, made durable: false, and nothing is, when it is not any more.
  absl::StatusOr<bool> PlanCopy(StreamBook* log, const std::vector<StreamChunkRecord>& chunks) {
    const absl::MutexLock storing(&storing_);
    const absl::Status planned = log->PlanCopy(name, record().copy_sequence, chunks);
    if (absl::IsFailedPrecondition(planned)) return false;
    HAKOBU_RETURN_IF_ERROR(planned);
    absl::MutexLock lock(&mutex_);
    record_.chunks = chunks.size();
    record_.chunks_done = 0;
    return true;
  }
  // Changes of the log go to BigQuery from now on; not when it was stopped meanwhile.
  void BeginDelivery() {
    absl::MutexLock lock(&mutex_);
    delivered = IsDelivered(record_.state);
  }
  bool stopped() const { return record().state == StreamTableState::kStopped; }

 private:
  // One change of the record at a time, and nothing else waits for it: a ledger may be long in answering.
  // Taken before the other one.
  absl::Mutex storing_;
  mutable absl::Mutex mutex_;
  StreamTableRecord record_ ABSL_GUARDED_BY(mutex_);
  std::string caveat_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<const LaneSchema> schema_ ABSL_GUARDED_BY(mutex_);
  bool keeps_history_ ABSL_GUARDED_BY(mutex_) = false;
  std::map<std::string, std::string> deliver_as_ ABSL_GUARDED_BY(mutex_);  // the source's column to `as:`
};

// While one lives, what the target looks like is the stream's own doing.
class TargetChange {
 public:
  explicit TargetChange(StreamTable* table) : table_(table) { ++table_->target_changing; }
  ~TargetChange() {
    ++table_->target_changes;
    const int changing = table_->target_changing--;
    HAKOBU_CHECK(changing > 0, "a change of a target ends that did not begin", kStartAgain);
  }
  TargetChange(const TargetChange&) = delete;
  TargetChange& operator=(const TargetChange&) = delete;

 private:
  StreamTable* table_;
};

// Tables come (CREATE TABLE while the stream runs) and stay. Thread-safe; pointers stay valid.
class StreamTables {
 public:
  StreamTable* Add(std::string name, TableOptions options) {
    absl::MutexLock lock(&mutex_);
    HAKOBU_CHECK(!by_name_.contains(name), "two lanes would deliver one table", kStartAgain);
    tables_.push_back(std::make_unique<StreamTable>(tables_.size(), name, std::move(options)));
    by_name_[std::move(name)] = tables_.back().get();
    return tables_.back().get();
  }
  StreamTable* Find(std::string_view name) const {
    absl::MutexLock lock(&mutex_);
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? nullptr : found->second;
  }
  StreamTable* At(size_t id) const {
    absl::MutexLock lock(&mutex_);
    HAKOBU_CHECK(id < tables_.size(), "a lane belongs to no table", kStartAgain);
    return tables_[id].get();
  }
  std::vector<StreamTable*> all() const {
    absl::MutexLock lock(&mutex_);
    std::vector<StreamTable*> tables;
    for (const auto& table : tables_) tables.push_back(table.get());
    return tables;
  }

 private:
  mutable absl::Mutex mutex_;
  std::vector<std::unique_ptr<StreamTable>> tables_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, StreamTable*, std::less<>> by_name_ ABSL_GUARDED_BY(mutex_);
};

class Copier;
class DdlHistory;
class OutageWatch;  // delivery/outage/watch.h
class TableWatch;

struct StreamContext : DeliverySession {
  StreamOptions options;
  // `stop`: read no more, deliver what was read. `abandon`: end now. Both are set by the stream itself.
  Cancellation stop;
  Cancellation abandon;
  StreamBook* log = nullptr;  // of the ledger
  PositionKeeper* keeper = nullptr;
  Copier* copier = nullptr;
  DdlHistory* ddl_history = nullptr;  // null: none is wanted
  OutageWatch* outages = nullptr;
  TableWatch* table_watch = nullptr;
  std::vector<std::unique_ptr<Sender>>* senders = nullptr;
  StreamTables tables;
  OpenConnections connections;
  SourceAccess source(OpenConnections* of) {
    return {.connect = &connect, .cancel = &stop, .connections = of, .load = nullptr};
  }
  PreparedWatch prepared;
  std::atomic<int64_t> epoch{0};  // of what is read now

  // How far the log has been followed, whole transactions only.
  void SetFollowed(const ChangeSequence& place) {
    absl::MutexLock lock(&mutex_);
    followed_ = place;
  }
  ChangeSequence followed() const {
    absl::MutexLock lock(&mutex_);
    return followed_;
  }
  Sender* SenderOf(const StreamTable& table) const {
    HAKOBU_CHECK(senders != nullptr && !senders->empty(), "a table has nobody to send its changes",
                 kStartAgain);
    return (*senders)[table.id % senders->size()].get();
  }

  // What the table's contract says to `schema`, which is how it is wanted now; columns that BigQuery has in
  // wider types are wanted so afterwards.
  absl::StatusOr<ContractCase> AskContractOf(StreamTable* table, LaneSchema* schema,
                                             ContractOccasion occasion,
                                             std::map<std::string, std::string> renamed = {},
                                             std::function<absl::StatusOr<bool>()> source_is_empty = nullptr);
  // Two tables never share a target: InvalidArgument when another one of the stream has it.
  absl::Status CheckTarget(const StreamTable& table, const TableName& target) const;

  // The first failure that ends the stream; sets `stop` and `abandon`.
  void Fail(const absl::Status& status);
  absl::Status failure() const {
    absl::MutexLock lock(&mutex_);
    return failure_;
  }
  // The table is not delivered any more: durable, then logged.
  void StopTable(StreamTable* table, const absl::Status& why);

 private:
  mutable absl::Mutex mutex_;
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
  ChangeSequence followed_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hakobu
