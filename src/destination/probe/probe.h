// Questions about Google's service that its pages leave open, asked of one project: each an experiment with a
// few rows in a scratch dataset of its own. docs/probe.md says what each answer means.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "destination/rest.h"
#include "destination/tables.h"
#include "destination/write_stream.h"

namespace hakobu {

// One question's answer. An experiment may answer several.
struct ProbeAnswer {
  std::string question{};  // "policies_by_load"
  std::string answer{};    // one of the question's words, or kOpenAnswer
  std::string seen{};      // what was observed
  std::string meaning{};   // what follows from it
  std::string taken{};     // what hakobu does by it
};
// It was not asked, or what was seen does not tell.
inline constexpr std::string_view kOpenAnswer = "open";

struct ProbePlan {
  DatasetName scratch;  // made by the caller; everything happens in it
  std::string billing_project;
  std::string location;
  std::string kms_key;                      // with it: whether tables keep a key of their own
  std::string policy_tag;                   // with it: whether columns keep their tag
  std::vector<std::string> members;         // addresses that exist, for access lists; empty: not asked
  absl::Duration watch = absl::Minutes(2);  // how long delays are watched
  absl::Duration stream_age = absl::ZeroDuration();  // how long streams are left alone; zero: not asked
};

class ProbeSite;
struct Experiment {
  std::string_view name;  // "truncate_data"
  std::string_view question;
  // Fails only when cancelled or when nothing can be said; what a call is refused with is an answer.
  absl::StatusOr<std::vector<ProbeAnswer>> (*run)(ProbeSite& site);
};
std::span<const Experiment> Experiments();

struct ProbeOutcome {
  std::string experiment;
  std::vector<ProbeAnswer> answers;  // an open one with the reason when the experiment failed
};
// Runs those that are named (empty: all), one after the other; `done` is told of each. Cancelled when it was
// stopped: what was told until then holds. InvalidArgument for a name that there is not.
absl::Status RunExperiments(Rest& rest, StorageWrite& storage, const ProbePlan& plan,
                            const std::vector<std::string>& names,
                            const std::function<absl::Status(const ProbeOutcome&)>& done);

}  // namespace hakobu
