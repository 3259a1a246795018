#include "ledger/grant_log.h"

#include "absl/synchronization/mutex.h"
#include "base/status.h"
#include "ledger/ledger.h"
#include "ledger/sqlite.h"

namespace hakobu {
namespace {

constexpr char kTargetColumns[] =
    "SELECT t.apply_id, t.target, t.outcome, t.etag_before, t.etag_after, t.entries_json, t.error "
    "FROM grant_targets t WHERE t.apply_id = ?1 ORDER BY t.target";
constexpr char kBaselines[] =
    "SELECT t.apply_id, t.target, t.outcome, t.etag_before, t.etag_after, t.entries_json, t.error "
    "FROM grant_targets t JOIN grant_applies a ON a.id = t.apply_id "
    "WHERE a.project = ?1 AND t.outcome <> 'failed' ORDER BY t.apply_id";

GrantTargetRecord TargetOf(const SqliteRows& rows) {
  return {rows.Integer(0), rows.Text(1), rows.Text(2), rows.Text(3),
          rows.Text(4),    rows.Text(5), rows.Text(6)};
}

class SqliteGrantLog : public GrantLog {
 public:
  explicit SqliteGrantLog(std::unique_ptr<Sqlite> sqlite) : sqlite_(std::move(sqlite)) {}

  absl::StatusOr<int64_t> StartApply(const GrantApplyRecord& apply,
                                     const std::map<std::string, std::vector<std::string>>& stated) override {
    absl::MutexLock lock(&mutex_);
    HAKOBU_ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(sqlite_.get()));
    int64_t id = 0;
    {
      HAKOBU_ASSIGN_OR_RETURN(SqliteRows rows,
                              sqlite_->Prepare("SELECT coalesce(max(id), 0) + 1 FROM grant_applies"));
      HAKOBU_RETURN_IF_ERROR(rows.Next().status());
      id = rows.Integer(0);
    }
    {
      HAKOBU_ASSIGN_OR_RETURN(SqliteRows rows,
                              sqlite_->Prepare("INSERT INTO grant_applies VALUES "
                                               "(?1, ?2, NULL, ?3, ?4, ?5, ?6, 'running', ?7, '')"));
      rows.Bind(1, id)
          .Bind(2, absl::ToUnixMicros(apply.started))
          .Bind(3, apply.project)
          .Bind(4, apply.caller);
      rows.Bind(5, apply.reason).Bind(6, apply.commit).Bind(7, apply.plan_json);
      HAKOBU_RETURN_IF_ERROR(rows.Run());
    }
    for (const auto& [target, keys] : stated) {
      for (const std::string& key : keys) {
        HAKOBU_ASSIGN_OR_RETURN(
            SqliteRows rows, sqlite_->Prepare("INSERT OR IGNORE INTO grant_managed VALUES (?1, ?2, ?3, ?4)"));
        HAKOBU_RETURN_IF_ERROR(rows.Bind(1, apply.project).Bind(2, target).Bind(3, key).Bind(4, id).Run());
      }
    }
    HAKOBU_RETURN_IF_ERROR(transaction.Commit());
    return id;
  }

  absl::Status RecordTarget(const GrantTargetRecord& record,
                            const std::vector<std::string>& released) override {
    absl::MutexLock lock(&mutex_);
    HAKOBU_ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(sqlite_.get()));
    {
      HAKOBU_ASSIGN_OR_RETURN(
          SqliteRows rows,
          sqlite_->Prepare("INSERT OR REPLACE INTO grant_targets VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"));
      rows.Bind(1, record.apply_id)
          .Bind(2, record.target)
          .Bind(3, record.outcome)
          .Bind(4, record.etag_before);
      rows.Bind(5, record.etag_after).Bind(6, record.entries_json).Bind(7, record.error);
      HAKOBU_RETURN_IF_ERROR(rows.Run());
    }
    for (const std::string& key : released) {
      HAKOBU_ASSIGN_OR_RETURN(
          SqliteRows rows,
          sqlite_->Prepare("DELETE FROM grant_managed WHERE target = ?2 AND grant_key = ?3 AND project = "
                           "(SELECT project FROM grant_applies WHERE id = ?1)"));
      HAKOBU_RETURN_IF_ERROR(rows.Bind(1, record.apply_id).Bind(2, record.target).Bind(3, key).Run());
    }
    return transaction.Commit();
  }

