#include "app/night_history.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/status.h"
#include "config/config.h"
#include "ledger/ledger.h"

namespace hakobu {
namespace {

using nlohmann::json;

constexpr size_t kNightsRead = 1'000;

double NumberAt(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number() ? found->get<double>() : 0;
}

std::string WordAt(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

json Part(const json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() ? json() : *found;
}

PastNight NightOf(const RunRecord& run, const json& report) {
  PastNight night{.run_id = run.id,
                  .state = WordAt(report, "state"),
                  .started = run.started,
                  .late = report.value("late", false),
                  .error = run.error,
                  .facts = {},
                  .tables = {}};
  night.facts.seconds = NumberAt(report, "seconds");
  night.facts.rows_examined = NumberAt(Part(report, "sourceLoad"), "rowsExamined");
  const json by_reason = Part(Part(report, "pace"), "secondsByReason");
  for (size_t i = 0; i < kReasons && by_reason.is_object(); ++i) {
    night.facts.by_reason[i] = NumberAt(by_reason, std::string(NameOf(static_cast<Reason>(i))).c_str());
  }
  for (const json& table : Part(report, "tables")) {
    night.facts.rows += NumberAt(table, "rows");
    night.facts.chunks += NumberAt(table, "chunks");
    night.facts.retries += NumberAt(table, "chunkRetries");
    if (WordAt(table, "state") != "done" || NumberAt(table, "chunksResumed") > 0) continue;
    night.tables.push_back({WordAt(table, "source"), NumberAt(table, "rows"), NumberAt(table, "bytes"),
                            NumberAt(table, "seconds")});
  }
  return night;
}

}  // namespace

absl::StatusOr<std::vector<PastNight>> ReadNights(const Config& config) {
  std::vector<PastNight> nights;
  // Looking must not make a ledger where there is none.
  if (!std::filesystem::exists(config.ledger)) return nights;
  HAKOBU_ASSIGN_OR_RETURN(const std::unique_ptr<Ledger> ledger, Ledger::Open(config.ledger));
  HAKOBU_ASSIGN_OR_RETURN(const std::vector<RunRecord> runs, ledger->runs().Runs(kNightsRead));
  for (const RunRecord& run : runs) {
    const json report = json::parse(run.report_json, nullptr, false);
    if (report.is_object()) nights.push_back(NightOf(run, report));
  }
  return nights;
}

}  // namespace hakobu
