// Why a night was as it was: what took its time beyond the usual, the most of it first.
#pragma once

#include <string>
#include <vector>

#include "governor/reasons.h"

namespace hakobu {

struct NightFacts {
  double seconds = 0;  // from start to end
  std::array<double, kReasons> by_reason{};
  double rows = 0;
  double rows_examined = 0;
  double chunks = 0;
  double retries = 0;
};

enum class CauseKind : uint8_t { kReason, kMoreRows, kMoreExamined, kRetries };

struct Cause {
  CauseKind kind = CauseKind::kReason;
  Reason reason = Reason::kFullSpeed;  // of kReason
  double seconds = 0;                  // beyond the usual, about
  std::string text;                    // a sentence
};

// `usual`: earlier nights of the same work, of which the median counts; with none of them every second that
// was held back counts. Empty: a night like the others.
std::vector<Cause> Explain(const NightFacts& night, const std::vector<NightFacts>& usual);

}  // namespace hakobu
