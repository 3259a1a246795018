#include "delivery/preflight/check_source.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "base/glob.h"
#include "base/status.h"
#include "delivery/preflight/condition_check.h"
#include "delivery/preflight/selection.h"
#include "delivery/preflight/unused_entries.h"
#include "delivery/sides.h"

namespace hakobu {
namespace {

constexpr char kSourceSide[] = "source";

void CheckEncryption(const Config& config, const Connection& source, Findings* findings) {
  if (!config.source.socket.empty()) return;
  if (source.tls_cipher().empty()) {
    const bool here = config.source.host == "127.0.0.1" || config.source.host == "localhost";
    findings->Add(
        here ? FindingLevel::kNote : FindingLevel::kWarning, kSourceSide, "the connection is not encrypted",
        here ? "" : "set source.tls.mode to verify_identity, with the authority's file in source.tls.ca");
    return;
  }
  findings->Add(FindingLevel::kOk, kSourceSide, fmt::format("encrypted with {}", source.tls_cipher()));
  if (config.source.tls.mode == TlsMode::kRequire) {
    findings->Add(FindingLevel::kWarning, kSourceSide,
                  "the server's certificate is not looked at: somebody in between "
                  "could pose as it",
                  "set source.tls.mode to verify_identity");
  }
}

std::string_view CompressionName(WireCompression compression) {
  switch (compression) {
    case WireCompression::kZlib:
      return "zlib";
    case WireCompression::kZstd:
      return "zstd";
    case WireCompression::kNone:
      break;
  }
  return "none";
}

// The server has its say: MariaDB speaks no zstd, and either may be told to compress nothing.
void CheckCompression(const Config& config, const Connection& source, Findings* findings) {
  const WireCompression wanted = config.source.compression;
  if (wanted == WireCompression::kNone) return;
  const WireCompression got = source.compression();
  if (got == wanted) {
    findings->Add(FindingLevel::kOk, kSourceSide, fmt::format("compressed with {}", CompressionName(got)));
    return;
  }
  const std::string_view hint = wanted == WireCompression::kZstd
                                    ? "this server speaks no zstd: say zlib"
                                    : "the server offers no compression (protocol_compression_algorithms)";
  findings->Add(FindingLevel::kWarning, kSourceSide,
                fmt::format("source.compression is {}, and the connection is compressed with {}",
                            CompressionName(wanted), CompressionName(got)),
                std::string(hint));
}

void CheckSettings(const Config& config, const ServerFacts& facts, Findings* findings) {
  const std::string_view log = facts.Setting("log_bin");
  if (log == "OFF" || log == "0") {
    findings->Add(FindingLevel::kNote, kSourceSide,
                  "the binary log is off: a run's report has no log position");
  }
  if (facts.read_only)
    findings->Add(FindingLevel::kOk, kSourceSide, "the server is read-only (a replica): good to read from");
  int64_t most = 0;
  const std::string_view limit = facts.Setting("max_connections");
  std::from_chars(limit.data(), limit.data() + limit.size(), most);
  if (most > 0 && config.source.connections * 4 > most) {
    findings->Add(FindingLevel::kWarning, kSourceSide,
                  fmt::format("source.connections is {}, and the server lets in {} at most (max_connections)",
                              config.source.connections, most),
                  "others may be shut out during a run");
  }
}

// The column leads no index: every run would read the whole table to find what is new.
absl::StatusOr<bool> HasIndex(Connection* source, const TableWork& work, const std::string& column) {
  const absl::StatusOr<std::string> count = source->QueryValue(
      fmt::format("SELECT COUNT(*) FROM information_schema.STATISTICS WHERE SEQ_IN_INDEX = 1 AND "
                  "TABLE_SCHEMA = {} AND TABLE_NAME = {} AND COLUMN_NAME = {}",
                  QuoteText(work.source.database), QuoteText(work.source.name), QuoteText(column)));
  if (!count.ok()) return count.status();
  return count->size() != 1 || count->front() != '0';
}

void CheckCursor(Connection* source, const TableWork& work, Findings* findings) {
  if (work.mode != WriteMode::kIncremental) return;
  findings->Add(FindingLevel::kNote, work.name, "mode: incremental does not see deleted rows");
  if (ReadOpenTransactions(source).status().code() == absl::StatusCode::kPermissionDenied) {
    findings->Add(
        FindingLevel::kWarning, work.name,
        "the account lacks PROCESS: open transactions are not seen, and rows that commit later than "
        "`overlap` after they were written are missed",
        "GRANT PROCESS ON *.*, or raise `overlap` above the longest transaction");
  }
  const absl::StatusOr<bool> indexed = HasIndex(source, work, work.options.cursor);
  if (!indexed.ok()) return findings->AddStatus(work.name, indexed.status());
  if (*indexed) return;
  findings->Add(FindingLevel::kWarning, work.name,
                fmt::format("cursor `{}` leads no index: each run reads the whole table to find what is new",
                            work.options.cursor),
                fmt::format("CREATE INDEX … ON {}.{} ({})", QuoteIdentifier(work.source.database),
                            QuoteIdentifier(work.source.name), QuoteIdentifier(work.options.cursor)));
}

void NoteNames(const TableWork& work, Findings* findings) {
  for (const Field& field : work.schema.fields) {
    const std::string& name = work.source.columns[field.source_column].name;
    if (field.name == name) continue;
    findings->Add(
        FindingLevel::kNote, work.name,
        fmt::format("column `{}` is `{}` in BigQuery, which does not allow the name", name, field.name));
  }
  if (work.schema.fields.size() > 10'000) {
    findings->Add(FindingLevel::kProblem, work.name,
                  fmt::format("{} columns, and BigQuery takes 10000", work.schema.fields.size()),
                  "exclude some");
  }
}

void CheckReading(const Config& config, Connection* source, const TableWork& work, Findings* findings) {
  if (const absl::Status status = CheckCondition(source, work); !status.ok())
    return findings->AddStatus(work.name, status);
  ChunkOptions options;
  options.target_rows = work.options.chunk_rows;
  options.target_bytes = work.options.chunk_bytes;
  options.connections = config.source.connections;
  options.where = work.options.where;
  const absl::StatusOr<ChunkPlan> plan = PlanChunks(source, work.source, options);
  if (!plan.ok()) return findings->AddStatus(work.name, plan.status());
  if (plan->single_pass) {
    findings->Add(FindingLevel::kNote, work.name,
                  fmt::format("read in one pass, not in chunks: {}", plan->why));
  }
}

}  // namespace

std::unique_ptr<Connection> CheckServer(const Config& config, const Cancellation* cancel,
                                        Findings* findings) {
  absl::StatusOr<std::unique_ptr<Connection>> source = Connection::Open(SourceOptions(config.source, cancel));
  if (!source.ok()) {
    findings->AddStatus(kSourceSide, source.status());
    return nullptr;
  }
  const absl::StatusOr<ServerFacts> facts = ReadServerFacts(source->get());
  if (!facts.ok()) {
    findings->AddStatus(kSourceSide, facts.status());
    return nullptr;
  }
  findings->Add(FindingLevel::kOk, kSourceSide,
                fmt::format("{} {} at {}, as {}", facts->flavor == ServerFlavor::kMySql ? "MySQL" : "MariaDB",
                            facts->version, (*source)->where(), facts->privileges.user));
  CheckEncryption(config, **source, findings);
  CheckCompression(config, **source, findings);
  CheckSettings(config, *facts, findings);
  return *std::move(source);
}

std::vector<TableWork> CheckTables(const Config& config, Connection* source, Findings* findings) {
  Selection selected = Select(config, {}, DeliveredBy::kRun, source, findings);
  NoteLeftOut(selected, findings);
  // A stream's tables are looked at apart, but what the file says of columns is about both.
  Findings ignored;
  const Selection streamed = Select(config, {}, DeliveredBy::kStream, source, &ignored);
  std::vector<const TableWork*> all;
  for (const TableWork& work : selected.tables) all.push_back(&work);
  for (const TableWork& work : streamed.tables) all.push_back(&work);
  CheckUnusedEntries(config, all, findings);
  std::vector<TableWork> good;
  for (TableWork& work : selected.tables) {
    if (const absl::Status mapped = MapTable(config, &work); !mapped.ok()) {
      findings->AddStatus(work.name, mapped);
      continue;
    }
    NoteNames(work, findings);
    CheckCursor(source, work, findings);
    CheckReading(config, source, work, findings);
    good.push_back(std::move(work));
  }
  return good;
}

void CheckAccount(const Config& config, const std::vector<TableWork>& tables, Connection* source,
                  Findings* findings) {
  const absl::StatusOr<ServerFacts> facts = ReadServerFacts(source);
  if (!facts.ok()) return findings->AddStatus(kSourceSide, facts.status());
  std::set<std::string> databases;
  for (const TableWork& work : tables) databases.insert(work.source.database);
  for (const TableRule& rule : config.tables) {
    const std::string database = rule.pattern.substr(0, rule.pattern.find('.'));
    if (!IsGlob(database)) databases.insert(database);
  }
  const PrivilegeReport report =
      CheckPrivileges(facts->privileges, {databases.begin(), databases.end()}, /*streams=*/false);
  for (const std::string& grant : report.missing) {
    // A table that was listed can be read: SELECT on single tables is enough. Positions are nice to have.
    const bool select = grant.find("SELECT") != std::string::npos;
    const bool enough = !select || (!tables.empty() && !findings->has_problems());
    findings->Add(enough ? FindingLevel::kWarning : FindingLevel::kProblem, kSourceSide,
                  select ? "the account may not SELECT everything in a database that is delivered"
                         : "the account may not see the log's position, which the report would name",
                  grant);
  }
  if (!report.excessive.empty()) {
    constexpr size_t kMost = 6;
    std::vector<std::string> named = report.excessive;
    named.resize(std::min(named.size(), kMost));
    std::string list = fmt::format("{}", fmt::join(named, ", "));
    if (report.excessive.size() > kMost) list += fmt::format(" and {} more", report.excessive.size() - kMost);
    findings->Add(
        FindingLevel::kWarning, kSourceSide, "the account may do more than reading: " + list,
        "use an account with SELECT alone: hakobu never writes, but whoever finds its password could");
  }
}

}  // namespace hakobu
