// Told by whoever tries again and again how the other side answers, so that a silence is heard
// (delivery/outage).
#pragma once

#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace hakobu {

// One side: BigQuery, the source, the ledger. Thread-safe, and quick: called from wherever a try ends. `what`
// is the work that is tried, a verb phrase; the same work has the same words each time.
class OutageListener {
 public:
  virtual ~OutageListener() = default;
  // A try failed; another one follows, of this call or of the next.
  virtual void OnFailure(std::string_view what, const absl::Status& error) = 0;
  // A try that began at `since` still has no answer.
  virtual void OnSilence(std::string_view what, absl::Time since) = 0;
  // The side has answered.
  virtual void OnSuccess(std::string_view what) = 0;
  // Whether there is anything that OnSuccess could end: worth asking where answers are many.
  virtual bool troubled() const = 0;
};

// How long an answer may take before it counts as a silence.
inline constexpr absl::Duration kAnswerWithin = absl::Seconds(5);

}  // namespace hakobu
