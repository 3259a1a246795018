#include "delivery/repair/repair.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "base/crash_point.h"
#include "base/glob.h"
#include "base/log.h"
#include "base/status.h"
#include "delivery/open_ledger.h"
#include "delivery/preflight/selection.h"
#include "delivery/repair/nightly_compare.h"
#include "delivery/repair/table_compare.h"
#include "delivery/stream/gap.h"
#include "delivery/stream/table_contract.h"

namespace hakobu {
namespace {

constexpr int kMostLooks = 3;     // until what the stream was about to deliver is told from what is missing
constexpr int kMostRepairs = 10;  // rows that change all the time differ for a moment again and again
constexpr absl::Duration kRestPatience = absl::Minutes(10);

class Repairer {
 public:
  Repairer(const Config& config, const RepairOptions& options, const Cancellation& cancel)
      : config_(config), options_(options), cancel_(cancel) {
    context_.config = &config;
    context_.cancel = &cancel;
    context_.clock = options.clock;
  }

  absl::StatusOr<RepairReport> Run() {
    HAKOBU_RETURN_IF_ERROR(Open());
    HAKOBU_RETURN_IF_ERROR(ReadGaps());
    HAKOBU_ASSIGN_OR_RETURN(const std::vector<TableWork> works,
                            options_.verify ? SelectToVerify() : Select());
    for (const TableWork& work : works) {
      HAKOBU_RETURN_IF_ERROR(cancel_.Check());
      HAKOBU_RETURN_IF_ERROR(RunTable(work));
    }
    // Nothing is equal because nothing was looked at.
    if (options_.verify && report_.tables.empty()) {
      return WithHint(absl::FailedPreconditionError("nothing was compared: the source has no table that the "
                                                    "configuration delivers"),
                      "`hakobu plan` shows what is delivered");
    }
    if (!options_.verify) HAKOBU_RETURN_IF_ERROR(CloseGaps());
    for (const Gap& gap : gaps_) {
      if (gap.open()) report_.open_gaps.push_back(gap.record.id);
    }
    return std::move(report_);
  }

 private:
  absl::Status Open() {
    HAKOBU_ASSIGN_OR_RETURN(context_.own_ledger, OpenLedger(config_, ""));
    context_.ledger = context_.own_ledger.get();
    context_.log = &context_.ledger->streams();
    context_.repairs = &context_.ledger->repairs();
    HAKOBU_ASSIGN_OR_RETURN(context_.lock, context_.ledger->Lock(LedgerUse::kRepair));
    context_.connect = SourceOptions(config_.source, &cancel_);
    HAKOBU_ASSIGN_OR_RETURN(context_.destination, OpenDestination(config_.destination, options_.addresses,
                                                                  context_.clock, &cancel_, kRestPatience));
    return absl::OkStatus();
  }

  absl::Status ReadGaps() {
    HAKOBU_ASSIGN_OR_RETURN(std::vector<StreamGapRecord> records, context_.log->Gaps());
    for (StreamGapRecord& record : records) {
      HAKOBU_ASSIGN_OR_RETURN(Gap gap, ReadGap(std::move(record)));
      gaps_.push_back(std::move(gap));
    }
    for (const int64_t id : options_.gaps) {
      const bool known =
          std::any_of(gaps_.begin(), gaps_.end(), [&](const Gap& gap) { return gap.record.id == id; });
      if (!known) {
        return WithHint(absl::InvalidArgumentError(fmt::format("there is no gap {}", id)),
                        "`hakobu gaps` shows those that there are");
      }
    }
    return absl::OkStatus();
  }

  bool Wanted(const Gap& gap) const {
    if (!gap.open()) return false;
    return options_.all_open ||
           std::find(options_.gaps.begin(), options_.gaps.end(), gap.record.id) != options_.gaps.end();
  }

