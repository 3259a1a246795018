#include "delivery/recorded_contract.h"

#include <fmt/format.h>

#include <charconv>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/glob.h"
#include "base/status.h"
#include "delivery/merge_sql.h"

namespace hakobu {

absl::StatusOr<std::optional<StoredContract>> ReadContract(Ledger* ledger, const std::string& target) {
  HAKOBU_ASSIGN_OR_RETURN(const std::optional<ContractRecord> record, ledger->contracts().Find(target));
  if (!record.has_value()) return std::optional<StoredContract>();
  StoredContract stored{.contract = {}, .sweep = record->sweep};
  HAKOBU_ASSIGN_OR_RETURN(stored.contract, ContractFromJson(record->contract_json));
  return std::optional<StoredContract>(std::move(stored));
}

ContractRecord RecordOf(const TableContract& contract, bool sweep) {
  return {.target = contract.target,
          .source = contract.source,
          .contract_json = ContractToJson(contract),
          .sweep = sweep,
          .stored = absl::Now()};
}

void DecideType(const std::string& column, const std::string& as, TableOptions* options) {
  for (ColumnRule& rule : options->columns) {
    if (rule.inherited || rule.pattern != column) continue;
    rule.column.as = as;
    return;
  }
  ColumnRule rule;
  rule.pattern = column;
  rule.column.as = as;
  options->columns.push_back(std::move(rule));
}

std::set<std::string> NamedColumns(const TableOptions& options) {
  std::set<std::string> named;
  for (const ColumnRule& rule : options.columns) {
    if (!rule.inherited && !IsGlob(rule.pattern)) named.insert(rule.pattern);
  }
  for (const std::string& name : options.include) {
    if (!IsGlob(name)) named.insert(name);
  }
  return named;
}

absl::StatusOr<bool> TargetIsEmpty(Rest& rest, const DestinationConfig& destination, const TableName& target,
                                   std::string_view resource) {
  QuerySpec query;
  query.project = destination.billing_project;
  query.location = destination.location;
  query.sql = fmt::format("SELECT 1 FROM {}", target.Quoted());
  const nlohmann::json json = nlohmann::json::parse(resource, nullptr, false);
  if (json.is_object() && json.value("requirePartitionFilter", false)) {
    const nlohmann::json by = json.contains("timePartitioning")
                                  ? json["timePartitioning"]
                                  : json.value("rangePartitioning", nlohmann::json());
    const std::string column =
        QuoteField(by.is_object() ? by.value("field", "_PARTITIONTIME") : "_PARTITIONTIME");
    query.sql += fmt::format(" WHERE {0} IS NULL OR {0} IS NOT NULL", column);
  }
  query.sql += " LIMIT 1";
  HAKOBU_ASSIGN_OR_RETURN(const QueryAnswer answer, RunQuery(rest, query));
  return answer.rows.empty();
}

absl::StatusOr<uint64_t> QueryNumber(Rest& rest, const DestinationConfig& destination, std::string sql) {
  QuerySpec query;
  query.project = destination.billing_project;
  query.location = destination.location;
  query.sql = std::move(sql);
  HAKOBU_ASSIGN_OR_RETURN(const QueryAnswer answer, RunQuery(rest, query));
  const std::string text =
      answer.rows.empty() || answer.rows[0].empty() ? "" : answer.rows[0][0].value_or("");
  uint64_t number = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), number).ec != std::errc())
    return absl::InternalError(fmt::format("expected a number, BigQuery's answer is '{}'", text));
  return number;
}

absl::StatusOr<uint64_t> CountTargetRows(Rest& rest, const DestinationConfig& destination,
                                         const TableName& target, const PublishTarget& state) {
  return QueryNumber(rest, destination,
                     CountRowsSql(target, state.require_filter ? state.partition_column : ""));
}

}  // namespace hakobu
