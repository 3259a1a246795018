// Rows that wait: what is prepared may still be rolled back at XA ROLLBACK, and what comes behind a savepoint
// by ROLLBACK TO.
#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "base/status.h"
#include "delivery/stream/follower.h"

namespace hakobu {
namespace {

constexpr size_t kMostCommitted = 1000;

}  // namespace

bool Follower::TakeSavepoint(const binlog::LogStatement& statement) {
  if (!in_transaction_) return false;
  const std::optional<ddl::SavepointStatement> savepoint = schemas_->ReadSavepoint(statement);
  if (!savepoint.has_value()) return false;
  if (!savepoint->rolls_back) {
    if (held_ == nullptr) held_ = std::make_unique<HeldTransaction>();
    held_->SetSavepoint(savepoint->name);
  } else if (held_ == nullptr || !held_->RollBackTo(savepoint->name)) {
    undone_unseen_ = true;
  }
  return true;
}

absl::Status Follower::TakeHeld(const binlog::LogContext& context) {
  const std::unique_ptr<HeldTransaction> held = std::move(held_);
  if (held == nullptr) return absl::OkStatus();
  return held->TakeAll([&](const ChangeSequence& place, const binlog::TableMap& map,
                           const binlog::RowsEvent& rows) { return TakeRows(context, place, map, rows); });
}

absl::Status Follower::Prepared(const binlog::LogContext& context) {
  if (context.xid.empty()) {
    return absl::DataLossError("a prepared transaction without its id: whether it commits cannot be told");
  }
  Waiting waiting;
  waiting.rows = std::move(held_);
  waiting.gtid = context.gtid;
  waiting.before = boundary_;
  waiting.before.gtid_set = executed_.Text();
  waiting.prepared = absl::FromUnixSeconds(context.timestamp);
  context_->prepared.SetWaiting(true);
  prepared_.insert_or_assign(context.xid, std::move(waiting));
  std::erase_if(committed_, [&](const CommittedXa& before) { return before.xid == context.xid; });
  EndLanes();
  // All that EndedAt does, but that the transaction counts as seen.
  binlog::LogContext unseen = context;
  unseen.gtid.clear();
  EndedAt(unseen);
  return absl::OkStatus();
}

absl::StatusOr<bool> Follower::EndPrepared(const binlog::LogContext& context, std::string_view statement) {
  constexpr std::string_view kCommit = "XA COMMIT ", kRollback = "XA ROLLBACK ";
  const bool commits = statement.starts_with(kCommit);
  if (!commits && !statement.starts_with(kRollback)) return false;
  const std::string xid(statement.substr(commits ? kCommit.size() : kRollback.size()));
  executed_.Add(context.gtid);
  const auto found = prepared_.find(xid);
  if (found != prepared_.end()) {
    if (commits) {
      HAKOBU_RETURN_IF_ERROR(CommitPrepared(context, &found->second));
      committed_.push_back({xid, touched_});
      if (committed_.size() > kMostCommitted) committed_.pop_front();
    }
    executed_.Add(found->second.gtid);
    prepared_.erase(found);
  } else {
    HAKOBU_RETURN_IF_ERROR(EndUnprepared(context, xid, commits));
  }
  EndLanes();
  EndedAt(context);
  return true;
}

void Follower::DropLostPrepared() {
  const size_t dropped = std::erase_if(prepared_, [&](const auto& waiting) {
    const auto& [xid, transaction] = waiting;
    if (!context_->prepared.IsLost(xid, transaction.prepared, boundary_)) return false;
    Log(LogSeverity::kWarning,
        "a prepared transaction is in the source's log only: a crash took it, and it will never end",
        {{"xid", xid}});
    return true;
  });
  moved_ = moved_ || dropped > 0;
  context_->prepared.SetWaiting(!prepared_.empty());
}

// The rows' places are behind XA COMMIT's: nobody else could change them since they were prepared, but a copy
// may have read what they were before.
absl::Status Follower::CommitPrepared(const binlog::LogContext& context, Waiting* waiting) {
  HeldTransaction* held = waiting->rows.get();
  if (held == nullptr) return absl::OkStatus();
  ChangeSequence at = PlaceOf(context);
  return held->TakeAll(
      [&](const ChangeSequence&, const binlog::TableMap& map, const binlog::RowsEvent& rows) {
        const absl::Status taken = TakeRows(held->context(), at, map, rows);
        at.row += uint64_t{1} << 32;
        return taken;
      });
}

absl::Status Follower::EndUnprepared(const binlog::LogContext& context, const std::string& xid,
                                     bool commits) {
  const auto before = std::find_if(committed_.begin(), committed_.end(),
                                   [&](const CommittedXa& each) { return each.xid == xid; });
  if (before != committed_.end()) {
    // MariaDB's XA COMMIT is in the log before it is in the tables (MDEV-21469): after a crash between the
    // two the transaction is prepared still, and ends once more as its application decides then.
    if (commits) return absl::OkStatus();
    const std::vector<StreamTable*> touched = std::move(before->touched);
    committed_.erase(before);
    boundary_.file = context.file;  // what begins anew begins behind the statement
    boundary_.offset = context.next_position;
    for (StreamTable* table : touched) {
      HAKOBU_RETURN_IF_ERROR(ChangedUnseen(
          table,
          fmt::format("the source crashed between XA COMMIT and its tables, and rolled {} back", xid)));
    }
    return absl::OkStatus();
  }
  if (!commits) return absl::OkStatus();
  // It was prepared before the stream's first place: which rows it changed, only the tables themselves can
  // tell.
  Log(LogSeverity::kWarning,
      "a transaction commits that was prepared before the stream began; tables are copied again",
      {{"xid", xid}});
  for (StreamTable* table : context_->tables.all()) {
    if (!table->delivered || !LaneOf(table)->schema()->changes_by_key()) continue;
    HAKOBU_RETURN_IF_ERROR(CopyAgain(table));
  }
  return absl::OkStatus();
}

}  // namespace hakobu
