#include "governor/explain.h"

#include <algorithm>
#include <functional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace hakobu {
namespace {

constexpr double kWorthSaying = 0.05;  // of the night
constexpr double kLeastSeconds = 5;
constexpr double kMoreThanUsual = 1.2;
constexpr double kRetriesWorthSaying = 0.2;  // of the chunks

double MedianOf(const std::vector<NightFacts>& nights,
                const std::function<double(const NightFacts&)>& value) {
  if (nights.empty()) return 0;
  std::vector<double> values;
  for (const NightFacts& night : nights) values.push_back(value(night));
  std::nth_element(values.begin(), values.begin() + static_cast<long>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

const char* Sentence(Reason reason) {
  switch (reason) {
    case Reason::kCredits:
      return "the source's burst credits: reading waited for them to refill";
    case Reason::kIops:
      return "source.budget.reads_per_second";
    case Reason::kThreads:
      return "the source was busy: its running threads were near their limit";
    case Reason::kHistory:
      return "the source's undo history was near its limit";
    case Reason::kTempSpace:
      return "the source's temporary tables were near their limit";
    case Reason::kReplicaLag:
      return "the replica was behind its source";
    case Reason::kCheck:
      return "the pause file was there";
    case Reason::kBlind:
      return "a limit could not be seen, so nothing of it was spent";
    case Reason::kDollars:
      return "the dollars of I/O were spent";
    case Reason::kDestination:
      return "BigQuery took rows more slowly than the source gave them";
    case Reason::kQuota:
      return "BigQuery's quota: it asked to come back later";
    case Reason::kLock:
      return "hakobu waited for a lock of its own";
    case Reason::kNetwork:
      return "a side could not be reached, and chunks were tried again";
    case Reason::kCpu:
      return "this machine's processors were busy";
    case Reason::kPerson:
      return "somebody had paused or throttled it";
    case Reason::kPublish:
      return "publishing the tables took long";
    case Reason::kFullSpeed:
      break;
  }
  return "reading itself took longer";
}

double At(const NightFacts& night, Reason reason) {
  return night.by_reason[static_cast<size_t>(reason)];
}

// Reading that took longer by itself: because there was more, or because each row cost more.
void AddWork(const NightFacts& night, const std::vector<NightFacts>& usual, std::vector<Cause>* causes) {
  const double reading = At(night, Reason::kFullSpeed);
  const double rows = MedianOf(usual, [](const NightFacts& one) { return one.rows; });
  if (rows > 0 && night.rows > rows * kMoreThanUsual) {
    causes->push_back(
        {.kind = CauseKind::kMoreRows,
         .seconds = reading * (1 - rows / night.rows),
         .text = absl::StrFormat("there were more rows: %.0f, usually %.0f", night.rows, rows)});
  }
  const auto cost = [](const NightFacts& one) { return one.rows > 0 ? one.rows_examined / one.rows : 0; };
  const double usual_cost = MedianOf(usual, cost);
  if (usual_cost > 0 && cost(night) > usual_cost * kMoreThanUsual) {
    causes->push_back(
        {.kind = CauseKind::kMoreExamined,
         .seconds = reading * (1 - usual_cost / cost(night)),
         .text = absl::StrFormat(
             "the source examined %.1f rows for each that was delivered, usually %.1f: an index "
             "is missing or was not used",
             cost(night), usual_cost)});
  }
}

void AddRetries(const NightFacts& night, const std::vector<NightFacts>& usual, std::vector<Cause>* causes) {
  const double retries = MedianOf(usual, [](const NightFacts& one) { return one.retries; });
  const double more = night.retries - retries;
  if (night.chunks <= 0 || more < kRetriesWorthSaying * night.chunks || more < 3) return;
  // What was read again, and what was waited for in between.
  const double again = At(night, Reason::kFullSpeed) * more / (more + night.chunks);
  causes->push_back(
      {.kind = CauseKind::kRetries,
       .seconds = again + At(night, Reason::kNetwork),
       .text = absl::StrFormat("%.0f chunks were tried again, of %.0f", night.retries, night.chunks)});
}

}  // namespace

std::vector<Cause> Explain(const NightFacts& night, const std::vector<NightFacts>& usual) {
  std::vector<Cause> causes;
  for (size_t i = 0; i < kReasons; ++i) {
    const auto reason = static_cast<Reason>(i);
    if (reason == Reason::kFullSpeed || (reason == Reason::kPublish && usual.empty())) continue;
    const double before = MedianOf(usual, [&](const NightFacts& one) { return At(one, reason); });
    causes.push_back({.reason = reason, .seconds = At(night, reason) - before, .text = Sentence(reason)});
  }
  AddWork(night, usual, &causes);
  AddRetries(night, usual, &causes);
  const double least = std::max(kLeastSeconds, kWorthSaying * night.seconds);
  std::erase_if(causes, [&](const Cause& cause) { return cause.seconds < least; });
  std::sort(causes.begin(), causes.end(),
            [](const Cause& a, const Cause& b) { return a.seconds > b.seconds; });
  return causes;
}

}  // namespace hakobu
