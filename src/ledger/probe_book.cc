#include "ledger/probe_book.h"

#include "base/status.h"

namespace hakobu {
namespace {

const RecordTable<ProbeRecord>& ProbeRows() {
  using R = ProbeRecord;
  static const auto* const table =
      new RecordTable<R>("probe_answers", {}, 3,
                         {ColumnOf<&R::project>("project"), ColumnOf<&R::location>("location"),
                          ColumnOf<&R::question>("question"), ColumnOf<&R::answer>("answer"),
                          ColumnOf<&R::seen>("seen"), ColumnOf<&R::asked>("asked_us")});
  return *table;
}

}  // namespace

absl::Status ProbeBook::Keep(const ProbeRecord& record) {
  return Session(file_).Put(ProbeRows(), record);
}

absl::StatusOr<std::optional<ProbeRecord>> ProbeBook::Find(const std::string& project,
                                                           const std::string& location,
                                                           const std::string& question) {
  return Session(file_).ReadFirst(ProbeRows(), "WHERE project = ? AND location = ? AND question = ?", project,
                                  location, question);
}

absl::StatusOr<std::vector<ProbeRecord>> ProbeBook::Answers(const std::string& project,
                                                            const std::string& location) {
  return Session(file_).Read(ProbeRows(), "WHERE project = ? AND location = ? ORDER BY question", project,
                             location);
}

absl::Status ProbeBook::AddScratch(const std::string& dataset) {
  return Session(file_).Run("INSERT INTO probe_scratch (dataset) VALUES (?)", dataset);
}

absl::Status ProbeBook::ForgetScratch(const std::string& dataset) {
  return Session(file_).Run("DELETE FROM probe_scratch WHERE dataset = ?", dataset);
}

absl::StatusOr<std::vector<std::string>> ProbeBook::Scratch() {
  std::vector<std::string> datasets;
  HAKOBU_RETURN_IF_ERROR(
      Session(file_).ForEach("SELECT dataset FROM probe_scratch ORDER BY dataset",
                             [&](const SqliteRows& rows) { datasets.push_back(rows.Text(0)); }));
  return datasets;
}

}  // namespace hakobu
