#include "app/plan_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "app/text_table.h"

namespace hakobu {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kGib = 1024.0 * 1024 * 1024;

std::string ChangesText(const PlannedTable& table) {
  std::string text;
  for (const SchemaChange& change : table.schema_changes) {
    std::string types = change.after;
    if (!change.before.empty())
      types = change.after.empty() ? change.before : change.before + " -> " + change.after;
    text += fmt::format("  {}: column {} {} ({}): {}\n", table.source, change.column,
                        SchemaChangeName(change.kind), types, change.behaviour);
  }
  return text;
}

std::string NotesText(const PlannedTable& table) {
  std::string text;
  for (const std::string& note : table.notes) text += fmt::format("  {}: {}\n", table.source, note);
  return text;
}

// How the table gets into place, why so, and what that costs.
std::string PublishText(const PlannedTable& table) {
  return fmt::format("  {}: {}: {}; {}\n", table.source, PublishMethodName(table.publish), table.publish_why,
                     table.billed_bytes == 0 ? "free" : "bills about " + BytesText(table.billed_bytes));
}

std::string TroublesText(const RunPlan& plan) {
  std::string text;
  for (const TableTrouble& trouble : plan.troubles) text += fmt::format("  {}\n", trouble.error);
  return text;
}

std::string Sum(std::string_view title, const std::string& lines) {
  return lines.empty() ? "" : fmt::format("\n{}\n{}", title, lines);
}

std::string CostText(const CostEstimate& cost, const PriceConfig& prices) {
  return fmt::format(
      "\nWhat BigQuery would charge, by `prices:` of the configuration (check them against Google's)\n"
      "  Storage Write: {} to {} (the first {:.0f} GiB a month and project are free, then {} a GiB)\n"
      "  load and copy jobs: free; queries that publish or merge: {}\n"
      "  keeping the tables: about {} a month\n",
      DollarText(cost.storage_write_usd), DollarText(cost.storage_write_most_usd),
      prices.storage_write_free_gib, fmt::format("${}", prices.storage_write_per_gib),
      DollarText(cost.merge_usd), DollarText(cost.storage_month_usd));
}

Json TableJson(const PlannedTable& table) {
  Json changes = Json::array();
  for (const SchemaChange& change : table.schema_changes) {
    changes.push_back({{"column", change.column},
                       {"change", SchemaChangeName(change.kind)},
                       {"before", change.before},
                       {"after", change.after},
                       {"behaviour", change.behaviour}});
  }
  Json columns = Json::array();
  for (const auto& [name, type] : table.columns) columns.push_back({{"name", name}, {"type", type}});
  return {{"source", table.source},
          {"target", table.target},
          {"mode", WriteModeName(table.mode)},
          {"write", WriteByName(table.write)},
          {"estimated_rows", table.estimated_rows},
          {"estimated_bytes", table.estimated_bytes},
          {"chunks", table.chunks},
          {"publish", PublishMethodName(table.publish)},
          {"publish_why", table.publish_why},
          {"billed_bytes", table.billed_bytes},
          {"key", table.key},
          {"target_exists", table.target_exists},
          {"target_bytes", table.target_bytes},
          {"columns", columns},
          {"schema_changes", changes},
          {"notes", table.notes}};
}

}  // namespace

CostEstimate EstimateCost(const RunPlan& plan, const PriceConfig& prices) {
  double appended = 0;
  double merged = 0;
  double kept = 0;
  for (const PlannedTable& table : plan.tables) {
    const double bytes = static_cast<double>(table.estimated_bytes);
    if (table.write == WriteBy::kStorage) appended += bytes / kGib;
    const auto target_bytes = static_cast<double>(table.target_bytes);
    merged += static_cast<double>(table.billed_bytes) / kGib / 1024;
    kept += std::max(bytes, target_bytes) / kGib;
  }
  CostEstimate cost;
  cost.storage_write_usd =
      std::max(0.0, appended - prices.storage_write_free_gib) * prices.storage_write_per_gib;
  cost.storage_write_most_usd = appended * prices.storage_write_per_gib;
  cost.merge_usd = merged * prices.query_per_tib;
  cost.storage_month_usd = kept * prices.storage_per_gib_month;
  return cost;
}

std::string PlanText(const RunPlan& plan, const PriceConfig& prices) {
  TextTable table({{"table", Align::kLeft},
                   {"target", Align::kLeft},
                   {"mode", Align::kLeft},
                   {"write", Align::kLeft},
                   {"rows, about", Align::kRight},
                   {"bytes, about", Align::kRight},
                   {"chunks", Align::kRight},
                   {"", Align::kLeft}});
  uint64_t rows = 0;
  uint64_t bytes = 0;
  std::string changes;
  std::string notes;
  std::string publish;
  for (const PlannedTable& planned : plan.tables) {
    table.AddRow({planned.source, planned.target, std::string(WriteModeName(planned.mode)),
                  std::string(WriteByName(planned.write)), CountText(planned.estimated_rows),
                  BytesText(planned.estimated_bytes), CountText(planned.chunks),
                  planned.target_exists ? "" : "new"});
    rows += planned.estimated_rows;
    bytes += planned.estimated_bytes;
    changes += ChangesText(planned);
    publish += PublishText(planned);
    notes += NotesText(planned);
  }
  std::string text = table.Render();
  text += fmt::format(
      "\n{} table{}, about {} rows and {} by the source's own estimate, which can be off by half.\n",
      plan.tables.size(), plan.tables.size() == 1 ? "" : "s", CountText(rows), BytesText(bytes));
  if (plan.resumes_run) {
    text += fmt::format("The interrupted run {} would be continued: {} chunks are finished.\n",
                        *plan.resumes_run, CountText(plan.chunks_already_done));
  }
  return text + Sum("How it is put in place", publish) + Sum("Schema changes", changes) +
         Sum("Notes", notes) + CostText(EstimateCost(plan, prices), prices) +
         Sum("Cannot be delivered", TroublesText(plan)) + "\nNothing was written on either side.\n";
}

std::string PlanJson(const RunPlan& plan, const PriceConfig& prices) {
  const CostEstimate cost = EstimateCost(plan, prices);
  Json tables = Json::array();
  for (const PlannedTable& table : plan.tables) tables.push_back(TableJson(table));
  Json troubles = Json::array();
  for (const TableTrouble& trouble : plan.troubles) {
    troubles.push_back({{"source", trouble.source}, {"error", trouble.error}, {"refused", trouble.refused}});
  }
  Json json = {{"tables", tables},
               {"troubles", troubles},
               {"resumes_run", plan.resumes_run ? Json(*plan.resumes_run) : Json(nullptr)},
               {"chunks_already_done", plan.chunks_already_done},
               {"cost_usd",
                {{"storage_write", cost.storage_write_usd},
                 {"storage_write_at_most", cost.storage_write_most_usd},
                 {"merge_queries", cost.merge_usd},
                 {"storage_a_month", cost.storage_month_usd}}}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace hakobu
