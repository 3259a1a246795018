// What `hakobu probe` found out about the service, and the scratch datasets that it has not removed yet.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ledger/session.h"

namespace hakobu {

// One question's newest answer in one project and location.
struct ProbeRecord {
  std::string project{};
  std::string location{};
  std::string question{};  // "policies_by_load"
  std::string answer{};    // "kept"
  std::string seen{};      // what was observed
  absl::Time asked{};
};

// Thread-safe.
class ProbeBook {
 public:
  explicit ProbeBook(LedgerFile* file) : file_(file) {}

  absl::Status Keep(const ProbeRecord& record);
  absl::StatusOr<std::optional<ProbeRecord>> Find(const std::string& project, const std::string& location,
                                                  const std::string& question);
  // In the order of their questions.
  absl::StatusOr<std::vector<ProbeRecord>> Answers(const std::string& project, const std::string& location);

  // A dataset ("project.dataset") is known here before it is made, and until it is removed.
  absl::Status AddScratch(const std::string& dataset);
  absl::Status ForgetScratch(const std::string& dataset);
  absl::StatusOr<std::vector<std::string>> Scratch();

 private:
  LedgerFile* file_;
};

}  // namespace hakobu
