#include "ledger/grant_book.h"

#include "base/status.h"

namespace hakobu {
namespace {

const RecordTable<GrantApplyRecord>& ApplyRows() {
  using R = GrantApplyRecord;
  static const auto* const table = new RecordTable<R>(
      "grant_applies", {}, 1,
      {ColumnOf<&R::id>("id"), ColumnOf<&R::started>("started_us"), ColumnOf<&R::finished>("finished_us"),
       ColumnOf<&R::project>("project"), ColumnOf<&R::caller>("caller"), ColumnOf<&R::reason>("reason"),
       ColumnOf<&R::commit>("commit_id"), ColumnOf<&R::state>("state"), ColumnOf<&R::plan_json>("plan_json"),
       ColumnOf<&R::error>("error")});
  return *table;
}

const RecordTable<GrantTargetRecord>& GrantTargetRows() {
  using R = GrantTargetRecord;
  static const auto* const table = new RecordTable<R>(
      "grant_targets", {}, 2,
      {ColumnOf<&R::apply_id>("apply_id"), ColumnOf<&R::target>("target"), ColumnOf<&R::outcome>("outcome"),
       ColumnOf<&R::etag_before>("etag_before"), ColumnOf<&R::etag_after>("etag_after"),
       ColumnOf<&R::entries_json>("entries_json"), ColumnOf<&R::error>("error")});
  return *table;
}

}  // namespace

absl::StatusOr<int64_t> GrantBook::StartApply(const GrantApplyRecord& apply,
                                              const std::map<std::string, std::vector<std::string>>& stated) {
  Session session(file_);
  HAKOBU_RETURN_IF_ERROR(session.Begin());
  HAKOBU_ASSIGN_OR_RETURN(const std::optional<int64_t> id,
                          session.ReadValueOf<int64_t>("SELECT coalesce(max(id), 0) + 1 FROM grant_applies"));
  GrantApplyRecord begun = apply;
  begun.id = id.value_or(1);
  begun.finished = absl::InfinitePast();
  begun.state = "running";
  begun.error.clear();
  HAKOBU_RETURN_IF_ERROR(session.Insert(ApplyRows(), begun));
  for (const auto& [target, keys] : stated) {
    for (const std::string& key : keys) {
      // Whoever made a grant its own keeps it.
      HAKOBU_RETURN_IF_ERROR(
          session.Run("INSERT INTO grant_managed (project, target, grant_key, apply_id) SELECT ?, ?, ?, id "
                      "FROM grant_applies WHERE id = ? AND NOT EXISTS (SELECT 1 FROM grant_managed m "
                      "WHERE m.project = ? AND m.target = ? AND m.grant_key = ?)",
                      apply.project, target, key, begun.id, apply.project, target, key));
    }
  }
  HAKOBU_RETURN_IF_ERROR(session.Commit());
  return begun.id;
}

absl::Status GrantBook::RecordTarget(const GrantTargetRecord& record,
                                     const std::vector<std::string>& released) {
  Session session(file_);
  HAKOBU_RETURN_IF_ERROR(session.Begin());
  HAKOBU_RETURN_IF_ERROR(session.Put(GrantTargetRows(), record));
  for (const std::string& key : released) {
    HAKOBU_RETURN_IF_ERROR(
        session.Run("DELETE FROM grant_managed WHERE target = ? AND grant_key = ? AND project = "
                    "(SELECT project FROM grant_applies WHERE id = ?)",
                    record.target, key, record.apply_id));
  }
  return session.Commit();
}

absl::Status GrantBook::FinishApply(int64_t id, absl::Time finished, const std::string& state,
                                    const std::string& error) {
  return Session(file_).Run("UPDATE grant_applies SET finished_us = ?, state = ?, error = ? WHERE id = ?",
                            finished, state, error, id);
}

absl::StatusOr<std::vector<GrantApplyRecord>> GrantBook::Applies(const std::string& project, size_t newest) {
  return Session(file_).Read(ApplyRows(), "WHERE project = ? ORDER BY id DESC LIMIT ?", project,
                             static_cast<uint64_t>(newest));
}

absl::StatusOr<std::vector<GrantTargetRecord>> GrantBook::Targets(int64_t apply_id) {
  return Session(file_).Read(GrantTargetRows(), "WHERE apply_id = ? ORDER BY target", apply_id);
}

absl::StatusOr<std::map<std::string, std::map<std::string, int64_t>>> GrantBook::Managed(
    const std::string& project) {
  std::map<std::string, std::map<std::string, int64_t>> managed;
  HAKOBU_RETURN_IF_ERROR(Session(file_).ForEach(
      "SELECT target, grant_key, apply_id FROM grant_managed WHERE project = ?",
      [&](const SqliteRows& rows) { managed[rows.Text(0)][rows.Text(1)] = rows.Integer(2); }, project));
  return managed;
}

absl::StatusOr<std::map<std::string, GrantTargetRecord>> GrantBook::Baselines(const std::string& project) {
  HAKOBU_ASSIGN_OR_RETURN(
      std::vector<GrantTargetRecord> records,
      Session(file_).Read(GrantTargetRows(),
                          "WHERE outcome <> 'failed' AND apply_id IN "
                          "(SELECT id FROM grant_applies WHERE project = ?) ORDER BY apply_id",
                          project));
  std::map<std::string, GrantTargetRecord> baselines;
  for (GrantTargetRecord& record : records) baselines[record.target] = std::move(record);
  return baselines;
}

}  // namespace hakobu
