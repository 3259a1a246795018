#include "app/plan_stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/status.h"
#include "delivery/open_ledger.h"
#include "delivery/sides.h"
#include "delivery/stream/lane_schema.h"
#include "delivery/stream/table_contract.h"

namespace hakobu {
namespace {

constexpr double kTib = 1024.0 * 1024 * 1024 * 1024;

// Each merge reads the whole table [change-data-capture: "background apply"], so its price is the table's
// size times how often.
std::string StalenessCost(const LaneSchema& schema, uint64_t bytes, const PriceConfig& prices) {
  if (schema.mode == LaneMode::kHistory) return "rows are appended: nothing is merged";
  const absl::Duration staleness = schema.work.options.max_staleness;
  const double once = static_cast<double>(bytes) / kTib * prices.query_per_tib;
  if (staleness == absl::ZeroDuration()) {
    return fmt::format(
        "max_staleness 0s: every query merges the changes itself and reads the whole table, about {:.4f} "
        "USD each without a reservation",
        once);
  }
  const double a_day = absl::ToDoubleHours(absl::Hours(24)) / absl::ToDoubleHours(staleness);
  return fmt::format(
      "max_staleness {}: changes are merged up to {:.0f} times a day, each reading the whole table, about "
      "{:.4f} USD each and {:.2f} USD a day without a reservation; queries see rows up to so old",
      absl::FormatDuration(staleness), a_day, once, once * a_day);
}

// What has changed since the table was delivered, and what the next start does about it.
nlohmann::ordered_json ContractJson(const ContractAnswer& answer) {
  nlohmann::ordered_json findings = nlohmann::ordered_json::array();
  for (const ContractFinding& finding : answer.findings) {
    findings.push_back({{"action", ContractActionName(finding.action)},
                        {"what", finding.what},
                        {"expected", finding.expected},
                        {"found", finding.found},
                        {"hint", finding.hint}});
  }
  return {{"action", ContractActionName(answer.action)}, {"findings", findings}};
}

std::string ContractText(const ContractAnswer& answer) {
  std::string text = fmt::format("    the next start: {}\n", ContractActionName(answer.action));
  for (const ContractFinding& finding : answer.findings) {
    text += fmt::format("      {}: {}\n", ContractActionName(finding.action), FindingText("", finding));
    if (!finding.hint.empty()) text += fmt::format("        hint: {}\n", finding.hint);
  }
  return text;
}

}  // namespace

bool HasStreamTables(const Config& config) {
  return std::any_of(config.tables.begin(), config.tables.end(),
                     [](const TableRule& rule) { return rule.options.mode == TableMode::kStream; });
}

absl::StatusOr<std::string> StreamPlan(const Config& config, const DestinationAddresses& addresses, bool json,
                                       const Cancellation& cancel) {
  HAKOBU_ASSIGN_OR_RETURN(const std::unique_ptr<Connection> source,
                          Connection::Open(SourceOptions(config.source, &cancel)));
  // Looking must not make a ledger where there is none.
  HAKOBU_ASSIGN_OR_RETURN(const std::unique_ptr<Ledger> ledger,
                          OpenLedger(config, std::filesystem::exists(config.ledger) ? "" : ":memory:"));
  DeliverySession session{
      .config = &config, .clock = Clock::Real(), .connect = {}, .destination = {}, .ledger = ledger.get()};
  HAKOBU_ASSIGN_OR_RETURN(session.destination, OpenDestination(config.destination, addresses, session.clock,
                                                               &cancel, absl::Seconds(10)));
  Problems problems;
  const std::vector<TableWork> works =
      SelectTables(config, {}, source.get(), &problems, DeliveredBy::kStream);
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  std::string text = "\nTables that `hakobu stream` follows:\n";
  for (const TableWork& work : works) {
    HAKOBU_ASSIGN_OR_RETURN(const TableOptions options, DeliveredOptions(config, ledger.get(), work));
    const absl::StatusOr<LaneSchema> schema = MakeLaneSchema(config, options, work.source);
    problems.Add(schema.status());
    if (!schema.ok()) continue;
    uint64_t bytes = work.source.data_bytes;
    bool exists = false;
    if (const absl::StatusOr<Resource> table = GetTable(*session.destination.rest, schema->work.target);
        table.ok()) {
      exists = true;
      if (const absl::StatusOr<TableFacts> facts = ReadTableFacts(table->json); facts.ok()) {
        bytes = std::max(bytes, facts->bytes);
      }
    }
    HAKOBU_ASSIGN_OR_RETURN(const ContractCase contract, AskContract(session, {.schema = &*schema,
                                                                               .options = &work.options,
                                                                               .renamed = {},
                                                                               .mode_before = {},
                                                                               .source_is_empty = nullptr}));
    const std::string cost = StalenessCost(*schema, bytes, config.prices);
    list.push_back({{"source", work.name},
                    {"target", schema->work.target.ToString()},
                    {"mode", LaneModeName(schema->mode)},
                    {"target_exists", exists},
                    {"estimated_rows", work.source.estimated_rows},
                    {"bytes", bytes},
                    {"max_staleness_seconds", absl::ToInt64Seconds(work.options.max_staleness)},
                    {"cost", cost},
                    {"contract", ContractJson(contract.answer)}});
    text += fmt::format("  {} -> {} ({}), about {} rows\n    {}\n{}", work.name,
                        schema->work.target.ToString(), LaneModeName(schema->mode),
                        work.source.estimated_rows, cost, ContractText(contract.answer));
  }
  HAKOBU_RETURN_IF_ERROR(problems.Status());
  return json ? list.dump() : text;
}

}  // namespace hakobu
