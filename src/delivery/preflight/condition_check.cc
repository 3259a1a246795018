#include "delivery/preflight/condition_check.h"

#include <fmt/format.h>

#include "base/status.h"

namespace hakobu {

absl::Status CheckCondition(Connection* source, const TableWork& work) {
  if (work.options.where.empty()) return absl::OkStatus();
  const absl::Status status = source
                                  ->Query(fmt::format("SELECT 1 FROM {}.{} WHERE ({}\n) LIMIT 0",
                                                      QuoteIdentifier(work.source.database),
                                                      QuoteIdentifier(work.source.name), work.options.where))
                                  .status();
  if (status.ok() || status.code() == absl::StatusCode::kUnavailable) return status;
  return WithHint(absl::InvalidArgumentError(
                      fmt::format("{}: where: the server refuses it: {}", work.name, View(status.message()))),
                  "a condition in `defaults` holds for every table: move it to those that have its columns");
}

}  // namespace hakobu
