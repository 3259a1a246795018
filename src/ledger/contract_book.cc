#include "ledger/contract_book.h"

#include "base/status.h"

namespace hakobu {
namespace {

const RecordTable<ContractRecord>& Contracts() {
  using R = ContractRecord;
  static const auto* const table =
      new RecordTable<R>("contracts", {}, 1,
                         {ColumnOf<&R::target>("target"), ColumnOf<&R::source>("source"),
                          ColumnOf<&R::contract_json>("contract_json"), ColumnOf<&R::sweep>("sweep"),
                          ColumnOf<&R::stored>("stored_us")});
  return *table;
}

constexpr char kOfTarget[] = "WHERE target = ?";

}  // namespace

absl::StatusOr<std::optional<ContractRecord>> ContractBook::Find(const std::string& target) {
  return Session(file_).ReadFirst(Contracts(), kOfTarget, target);
}

absl::StatusOr<std::vector<ContractRecord>> ContractBook::All() {
  return Session(file_).Read(Contracts(), "ORDER BY target");
}

absl::Status ContractBook::Store(const ContractRecord& record) {
  Session session(file_);
  HAKOBU_RETURN_IF_ERROR(session.Begin());
  HAKOBU_RETURN_IF_ERROR(session.Put(Contracts(), record));
  return session.Commit();
}

absl::Status ContractBook::StoreButSweep(ContractRecord record) {
  Session session(file_);
  HAKOBU_RETURN_IF_ERROR(session.Begin());
  HAKOBU_ASSIGN_OR_RETURN(const std::optional<ContractRecord> before,
                          session.ReadFirst(Contracts(), kOfTarget, record.target));
  record.sweep = before.has_value() && before->sweep;
  HAKOBU_RETURN_IF_ERROR(session.Put(Contracts(), record));
  return session.Commit();
}

absl::Status ContractBook::BeginSweep(const std::string& target) {
  return Session(file_).Run("UPDATE contracts SET sweep = 1 WHERE target = ?", target);
}

absl::Status ContractBook::EndSweep(const std::string& target) {
  return Session(file_).Run("UPDATE contracts SET sweep = 0 WHERE target = ?", target);
}

}  // namespace hakobu
