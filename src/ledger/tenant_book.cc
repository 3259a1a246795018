#include "ledger/tenant_book.h"

#include "base/status.h"

namespace hakobu {
namespace {

const RecordTable<TenantRecord>& TenantRows() {
  using R = TenantRecord;
  static const auto* const table =
      new RecordTable<R>("tenants", {}, 1,
                         {ColumnOf<&R::id>("id"), ColumnOf<&R::state>("state"),
                          ColumnOf<&R::reason>("reason"), ColumnOf<&R::since>("since_us"),
                          ColumnOf<&R::delivered>("delivered_us"), ColumnOf<&R::run_id>("run_id")});
  return *table;
}

const RecordTable<ScanRecord>& ScanRows() {
  using R = ScanRecord;
  static const auto* const table =
      new RecordTable<R>("scans", {}, 2,
                         {ColumnOf<&R::run_id>("run_id"), ColumnOf<&R::source>("source"),
                          ColumnOf<&R::scanned>("scanned"), ColumnOf<&R::handed_out>("handed_out"),
                          ColumnOf<&R::null_rows>("null_rows"), ColumnOf<&R::unknown_rows>("unknown_rows"),
                          ColumnOf<&R::elsewhere>("elsewhere"), ColumnOf<&R::values_json>("values_json")});
  return *table;
}

}  // namespace

absl::Status TenantBook::Note(const std::string& id, const std::string& run_id, TenantState state,
                              const std::string& reason, absl::Time began) {
  Session session(file_);
  HAKOBU_RETURN_IF_ERROR(session.Begin());
  HAKOBU_ASSIGN_OR_RETURN(const std::optional<TenantRecord> known,
                          session.ReadFirst(TenantRows(), "WHERE id = ?", id));
  TenantRecord record{.id = id,
                      .state = state,
                      .reason = reason,
                      .since = began,
                      .delivered = state == TenantState::kDelivered ? began : absl::InfinitePast(),
                      .run_id = run_id};
  if (known.has_value() && known->state == state) record.since = known->since;
  if (known.has_value() && state == TenantState::kParked) record.delivered = known->delivered;
  HAKOBU_RETURN_IF_ERROR(session.Put(TenantRows(), record));
  return session.Commit();
}

absl::StatusOr<std::optional<TenantRecord>> TenantBook::Find(const std::string& id) {
  return Session(file_).ReadFirst(TenantRows(), "WHERE id = ?", id);
}

absl::StatusOr<std::vector<TenantRecord>> TenantBook::All() {
  return Session(file_).Read(TenantRows(), "ORDER BY id");
}

absl::Status TenantBook::KeepScan(const ScanRecord& record) {
  return Session(file_).Put(ScanRows(), record);
}

absl::StatusOr<std::vector<ScanRecord>> TenantBook::Scans(const std::string& run_id) {
  return Session(file_).Read(ScanRows(), "WHERE run_id = ? ORDER BY source", run_id);
}

}  // namespace hakobu