  // A history whose rows cannot be told apart is made whole by a later copy; every other table is compared.
  void TakeCopies(const std::vector<StreamTableRecord>& records) {
    for (Gap& gap : gaps_) {
      if (!gap.open()) continue;
      for (GapTable& table : gap.tables) {
        for (const StreamTableRecord& record : records) {
          if (record.source != table.source || table.whole()) continue;
          if (record.mode != "history" || record.copy_sequence == table.copy ||
              record.state != StreamTableState::kWhole)
            continue;
          table.repair = TableRepair{.method = TableRepair::Method::kCopied,
                                     .when = record.since,
                                     .rows = record.copied_rows,
                                     .first_keys = {},
                                     .position = LogPoint::At(record.whole_file, record.whole_offset).Text()};
        }
      }
    }
  }

  absl::StatusOr<std::vector<TableWork>> Select() {
    HAKOBU_ASSIGN_OR_RETURN(records_, context_.log->Tables());
    TakeCopies(records_);
    std::set<std::string> wanted(options_.tables.begin(), options_.tables.end());
    for (const Gap& gap : gaps_) {
      if (!Wanted(gap)) continue;
      for (const GapTable& table : gap.tables) {
        if (!table.whole()) wanted.insert(table.source);
      }
    }
    const bool by_gap = options_.all_open || !options_.gaps.empty();
    if (wanted.empty() && by_gap && options_.tables.empty()) return std::vector<TableWork>();
    HAKOBU_ASSIGN_OR_RETURN(const std::unique_ptr<Connection> source, Connection::Open(context_.connect));
    Problems problems;
    std::vector<TableWork> works =
        SelectTables(config_, {wanted.begin(), wanted.end()}, source.get(), &problems, DeliveredBy::kStream);
    // What a gap concerned and is not there any more cannot be compared; its state says so.
    if (!by_gap) HAKOBU_RETURN_IF_ERROR(problems.Status());
    return works;
  }

  bool IsWanted(const std::string& name) const {
    const std::vector<std::string>& patterns = options_.tables;
    return patterns.empty() || std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
             return GlobMatches(pattern, name) || GlobMatches(pattern, name.substr(name.find('.') + 1));
           });
  }

  // Tables of both cadences. What is wrong with single ones is theirs.
  absl::StatusOr<std::vector<TableWork>> SelectToVerify() {
    HAKOBU_ASSIGN_OR_RETURN(records_, context_.log->Tables());
    HAKOBU_ASSIGN_OR_RETURN(const std::unique_ptr<Connection> source, Connection::Open(context_.connect));
    std::vector<TableWork> works;
    std::map<std::string, absl::Status> troubles;
    for (const DeliveredBy by : {DeliveredBy::kStream, DeliveredBy::kRun}) {
      Findings findings;
      Selection selection = hakobu::Select(config_, {}, by, source.get(), &findings);
      HAKOBU_RETURN_IF_ERROR(findings.GeneralProblems());
      for (const Finding& finding : findings.list()) {
        if (finding.level == FindingLevel::kProblem && IsWanted(finding.subject))
          troubles.emplace(finding.subject, findings.ProblemsOf(finding.subject));
      }
      for (TableWork& work : selection.tables) {
        if (IsWanted(work.name)) works.push_back(std::move(work));
      }
    }
    for (const auto& [name, trouble] : troubles) {
      RepairedTable table;
      table.source = name;
      Fail(std::move(table), trouble);
    }
    for (const std::string& pattern : options_.tables) {
      const auto meant = [&](const std::string& name) {
        return GlobMatches(pattern, name) || GlobMatches(pattern, name.substr(name.find('.') + 1));
      };
      const bool known =
          std::any_of(works.begin(), works.end(), [&](const TableWork& work) { return meant(work.name); }) ||
          std::any_of(troubles.begin(), troubles.end(), [&](const auto& each) { return meant(each.first); });
      if (known) continue;
      return WithHint(
          absl::InvalidArgumentError(fmt::format("`{}` matches none of the configuration's tables", pattern)),
          "`hakobu plan` shows what is delivered");
    }
    return works;
  }

