#include "delivery/run_contract.h"

#include <fmt/format.h>

#include "base/status.h"
#include "delivery/contract/compare.h"
#include "delivery/recorded_contract.h"
#include "destination/known_table.h"

namespace hakobu {
namespace {

ContractMode ModeOf(WriteMode mode) {
  if (mode == WriteMode::kAppend) return ContractMode::kAppend;
  if (mode == WriteMode::kIncremental) return ContractMode::kIncremental;
  return ContractMode::kReplace;
}

TableContract ContractOf(const TableWork& work) {
  return MakeContract(work.source, work.options, work.schema, ModeOf(work.mode), work.target.ToString());
}

// Whether the target may well be empty: no run has added a row yet, or (incremental) the source has none.
absl::StatusOr<bool> NothingToHold(const ContractSides& sides, Connection* source, const TableWork& work) {
  if (work.mode != WriteMode::kAppend) {
    std::string sql = fmt::format("SELECT 1 FROM {}.{}", QuoteIdentifier(work.source.database),
                                  QuoteIdentifier(work.source.name));
    if (!work.options.where.empty()) sql += fmt::format(" WHERE ({}\n)", work.options.where);
    HAKOBU_ASSIGN_OR_RETURN(const QueryResult rows, source->Query(sql + " LIMIT 1"));
    return rows.rows.empty();
  }
  HAKOBU_ASSIGN_OR_RETURN(const std::vector<RunTableRecord> runs,
                          sides.ledger->runs().Deliveries(work.target.ToString()));
  for (const RunTableRecord& each : runs) {
    if (each.rows > 0) return false;
  }
  return true;
}

bool RowsMatter(const ContractQuestion& question, const TableFacts& facts) {
  if (!question.recorded.has_value()) return !question.delivered_before;
  const std::optional<TargetIdentity>& was = question.recorded->found;
  if (was.has_value() && was->created_ms != question.found->created_ms) return true;
  return question.wanted.mode != ContractMode::kReplace && facts.rows == 0 && !facts.has_streaming_buffer;
}

absl::Status LookForRows(const ContractSides& sides, Connection* source, const TableWork& work,
                         ContractQuestion* question) {
  if (question->found->kind != "TABLE") return absl::OkStatus();
  HAKOBU_ASSIGN_OR_RETURN(const TableFacts facts, ReadTableFacts(*work.existing));
  if (!RowsMatter(*question, facts)) return absl::OkStatus();
  HAKOBU_ASSIGN_OR_RETURN(question->target_is_empty,
                          TargetIsEmpty(*sides.rest, sides.config->destination, work.target, *work.existing));
  if (*question->target_is_empty) {
    if (work.rows.has_value()) {
      question->source_is_empty = *work.rows == 0;
      return absl::OkStatus();
    }
    HAKOBU_ASSIGN_OR_RETURN(question->source_is_empty, NothingToHold(sides, source, work));
  }
  return absl::OkStatus();
}

std::string NoteOf(const ContractFinding& finding) {
  std::string note = FindingText("", finding);
  if (finding.action == ContractAction::kAnew)
    note = fmt::format("{}: {}", ContractActionName(finding.action), note);
  return finding.hint.empty() ? note : fmt::format("{} (hint: {})", note, finding.hint);
}

absl::Status DeliverAs(const ContractSides& sides, const std::map<std::string, std::string>& types,
                       TableWork* work) {
  for (const auto& [column, type] : types) DecideType(column, type, &work->options);
  TableWork mapped;
  mapped.name = work->name;
  mapped.source = work->source;
  mapped.options = work->options;
  mapped.existing = work->existing;
  mapped.notes = work->notes;
  HAKOBU_RETURN_IF_ERROR(MapTable(*sides.config, &mapped));
  *work = std::move(mapped);
  return absl::OkStatus();
}

// What an incremental run does when its rows come anew. (A first run reads everything by itself.)
void ReadAnew(const ContractQuestion& question, const ContractAnswer& answer, TableWork* work) {
  work->from_start = true;
  if (question.occasion == ContractOccasion::kAsked) {
    work->others = OtherRows::kGo;
  } else if (answer.others_must_go) {
    work->others = OtherRows::kRefuse;
  }
  if (!question.recorded.has_value()) return;
  work->new_key = question.recorded->source_key != question.wanted.source_key;
}

}  // namespace

absl::Status HoldToContract(const ContractSides& sides, Connection* source, TableWork* work) {
  const std::string target = work->target.ToString();
  ContractQuestion question;
  HAKOBU_ASSIGN_OR_RETURN(const std::optional<StoredContract> recorded, ReadContract(sides.ledger, target));
  if (recorded.has_value()) {
    question.recorded = recorded->contract;
    if (recorded->sweep) question.occasion = ContractOccasion::kAsked;
  }
  question.wanted = ContractOf(*work);
  question.named = NamedColumns(work->options);
  HAKOBU_ASSIGN_OR_RETURN(const std::optional<SchemaVersion> before,
                          sides.ledger->schemas().NewestSchema(target));
  question.delivered_before = before.has_value();
  if (work->existing.has_value()) {
    HAKOBU_ASSIGN_OR_RETURN(question.found, ReadTargetIdentity(*work->existing));
    HAKOBU_RETURN_IF_ERROR(LookForRows(sides, source, *work, &question));
  }
  const ContractAnswer answer = CompareContracts(question);
  HAKOBU_RETURN_IF_ERROR(AnswerStatus(work->name, answer));
  const bool anew = answer.action == ContractAction::kAnew && work->mode == WriteMode::kIncremental &&
                    work->existing.has_value();
  if (!answer.deliver_as.empty()) HAKOBU_RETURN_IF_ERROR(DeliverAs(sides, answer.deliver_as, work));
  if (anew) ReadAnew(question, answer, work);
  work->anew_was_asked = question.occasion == ContractOccasion::kAsked;
  // That a table is new says the plan in a better place.
  if (!work->existing.has_value() && !question.recorded.has_value()) return absl::OkStatus();
  for (const ContractFinding& finding : answer.findings) work->notes.push_back(NoteOf(finding));
  return absl::OkStatus();
}

absl::Status RecordRunContractToCome(const ContractSides& sides, const TableWork& work) {
  const std::string target = work.target.ToString();
  ContractBook& book = sides.ledger->contracts();
  HAKOBU_ASSIGN_OR_RETURN(const std::optional<ContractRecord> known, book.Find(target));
  if (!known.has_value()) return book.Store(RecordOf(ContractOf(work), /*sweep=*/false));
  return absl::OkStatus();
}

absl::Status RecordRunContractUnderway(const ContractSides& sides, const TableWork& work) {
  HAKOBU_ASSIGN_OR_RETURN(std::optional<StoredContract> known,
                          ReadContract(sides.ledger, work.target.ToString()));
  if (work.others == OtherRows::kStay || !known.has_value()) return absl::OkStatus();
  known->contract.underway = true;
  return sides.ledger->contracts().StoreButSweep(RecordOf(known->contract, /*sweep=*/false));
}

namespace {

// Of an append, what its target should hold: what was there when it was first taken for what was delivered,
// and what runs have added since.
absl::Status CountFrom(const ContractSides& sides, const std::string& run_id, const TableWork& work,
                       TableContract* contract) {
  if (work.mode != WriteMode::kAppend) return absl::OkStatus();
  HAKOBU_ASSIGN_OR_RETURN(const std::optional<StoredContract> before,
                          ReadContract(sides.ledger, contract->target));
  const bool known = before.has_value() && before->contract.found.has_value() && !work.anew_was_asked &&
                     before->contract.mode == ContractMode::kAppend;
  if (known) {
    contract->counted_run = before->contract.counted_run;
    contract->counted_rows = before->contract.counted_rows;
    return absl::OkStatus();
  }
  if (!work.existing.has_value() && !work.anew_was_asked) return absl::OkStatus();
  HAKOBU_ASSIGN_OR_RETURN(const PublishTarget target, LookAtTarget(*sides.rest, work.target));
  HAKOBU_ASSIGN_OR_RETURN(contract->counted_rows,
                          CountTargetRows(*sides.rest, sides.config->destination, work.target, target));
  contract->counted_run = run_id;
  return absl::OkStatus();
}

}  // namespace

absl::Status RecordRunContract(const ContractSides& sides, const std::string& run_id, const TableWork& work) {
  TableContract contract = ContractOf(work);
  HAKOBU_RETURN_IF_ERROR(CountFrom(sides, run_id, work, &contract));
  HAKOBU_ASSIGN_OR_RETURN(const Resource existing, GetKnownTable(*sides.rest, work.target));
  HAKOBU_ASSIGN_OR_RETURN(contract.found, ReadTargetIdentity(existing.json));
  return sides.ledger->contracts().Store(RecordOf(contract, /*sweep=*/false));
}

}  // namespace hakobu
