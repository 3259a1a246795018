// The preflight: looks at both sides and at every table, and says everything at once. Writes nothing but a
// scratch table in the staging dataset, on which it tries what runs and streams will do.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "base/cancel.h"
#include "config/config.h"
#include "delivery/delivery.h"

namespace hakobu {

enum class FindingLevel : uint8_t { kOk, kNote, kWarning, kProblem };
std::string_view FindingLevelName(FindingLevel level);

struct Finding {
  FindingLevel level = FindingLevel::kProblem;
  std::string subject;  // "source", "destination", "shop.members"
  std::string text;
  std::string hint;                               // what to do; may be empty
  absl::StatusCode code = absl::StatusCode::kOk;  // of a problem
};

// Collects findings in the order they are made.
class Findings {
 public:
  void Add(FindingLevel level, std::string subject, std::string text, std::string hint = "");
  // A status as one problem, or as many as it lists ("2 problems\n  - …"); its hint is taken apart. OK adds
  // nothing.
  void AddStatus(const std::string& subject, const absl::Status& status);
  const std::vector<Finding>& list() const { return list_; }
  bool has_problems() const;
  // Brings what is said of one subject together; subjects stay in the order they were first named.
  void GroupBySubject();

 private:
  std::vector<Finding> list_;
};

// Both sides are asked even when one cannot be reached.
Findings CheckEverything(const Config& config, const DestinationAddresses& addresses,
                         const Cancellation& cancel);

// 0 without problems (warnings do not count), 2 when all are of the configuration, 4 when all are refusals to
// lose data, else 1.
int CheckExitCode(const Findings& findings);
std::string CheckText(const Findings& findings);
std::string CheckJson(const Findings& findings);

}  // namespace hakobu
