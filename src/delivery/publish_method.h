// How a table's rows are put in place: chosen by what the target is and what hangs on it. Pure.
// docs/publishing.md says why, and what each way keeps and costs.
#pragma once

#include <cstdint>
#include <string>

#include "delivery/delivery.h"
#include "delivery/target_state.h"

namespace hakobu {

// What `hakobu probe` found out about this project's service; kUnknown where it was not asked.
struct ServiceAnswers {
  // Whether row access policies outlive a job with WRITE_TRUNCATE_DATA.
  PublishTarget::Answer load_keeps_policies = PublishTarget::Answer::kUnknown;
  PublishTarget::Answer query_keeps_policies = PublishTarget::Answer::kUnknown;
};

struct PublishQuestion {
  WriteMode mode = WriteMode::kReplace;
  WriteBy write = WriteBy::kLoad;
  size_t chunks = 1;
  // Replace only: columns are gone, renamed or of another type, so that the new table is not the old one with
  // more columns.
  bool replaces_schema = false;
  bool partitioned = false;  // the target is, or will be
  uint64_t bytes = 0;        // of the rows, about
  uint64_t target_bytes = 0;
  ServiceAnswers service{};
};

struct PublishChoice {
  PublishMethod method = PublishMethod::kLoad;
  std::string why;
  uint64_t billed_bytes = 0;  // by a query, about; loads and copies are free
};

PublishChoice ChoosePublish(const PublishQuestion& question, const PublishTarget& target);

// Whether rows go straight to the target, with no staging table.
bool IsDirect(PublishMethod method);
// Whether the target's own schema is kept, and must be brought to the new one by ALTER TABLE before.
bool KeepsSchema(PublishMethod method, const PublishQuestion& question, const PublishTarget& target);

}  // namespace hakobu
