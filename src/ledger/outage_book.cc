#include "ledger/outage_book.h"

#include "base/status.h"

namespace hakobu {
namespace {

const RecordTable<OutageRecord>& OutageRows() {
  using R = OutageRecord;
  static const auto* const table = new RecordTable<R>(
      "outages", {}, 2,
      {ColumnOf<&R::command>("command"), ColumnOf<&R::subject>("subject"), ColumnOf<&R::since>("since_us"),
       ColumnOf<&R::tried>("tried_us"), ColumnOf<&R::failures>("failures"), ColumnOf<&R::work>("work"),
       ColumnOf<&R::error>("error"), ColumnOf<&R::doing>("doing"), ColumnOf<&R::ended>("ended_us")});
  return *table;
}

}  // namespace

absl::Status OutageBook::Store(const OutageRecord& outage) {
  Session session(file_);
  HAKOBU_RETURN_IF_ERROR(session.Begin());
  HAKOBU_RETURN_IF_ERROR(session.Put(OutageRows(), outage));
  return session.Commit();
}

absl::Status OutageBook::EndAll(const std::string& command, absl::Time now) {
  return Session(file_).Run("UPDATE outages SET ended_us = ? WHERE command = ? AND ended_us = 0", now,
                            command);
}

absl::StatusOr<std::vector<OutageRecord>> OutageBook::All() {
  return Session(file_).Read(OutageRows(), "ORDER BY since_us DESC, command, subject");
}

}  // namespace hakobu
