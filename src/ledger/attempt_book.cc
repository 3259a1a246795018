#include "ledger/attempt_book.h"

#include <algorithm>

#include "base/status.h"

namespace hakobu {
namespace {

const RecordTable<AttemptRecord>& AttemptRows() {
  using R = AttemptRecord;
  static const auto* const table = new RecordTable<R>(
      "attempts", {}, 1,
      {ColumnOf<&R::number>("number"), ColumnOf<&R::command>("command"), ColumnOf<&R::pid>("pid"),
       ColumnOf<&R::began>("began_us"), ColumnOf<&R::ended>("ended_us"), ColumnOf<&R::exit_code>("exit_code"),
       ColumnOf<&R::error>("error")});
  return *table;
}

}  // namespace

absl::StatusOr<uint64_t> AttemptBook::Begin(const AttemptRecord& attempt) {
  Session session(file_);
  HAKOBU_RETURN_IF_ERROR(session.Begin());
  HAKOBU_ASSIGN_OR_RETURN(const std::optional<uint64_t> last,
                          session.ReadValueOf<uint64_t>("SELECT MAX(number) FROM attempts"));
  AttemptRecord record = attempt;
  record.number = last.value_or(0) + 1;
  HAKOBU_RETURN_IF_ERROR(session.Insert(AttemptRows(), record));
  HAKOBU_RETURN_IF_ERROR(
      session.Run("DELETE FROM attempts WHERE number <= ?", record.number - std::min(record.number, kKept)));
  HAKOBU_RETURN_IF_ERROR(session.Commit());
  return record.number;
}

absl::Status AttemptBook::End(uint64_t number, absl::Time ended, int exit_code, const std::string& error) {
  return Session(file_).Run("UPDATE attempts SET ended_us = ?, exit_code = ?, error = ? WHERE number = ?",
                            ended, static_cast<int64_t>(exit_code), error, number);
}

absl::StatusOr<std::vector<AttemptRecord>> AttemptBook::Newest(size_t count) {
  return Session(file_).Read(AttemptRows(), "ORDER BY number DESC LIMIT ?", static_cast<uint64_t>(count));
}

}  // namespace hakobu
