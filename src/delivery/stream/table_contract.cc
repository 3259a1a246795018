#include "delivery/stream/table_contract.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include "base/log.h"
#include "base/status.h"
#include "destination/known_table.h"

namespace hakobu {
namespace {

ContractMode ModeOfLane(LaneMode mode) {
  switch (mode) {
    case LaneMode::kUpsert:
      return ContractMode::kUpsert;
    case LaneMode::kSoft:
      return ContractMode::kSoft;
    case LaneMode::kHistory:
      return ContractMode::kHistory;
  }
  return ContractMode::kUpsert;
}

std::optional<ContractMode> ModeNamed(std::string_view name) {
  for (const LaneMode mode : {LaneMode::kUpsert, LaneMode::kSoft, LaneMode::kHistory}) {
    if (LaneModeName(mode) == name) return ModeOfLane(mode);
  }
  return std::nullopt;
}

TableContract ContractOf(const LaneSchema& schema, const TableOptions& options) {
  return MakeContract(schema.base, options, schema.work.schema, ModeOfLane(schema.mode),
                      schema.work.target.ToString());
}

// Also what the Table resource does not tell. What cannot be looked at is taken for there.
std::vector<std::string> AllThatHangs(const DeliverySession& session, const LaneSchema& schema,
                                      const TableOptions& options, const std::string& resource) {
  Rest& rest = *session.destination.rest;
  const TableName& target = schema.work.target;
  std::vector<std::string> hangs = WhatHangsOn(resource, options, schema.base.comment);
  const auto list = [&](const absl::StatusOr<std::string>& answer, const char* key, const char* what) {
    if (!answer.ok()) {
      hangs.push_back(
          fmt::format("{} (they cannot be looked at: {})", what, View(answer.status().message())));
      return;
    }
    const nlohmann::json json = nlohmann::json::parse(*answer, nullptr, false);
    if (json.is_object() && json.contains(key) && !json[key].empty()) hangs.push_back(what);
  };
  list(rest.Call({.path = ResourcePath({"projects", target.project, "datasets", target.dataset, "tables",
                                        target.table, "rowAccessPolicies"}),
                  .what = "list the row access policies of " + target.ToString()}),
       "rowAccessPolicies", "row access policies");
  list(GetTablePolicy(rest, target), "bindings", "grants on the table");
  return hangs;
}

// Whether somebody has to be asked whether there are rows at all.
bool EmptinessMatters(const ContractQuestion& question, const TableFacts& facts) {
  if (!question.recorded.has_value()) return !question.delivered_before;
  const std::optional<TargetIdentity>& was = question.recorded->found;
  if (was.has_value() && was->created_ms != question.found->created_ms) return true;
  return question.occasion == ContractOccasion::kStart && facts.rows == 0 && !facts.has_streaming_buffer;
}

// Whether a query may answer as of before the rows came.
bool AnswersLate(const ContractQuestion& question) {
  if (!question.recorded.has_value()) return false;
  const std::optional<TargetIdentity>& was = question.recorded->found;
  const bool made_again = was.has_value() && was->created_ms != question.found->created_ms;
  return !made_again && question.recorded->staleness_seconds.value_or(0) > 0;
}

absl::Status LookForRows(const DeliverySession& session, const ContractRequest& request,
                         const std::string& resource, ContractQuestion* question) {
  if (question->found->kind != "TABLE") return absl::OkStatus();
  HAKOBU_ASSIGN_OR_RETURN(const TableFacts facts, ReadTableFacts(resource));
  if (!EmptinessMatters(*question, facts)) return absl::OkStatus();
  HAKOBU_ASSIGN_OR_RETURN(question->target_is_empty,
                          TargetIsEmpty(*session.destination.rest, session.config->destination,
                                        request.schema->work.target, resource));
  if (*question->target_is_empty && AnswersLate(*question)) {
    question->target_is_empty.reset();  // it proves nothing
    return absl::OkStatus();
  }
  if (*question->target_is_empty && request.source_is_empty != nullptr) {
    HAKOBU_ASSIGN_OR_RETURN(question->source_is_empty, request.source_is_empty());
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<TableOptions> DeliveredOptions(const Config& config, Ledger* ledger, const TableWork& work) {
  TableOptions options = work.options;
  const TableName target{config.destination.project, config.destination.dataset,
                         TargetName(options, work.source.database, work.source.name)};
  HAKOBU_ASSIGN_OR_RETURN(const std::optional<StoredContract> stored,
                          ReadContract(ledger, target.ToString()));
  if (!stored.has_value()) return options;
  const TableContract& contract = stored->contract;
  if (contract.mode == ContractMode::kHistory && contract.history_without_key) options.history = true;
  const absl::StatusOr<LaneSchema> schema = MakeLaneSchema(config, options, work.source);
  if (!schema.ok()) return options;  // its maker says so
  for (const ColumnForm& now : ContractOf(*schema, options).columns) {
    for (const ColumnForm& was : contract.columns) {
      if (was.name == now.name && WidensType(now.type, was.type)) DecideType(now.source, was.type, &options);
    }
  }
  return options;
}

absl::StatusOr<ContractCase> AskContract(const DeliverySession& session, const ContractRequest& request) {
  const LaneSchema& schema = *request.schema;
  const std::string target = schema.work.target.ToString();
  ContractCase asked;
  HAKOBU_ASSIGN_OR_RETURN(asked.recorded, ReadContract(session.ledger, target));
  ContractQuestion question;
  question.occasion = request.occasion;
  question.renamed = request.renamed;
  question.named = NamedColumns(*request.options);
  question.wanted = ContractOf(schema, *request.options);
  if (asked.recorded.has_value()) question.recorded = asked.recorded->contract;
  HAKOBU_ASSIGN_OR_RETURN(const std::optional<SchemaVersion> before,
                          session.ledger->schemas().NewestSchema(target));
  question.delivered_before = before.has_value();
  const std::optional<ContractMode> mode_before = ModeNamed(request.mode_before);
  if (!question.recorded.has_value() && mode_before.has_value() && *mode_before != question.wanted.mode) {
    question.recorded = question.wanted;
    question.recorded->mode = *mode_before;
  }
  Rest& rest = *session.destination.rest;
  absl::StatusOr<Resource> existing = asked.recorded.has_value() ? GetKnownTable(rest, schema.work.target)
                                                                 : GetTable(rest, schema.work.target);
  if (existing.ok()) {
    asked.existing = std::move(existing->json);
    HAKOBU_ASSIGN_OR_RETURN(question.found, ReadTargetIdentity(*asked.existing));
    HAKOBU_RETURN_IF_ERROR(LookForRows(session, request, *asked.existing, &question));
  } else if (existing.status().code() != absl::StatusCode::kNotFound) {
    return existing.status();
  }
  asked.answer = CompareContracts(question);
  if (asked.answer.make_again) {
    question.hangs = AllThatHangs(session, schema, *request.options, *asked.existing);
    asked.answer = CompareContracts(question);
  }
  return asked;
}

absl::Status RecordContract(const DeliverySession& session, const LaneSchema& schema,
                            const TableOptions& options, std::optional<bool> sweep) {
  TableContract contract = ContractOf(schema, options);
  HAKOBU_ASSIGN_OR_RETURN(const Resource existing, GetTable(*session.destination.rest, schema.work.target));
  HAKOBU_ASSIGN_OR_RETURN(contract.found, ReadTargetIdentity(existing.json));
  ContractBook& book = session.ledger->contracts();
  return sweep.has_value() ? book.Store(RecordOf(contract, *sweep))
                           : book.StoreButSweep(RecordOf(contract, false));
}

absl::Status RecordContractToCome(const DeliverySession& session, const LaneSchema& schema,
                                  const TableOptions& options) {
  return session.ledger->contracts().Store(RecordOf(ContractOf(schema, options), /*sweep=*/false));
}

void LogContract(const std::string& table, const ContractAnswer& answer) {
  for (const ContractFinding& finding : answer.findings) {
    if (finding.action > ContractAction::kAnew) continue;
    const bool anew = finding.action == ContractAction::kAnew;
    Log(anew ? LogSeverity::kWarning : LogSeverity::kInfo,
        anew ? "the table's rows are put in place anew" : "the table goes on with a difference",
        {{"table", table}, {"why", FindingText("", finding)}, {"hint", finding.hint}});
  }
}

}  // namespace hakobu