  absl::Status FinishApply(int64_t id, absl::Time finished, const std::string& state,
                           const std::string& error) override {
    absl::MutexLock lock(&mutex_);
    HAKOBU_ASSIGN_OR_RETURN(
        SqliteRows rows,
        sqlite_->Prepare("UPDATE grant_applies SET finished_us = ?2, state = ?3, error = ?4 WHERE id = ?1"));
    return rows.Bind(1, id).Bind(2, absl::ToUnixMicros(finished)).Bind(3, state).Bind(4, error).Run();
  }

  absl::StatusOr<std::vector<GrantApplyRecord>> Applies(const std::string& project, size_t newest) override {
    absl::MutexLock lock(&mutex_);
    HAKOBU_ASSIGN_OR_RETURN(
        SqliteRows rows,
        sqlite_->Prepare(
            "SELECT id, started_us, finished_us, project, caller, reason, commit_id, state, plan_json, error "
            "FROM grant_applies WHERE project = ?1 ORDER BY id DESC LIMIT ?2"));
    rows.Bind(1, project).Bind(2, static_cast<uint64_t>(newest));
    std::vector<GrantApplyRecord> applies;
    while (true) {
      HAKOBU_ASSIGN_OR_RETURN(const bool more, rows.Next());
      if (!more) return applies;
      applies.push_back({rows.Integer(0), absl::FromUnixMicros(rows.Integer(1)),
                         rows.IsNull(2) ? absl::InfinitePast() : absl::FromUnixMicros(rows.Integer(2)),
                         rows.Text(3), rows.Text(4), rows.Text(5), rows.Text(6), rows.Text(7), rows.Text(8),
                         rows.Text(9)});
    }
  }

  absl::StatusOr<std::vector<GrantTargetRecord>> Targets(int64_t apply_id) override {
    absl::MutexLock lock(&mutex_);
    HAKOBU_ASSIGN_OR_RETURN(SqliteRows rows, sqlite_->Prepare(kTargetColumns));
    rows.Bind(1, apply_id);
    std::vector<GrantTargetRecord> targets;
    while (true) {
      HAKOBU_ASSIGN_OR_RETURN(const bool more, rows.Next());
      if (!more) return targets;
      targets.push_back(TargetOf(rows));
    }
  }

  absl::StatusOr<std::map<std::string, std::map<std::string, int64_t>>> Managed(
      const std::string& project) override {
    absl::MutexLock lock(&mutex_);
    HAKOBU_ASSIGN_OR_RETURN(
        SqliteRows rows,
        sqlite_->Prepare("SELECT target, grant_key, apply_id FROM grant_managed WHERE project = ?1"));
    rows.Bind(1, project);
    std::map<std::string, std::map<std::string, int64_t>> managed;
    while (true) {
      HAKOBU_ASSIGN_OR_RETURN(const bool more, rows.Next());
      if (!more) return managed;
      managed[rows.Text(0)][rows.Text(1)] = rows.Integer(2);
    }
  }

  absl::StatusOr<std::map<std::string, GrantTargetRecord>> Baselines(const std::string& project) override {
    absl::MutexLock lock(&mutex_);
    HAKOBU_ASSIGN_OR_RETURN(SqliteRows rows, sqlite_->Prepare(kBaselines));
    rows.Bind(1, project);
    std::map<std::string, GrantTargetRecord> baselines;
    while (true) {
      HAKOBU_ASSIGN_OR_RETURN(const bool more, rows.Next());
      if (!more) return baselines;
      GrantTargetRecord record = TargetOf(rows);
      baselines[record.target] = std::move(record);
    }
  }

 private:
  absl::Mutex mutex_;
  std::unique_ptr<Sqlite> sqlite_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

absl::StatusOr<std::unique_ptr<GrantLog>> GrantLog::Open(const std::string& path) {
  // The ledger makes and upgrades its file.
  HAKOBU_RETURN_IF_ERROR(Ledger::Open(path).status());
  HAKOBU_ASSIGN_OR_RETURN(std::unique_ptr<Sqlite> sqlite, Sqlite::Open(path));
  return std::make_unique<SqliteGrantLog>(std::move(sqlite));
}

}  // namespace hakobu
