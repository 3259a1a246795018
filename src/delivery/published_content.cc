#include "delivery/published_content.h"

#include <fmt/format.h>

#include "base/status.h"
#include "destination/jobs.h"

namespace hakobu {
namespace {

// Raised when the same rows come to be encoded as other bytes.
constexpr std::string_view kEncoding = "1";

// Sums of rows are comparable only when columns, types and encoding are the same.
std::string FormOf(const TableWork& work) {
  std::string columns;
  for (const Field& field : work.schema.fields) {
    columns += fmt::format("{}:{} {} {};", field.name.size(), field.name, FieldTypeName(field.type),
                           static_cast<int>(field.mode));
  }
  return MakeJobId("form", {kEncoding, WriteByName(work.write), columns});
}

}  // namespace

absl::StatusOr<bool> IsUnchanged(Ledger* ledger, const TableWork& work, const ContentSum& content,
                                 const PublishTarget& target) {
  if (!target.exists || !work.changes.empty() || work.anew_was_asked) return false;
  HAKOBU_ASSIGN_OR_RETURN(const std::optional<PublishedContent> last,
                          ledger->published().Published(work.target.ToString()));
  return last.has_value() && last->form == FormOf(work) && last->rows == content.rows &&
         last->content == content.sum && last->created_ms == target.created_ms &&
         last->modified_ms == target.modified_ms;
}

absl::Status KeepPublished(Ledger* ledger, const std::string& run_id, const TableWork& work,
                           const ContentSum& content, const PublishTarget& target, int64_t job_ended_ms) {
  if (target.modified_ms == 0 || target.modified_ms > job_ended_ms) return absl::OkStatus();
  return ledger->published().RecordPublished({.target = work.target.ToString(),
                                              .run_id = run_id,
                                              .form = FormOf(work),
                                              .rows = content.rows,
                                              .content = content.sum,
                                              .created_ms = target.created_ms,
                                              .modified_ms = target.modified_ms});
}

}  // namespace hakobu
