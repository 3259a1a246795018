#include "delivery/preflight/check_stream.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "base/status.h"
#include "delivery/preflight/selection.h"
#include "delivery/stream/headroom.h"
#include "delivery/stream/lane_schema.h"
#include "source/log_silence.h"
#include "source/log_state.h"

namespace hakobu {
namespace {

constexpr char kStreamSubject[] = "stream";
// A log that is kept for less does not outlive a bad night.
constexpr absl::Duration kShortRetention = absl::Hours(24);

void CheckLogSettings(const LogState& state, const std::set<std::string>& databases, Findings* findings) {
  for (const LogSilence& silence : SilencesOf(state, databases)) {
    findings->Add(FindingLevel::kProblem, kStreamSubject, silence.what, silence.hint);
  }
  if (!state.log_on) return;
  for (const std::string& sentence : FilteredStatements(state, databases)) {
    findings->Add(FindingLevel::kWarning, kStreamSubject, sentence, "take the filter away on the source");
  }
  if (!state.gtid_on && state.flavor == ServerFlavor::kMySql) {
    findings->Add(FindingLevel::kWarning, kStreamSubject,
                  "gtid_mode is not ON: after a failover or a reset nobody can prove that nothing is missing",
                  "turn gtid_mode on");
  }
  if (state.sync_binlog != 1) {
    findings->Add(
        FindingLevel::kWarning, kStreamSubject,
        fmt::format(
            "sync_binlog is {}: a crash of the source can lose transactions that were delivered already",
            state.sync_binlog),
        "sync_binlog=1");
  }
  if (state.kept_for.has_value() && *state.kept_for < kShortRetention) {
    findings->Add(
        FindingLevel::kWarning, kStreamSubject,
        fmt::format("the log is kept for {} ({})", absl::FormatDuration(*state.kept_for), state.kept_by),
        "a stream that is off for longer has a gap: keep it for days");
  }
  if (state.row_metadata != "FULL" && !state.row_metadata.empty()) {
    findings->Add(FindingLevel::kNote, kStreamSubject,
                  "binlog_row_metadata is not FULL: columns are known by the statements in the log");
  }
}

void CheckStreamAccount(Connection* source, Findings* findings) {
  const absl::Status may_read = CheckMayReadLog(source);
  if (!may_read.ok()) findings->AddStatus(kStreamSubject, may_read);
}

// Rows that a cascade deletes or changes are not in the log.
void CheckCascades(const std::set<std::string>& databases, Connection* source, Findings* findings) {
  const auto cascades = ReadUnloggedCascades(source, databases);
  if (!cascades.ok()) return findings->AddStatus(kStreamSubject, cascades.status());
  for (const auto& [table, rules] : *cascades) {
    findings->Add(FindingLevel::kWarning, table,
                  fmt::format("a foreign key changes its rows without the log ({})", rules),
                  "delete the rows by statements of their own, or repair the table now and then");
  }
}

}  // namespace

absl::Status CheckMayReadLog(Connection* source) {
  HAKOBU_ASSIGN_OR_RETURN(const ServerFacts facts, ReadServerFacts(source));
  const PrivilegeReport report = CheckPrivileges(facts.privileges, {}, /*streams=*/true);
  if (report.missing.empty()) return absl::OkStatus();
  return WithHint(absl::PermissionDeniedError("the account may not read the log"),
                  fmt::format("{}", fmt::join(report.missing, "; ")));
}

std::vector<TableWork> CheckStream(const Config& config, Connection* source, Findings* findings) {
  std::vector<TableWork> good;
  const Selection selected = Select(config, {}, DeliveredBy::kStream, source, findings);
  NoteLeftOut(selected, findings);
  const std::vector<TableWork>& works = selected.tables;
  if (works.empty()) return good;
  std::set<std::string> databases;
  for (const TableWork& work : works) {
    databases.insert(work.source.database);
    const absl::StatusOr<LaneSchema> schema = MakeLaneSchema(config, work.options, work.source);
    if (!schema.ok()) {
      findings->AddStatus(work.name, schema.status());
      continue;
    }
    findings->Add(FindingLevel::kOk, work.name,
                  fmt::format("{} columns to {}, streamed ({})", schema->work.schema.fields.size(),
                              schema->work.target.ToString(), LaneModeName(schema->mode)));
    if (schema->mode == LaneMode::kHistory && !work.options.history) {
      findings->Add(FindingLevel::kNote, work.name,
                    "no key: every change becomes a row of its own (history)");
    }
    good.push_back(schema->work);
  }
  const absl::StatusOr<LogState> state = ReadLogState(source);
  if (state.ok()) {
    CheckLogSettings(*state, databases, findings);
  } else {
    findings->AddStatus(kStreamSubject, state.status());
  }
  CheckStreamAccount(source, findings);
  CheckCascades(databases, source, findings);
  return good;
}

}  // namespace hakobu