  void Fail(RepairedTable table, const absl::Status& status) {
    table.error = std::string(View(status.message()));
    Log(LogSeverity::kError, "not compared", {{"table", table.source}, {"error", table.error}});
    report_.tables.push_back(std::move(table));
  }

  absl::Status CompareAny(const TableWork& work, RepairedTable* table) {
    if (work.options.mode != TableMode::kStream) {
      const auto idle = context_.ledger->Lock(LedgerUse::kRun);
      if (!idle.ok()) return WithHint(idle.status(), "compare when `hakobu run` has ended");
      return CompareNightly(&context_, work, table);
    }
    HAKOBU_RETURN_IF_ERROR(CheckState(work.name));
    if (options_.verify) {
      HAKOBU_ASSIGN_OR_RETURN(const TableOptions options, DeliveredOptions(config_, context_.ledger, work));
      HAKOBU_ASSIGN_OR_RETURN(const LaneSchema lane, MakeLaneSchema(config_, options, work.source));
      if (!lane.base.key.has_value()) return CompareKeyless(&context_, work, table);
    }
    return CompareAndRepair(work, table);
  }

  absl::Status RunTable(const TableWork& work) {
    RepairedTable table;
    table.source = work.name;
    const absl::Time began = context_.clock->Now();
    const absl::Status status = CompareAny(work, &table);
    if (status.code() == absl::StatusCode::kCancelled) return status;
    if (!status.ok()) {
      Fail(std::move(table), status);
      return absl::OkStatus();
    }
    if (!options_.verify && table.equal()) HAKOBU_RETURN_IF_ERROR(NoteProof(table, began));
    report_.tables.push_back(std::move(table));
    return absl::OkStatus();
  }

  absl::Status CheckState(const std::string& name) {
    const auto record = std::find_if(records_.begin(), records_.end(),
                                     [&](const StreamTableRecord& each) { return each.source == name; });
    if (record == records_.end()) {
      return WithHint(absl::FailedPreconditionError("it has not been streamed yet"), "run `hakobu stream`");
    }
    if (!IsDelivered(record->state)) {
      return WithHint(absl::FailedPreconditionError(
                          fmt::format("its changes are not delivered any more: {}", record->reason)),
                      fmt::format("`hakobu repair --recopy {}` copies it anew", name));
    }
    if (IsCopying(record->state) || record->state == StreamTableState::kCatching) {
      return WithHint(absl::FailedPreconditionError("its first copy is under way"),
                      "let `hakobu stream` finish it");
    }
    return absl::OkStatus();
  }

  absl::Status CompareAndRepair(const TableWork& work, RepairedTable* table) {
    HAKOBU_ASSIGN_OR_RETURN(const std::unique_ptr<TableCompare> compare, TableCompare::Open(&context_, work));
    HAKOBU_RETURN_IF_ERROR(compare->ReadSource());
    HAKOBU_ASSIGN_OR_RETURN(Differences differences, compare->Compare());
    for (int look = 1; look < kMostLooks && differences.all() > 0; ++look) {
      HAKOBU_ASSIGN_OR_RETURN(differences, compare->CompareAgain());
      if (compare->stream_is_behind()) break;
    }
    table->target = compare->target().ToString();
    table->chunks = compare->chunks();
    table->rows = compare->rows();
    table->found = table->left = differences;
    if (differences.all() > 0) {
      HAKOBU_ASSIGN_OR_RETURN(table->first_keys, compare->FirstKeys());
    }
    if (!options_.verify) {
      for (int round = 0; round < kMostRepairs && table->left.all() > 0; ++round) {
        table->repaired = true;
        HAKOBU_ASSIGN_OR_RETURN(table->left, compare->Repair());
      }
    }
    table->position = compare->position();
    table->behind = compare->stream_is_behind();
    Log(table->left.all() == 0 ? LogSeverity::kInfo : LogSeverity::kWarning,
        table->left.all() == 0 ? "table equals its source" : "table differs from its source",
        {{"table", table->source},
         {"rows", fmt::format("{}", table->rows)},
         {"found", fmt::format("{}", table->found.all())},
         {"left", fmt::format("{}", table->left.all())}});
    return compare->Finish();
  }

