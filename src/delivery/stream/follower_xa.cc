// XA transactions: what is prepared may still be rolled back, so its rows wait for XA COMMIT.
#include <fmt/format.h>

#include "base/log.h"
#include "base/status.h"
#include "delivery/stream/follower.h"

namespace hakobu {

absl::Status Follower::Prepared(const binlog::LogContext& context) {
  if (context.xid.empty()) {
    return absl::DataLossError("a prepared transaction without its id: whether it commits cannot be told");
  }
  Waiting waiting;
  waiting.rows = std::move(xa_);
  waiting.gtid = context.gtid;
  waiting.before = boundary_;
  waiting.before.gtid_set = executed_.Text();
  prepared_.insert_or_assign(context.xid, std::move(waiting));
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
  if (commits) HAKOBU_RETURN_IF_ERROR(CommitPrepared(xid));
  const auto found = prepared_.find(xid);
  if (found != prepared_.end()) {
    executed_.Add(found->second.gtid);
    prepared_.erase(found);
  }
  EndLanes();
  EndedAt(context);
  return true;
}

absl::Status Follower::CommitPrepared(const std::string& xid) {
  const auto found = prepared_.find(xid);
  if (found != prepared_.end()) {
    HeldTransaction* held = found->second.rows.get();
    if (held == nullptr) return absl::OkStatus();
    return held->TakeAll(
        [&](const LogPlace& place, const binlog::TableMap& map, const binlog::RowsEvent& rows) {
          return TakeRows(held->context(), place, map, rows, /*late=*/true);
        });
  }
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
