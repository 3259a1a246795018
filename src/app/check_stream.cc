#include "app/check_stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/status.h"
#include "delivery/stream/headroom.h"
#include "delivery/stream/lane_schema.h"
#include "source/log_state.h"

namespace hakobu {
namespace {

constexpr char kSubject[] = "stream";
// A log that is kept for less does not outlive a bad night.
constexpr absl::Duration kShortRetention = absl::Hours(24);

void CheckLogSettings(const LogState& state, Findings* findings) {
  const auto problem = [&](std::string text, std::string hint) {
    findings->Add(FindingLevel::kProblem, kSubject, std::move(text), std::move(hint));
  };
  if (!state.log_on) return problem("the source writes no binary log", "set log_bin on the source");
  if (state.format != "ROW") {
    problem(fmt::format("binlog_format is {}, the stream needs ROW", state.format),
            "SET GLOBAL binlog_format = ROW");
  }
  if (state.row_image != "FULL") {
    problem(fmt::format("binlog_row_image is {}, the stream needs FULL", state.row_image),
            "SET GLOBAL binlog_row_image = FULL");
  }
  if (!state.gtid_on && state.flavor == ServerFlavor::kMySql) {
    findings->Add(FindingLevel::kWarning, kSubject,
                  "gtid_mode is not ON: after a failover or a reset nobody can prove that nothing is missing",
                  "turn gtid_mode on");
  }
  if (state.sync_binlog != 1) {
    findings->Add(
        FindingLevel::kWarning, kSubject,
        fmt::format(
            "sync_binlog is {}: a crash of the source can lose transactions that were delivered already",
            state.sync_binlog),
        "sync_binlog=1");
  }
  if (state.kept_for.has_value() && *state.kept_for < kShortRetention) {
    findings->Add(
        FindingLevel::kWarning, kSubject,
        fmt::format("the log is kept for {} ({})", absl::FormatDuration(*state.kept_for), state.kept_by),
        "a stream that is off for longer has a gap: keep it for days");
  }
  if (state.row_metadata != "FULL" && !state.row_metadata.empty()) {
    findings->Add(FindingLevel::kNote, kSubject,
                  "binlog_row_metadata is not FULL: columns are known by the statements in the log");
  }
}

void CheckStreamAccount(const std::set<std::string>& databases, Connection* source, Findings* findings) {
  const absl::StatusOr<ServerFacts> facts = ReadServerFacts(source);
  if (!facts.ok()) return findings->AddStatus(kSubject, facts.status());
  const PrivilegeReport report =
      CheckPrivileges(facts->privileges, {databases.begin(), databases.end()}, /*streams=*/true);
  for (const std::string& grant : report.missing) {
    if (grant.find("REPLICATION") == std::string::npos && grant.find("BINLOG") == std::string::npos) continue;
    findings->Add(FindingLevel::kProblem, kSubject, "the account may not read the log", grant);
  }
  const bool replica_without_log =
      facts->Setting("log_replica_updates") == "OFF" || facts->Setting("log_slave_updates") == "OFF";
  if (facts->read_only && replica_without_log) {
    findings->Add(FindingLevel::kProblem, kSubject,
                  "the source is a replica that does not log what it replicates",
                  "set log_replica_updates=ON there, or stream from its own source");
  }
}

// Rows that a cascade deletes or changes are not in the log.
void CheckCascades(const std::set<std::string>& databases, Connection* source, Findings* findings) {
  for (const std::string& database : databases) {
    const absl::StatusOr<QueryResult> result = source->Query(
        fmt::format("SELECT TABLE_NAME, REFERENCED_TABLE_NAME, DELETE_RULE, UPDATE_RULE FROM "
                    "information_schema.REFERENTIAL_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = {} AND "
                    "(DELETE_RULE IN ('CASCADE', 'SET NULL') OR UPDATE_RULE IN ('CASCADE', 'SET NULL'))",
                    QuoteText(database)));
    if (!result.ok()) return findings->AddStatus(kSubject, result.status());
    for (const auto& row : result->rows) {
      findings->Add(
          FindingLevel::kWarning, fmt::format("{}.{}", database, row[0].value_or("")),
          fmt::format(
              "a foreign key to {} cascades (ON DELETE {}, ON UPDATE {}): what it changes here is not in "
              "the log",
              row[1].value_or(""), row[2].value_or(""), row[3].value_or("")),
          "delete the rows by statements of their own, or repair the table now and then");
    }
  }
}

}  // namespace

void CheckStream(const Config& config, Connection* source, Findings* findings) {
  Problems problems;
  const std::vector<TableWork> works = SelectTables(config, {}, source, &problems, DeliveredBy::kStream);
  if (works.empty()) return;
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
  }
  const absl::StatusOr<LogState> state = ReadLogState(source);
  if (state.ok()) {
    CheckLogSettings(*state, findings);
  } else {
    findings->AddStatus(kSubject, state.status());
  }
  CheckStreamAccount(databases, source, findings);
  CheckCascades(databases, source, findings);
}

}  // namespace hakobu