  // In every open gap that was there when the comparison began.
  absl::Status NoteProof(const RepairedTable& table, absl::Time began) {
    for (Gap& gap : gaps_) {
      if (!gap.open() || gap.record.opened > began) continue;
      for (GapTable& each : gap.tables) {
        if (each.source != table.source || each.whole()) continue;
        each.repair = TableRepair{.method = TableRepair::Method::kCompared,
                                  .when = context_.clock->Now(),
                                  .chunks = table.chunks,
                                  .rows = table.rows,
                                  .missing = table.found.missing,
                                  .differed = table.found.different,
                                  .extra = table.found.extra,
                                  .first_keys = table.first_keys,
                                  .position = table.position};
      }
      HAKOBU_RETURN_IF_ERROR(context_.log->UpdateGapTables(gap.record.id, GapTablesJson(gap.tables)));
      CrashPoint("repair.proof_stored");
    }
    return absl::OkStatus();
  }

  absl::Status CloseGaps() {
    for (Gap& gap : gaps_) {
      if (!gap.open()) continue;
      const std::string proof = GapTablesJson(gap.tables);
      HAKOBU_RETURN_IF_ERROR(context_.log->UpdateGapTables(gap.record.id, proof));
      const bool whole = std::all_of(gap.tables.begin(), gap.tables.end(),
                                     [](const GapTable& table) { return table.whole(); });
      if (!whole) continue;
      const absl::Time now = context_.clock->Now();
      HAKOBU_RETURN_IF_ERROR(context_.log->CloseGap(gap.record.id, now, proof));
      CrashPoint("repair.gap_closed");
      gap.record.state = GapState::kRepaired;
      gap.record.closed = now;
      report_.closed_gaps.push_back(gap.record.id);
      Log(LogSeverity::kInfo, "gap closed", {{"gap", fmt::format("{}", gap.record.id)}});
    }
    return MarkWhole();
  }

  // Tables that no open gap speaks against any more.
  absl::Status MarkWhole() {
    std::set<std::string> doubtful;
    HAKOBU_ASSIGN_OR_RETURN(const std::vector<StreamTableRecord> records, context_.log->Tables());
    // Read again, and after the tables: a stream beside this may have passed another gap meanwhile.
    HAKOBU_ASSIGN_OR_RETURN(std::vector<StreamGapRecord> gaps, context_.log->Gaps());
    for (StreamGapRecord& each : gaps) {
      HAKOBU_ASSIGN_OR_RETURN(const Gap gap, ReadGap(std::move(each)));
      if (!gap.open()) continue;
      for (const GapTable& table : gap.tables) {
        if (!table.whole()) doubtful.insert(table.source);
      }
    }
    for (const StreamTableRecord& record : records) {
      if (record.state != StreamTableState::kGap || doubtful.contains(record.source)) continue;
      const absl::Status whole = context_.log
                                     ->Advance(record.source, StreamTableEvent::kRepaired,
                                               [&](StreamTableRecord* repaired) {
                                                 repaired->reason.clear();
                                                 repaired->since = context_.clock->Now();
                                               })
                                     .status();
      // The stream has taken it elsewhere: to a copy, most likely.
      if (!absl::IsFailedPrecondition(whole)) HAKOBU_RETURN_IF_ERROR(whole);
    }
    return absl::OkStatus();
  }

  const Config& config_;
  const RepairOptions& options_;
  const Cancellation& cancel_;
  RepairContext context_;
  std::vector<Gap> gaps_;
  std::vector<StreamTableRecord> records_;
  RepairReport report_;
};

}  // namespace

absl::StatusOr<RepairReport> RunRepair(const Config& config, const RepairOptions& options,
                                       const Cancellation& cancel) {
  return Repairer(config, options, cancel).Run();
}

}  // namespace hakobu
