#include "delivery/gone_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/glob.h"
#include "base/status.h"
#include "delivery/contract/renamed.h"
#include "delivery/prepare.h"
#include "delivery/recorded_contract.h"

namespace hakobu {
namespace {

struct Name {
  std::string database;
  std::string table;
};

Name NameOf(const std::string& source) {
  const size_t point = source.find('.');
  return {source.substr(0, point), point == std::string::npos ? "" : source.substr(point + 1)};
}

bool IsOfRuns(ContractMode mode) {
  return mode == ContractMode::kReplace || mode == ContractMode::kAppend ||
         mode == ContractMode::kIncremental;
}

class Search {
 public:
  Search(const RunContext& run, Connection* source, Prepared* prepared, Problems* problems)
      : run_(run), source_(source), prepared_(prepared), problems_(problems) {}

  absl::Status Look(const Selection& selection, const Findings& findings) {
    HAKOBU_ASSIGN_OR_RETURN(const std::vector<ContractRecord> records, run_.ledger->contracts().All());
    std::set<std::string> accounted;
    for (const TableWork& work : prepared_->tables) accounted.insert(work.name);
    for (const LeftOutTable& table : selection.left_out) accounted.insert(table.name);
    std::set<std::string> delivered;  // targets
    for (const ContractRecord& record : records) {
      delivered.insert(record.target);
      absl::StatusOr<TableContract> contract = ContractFromJson(record.contract_json);
      // One that cannot be read is said where its table is asked for.
      if (!contract.ok() || !IsOfRuns(contract->mode)) continue;
      if (accounted.contains(contract->source) || findings.HasProblemOf(contract->source)) continue;
      HAKOBU_RETURN_IF_ERROR(AskFor(*std::move(contract), record.stored));
    }
    for (const TableWork& work : prepared_->tables) {
      if (!delivered.contains(work.target.ToString())) CompareWithGone(work);
    }
    return absl::OkStatus();
  }

 private:
  absl::Status AskFor(TableContract contract, absl::Time stored) {
    const Name name = NameOf(contract.source);
    const TableRule* rule = FindRule(*run_.config, name.database, name.table);
    if (rule == nullptr || rule->options.mode == TableMode::kStream) return absl::OkStatus();
    HAKOBU_ASSIGN_OR_RETURN(const bool is_there, IsBaseTable(source_, name.database, name.table));
    const bool all_are_wanted = run_.options.tables.empty();
    if (is_there) {
      if (!all_are_wanted) return absl::OkStatus();
      problems_->Add(WithHint(absl::UnavailableError(fmt::format(
                                  "{}: the source has it, but its list of tables had not", contract.source)),
                              "it was altered at that moment; the next run delivers it"),
                     contract.source);
      return absl::OkStatus();
    }
    // An entry that names it is found to match nothing.
    if (all_are_wanted && IsGlob(rule->pattern)) {
      prepared_->notes.push_back(fmt::format(
          "{} is gone from the source: {} stays as it was delivered at {}", contract.source, contract.target,
          absl::FormatTime("%Y-%m-%d %H:%M:%S UTC", stored, absl::UTCTimeZone())));
    }
    gone_.push_back(std::move(contract));
    return absl::OkStatus();
  }

  void CompareWithGone(const TableWork& work) {
    const Name name = NameOf(work.name);
    const TableRule* rule = FindRule(*run_.config, name.database, name.table);
    if (rule == nullptr || !IsGlob(rule->pattern)) return;
    const TableContract appeared =
        MakeContract(work.source, work.options, work.schema, ContractMode::kReplace, work.target.ToString());
    for (const TableContract& gone : gone_) {
      const RenamedVerdict verdict = JudgeRenamed(gone, appeared);
      const std::string seems = fmt::format(
          "{} may be {} under another name, which is gone and had its columns", work.name, gone.source);
      if (verdict.outcome == RenamedOutcome::kSame) {
        prepared_->notes.push_back(fmt::format("{}: it is delivered to {}", seems, work.target.ToString()));
      } else if (verdict.outcome == RenamedOutcome::kWeaker) {
        problems_->Add(WithHint(absl::DataLossError(fmt::format("{}; there {}", seems, verdict.reason)),
                                "an entry of `tables:` that names it exactly says how it is delivered"),
                       work.name);
        return;
      }
    }
  }

  const RunContext& run_;
  Connection* source_;
  Prepared* prepared_;
  Problems* problems_;
  std::vector<TableContract> gone_;
};

}  // namespace

absl::Status LookForGoneTables(const RunContext& run, Connection* source, const Selection& selection,
                               const Findings& findings, Prepared* prepared, Problems* problems) {
  return Search(run, source, prepared, problems).Look(selection, findings);
}

}  // namespace hakobu
