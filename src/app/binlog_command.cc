#include "app/binlog_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <vector>

#include "app/change_json.h"
#include "app/interrupt.h"
#include "app/log_range.h"
#include "app/source_flags.h"
#include "base/glob.h"
#include "base/status.h"
#include "config/load.h"
#include "delivery/sides.h"
#include "source/binlog_file.h"
#include "source/log_stream.h"
#include "source/schema.h"

namespace hakobu {
namespace {

struct BinlogOptions {
  std::vector<std::string> files;
  std::vector<std::string> tables;
  bool live = false;
  bool stop_at_end = false;
  std::string from, until;
  SourceFlags source;
};

absl::Status WriteLine(const std::string& line) {
  if (std::fwrite(line.data(), 1, line.size(), stdout) == line.size()) return absl::OkStatus();
  return absl::UnavailableError(fmt::format("write to standard output: {}", std::strerror(errno)));
}

ChangeJson::Wanted WantedTables(const std::vector<std::string>& globs) {
  return [globs](const std::string& database, const std::string& table) {
    if (globs.empty()) return true;
    const std::string name = fmt::format("{}.{}", database, table);
    for (const std::string& glob : globs) {
      if (GlobMatches(glob, name)) return true;
    }
    return false;
  };
}

absl::Status PrintFile(const std::string& path, binlog::LogDecoder* decoder, const LogRange& range) {
  HAKOBU_ASSIGN_OR_RETURN(BinlogFile file, BinlogFile::Open(path));
  decoder->SetPosition(file.name(), file.position());
  while (!range.done()) {
    std::string_view event;
    HAKOBU_ASSIGN_OR_RETURN(const bool more, file.Next(&event));
    if (!more) break;
    HAKOBU_RETURN_IF_ERROR(decoder->Feed(event));
  }
  return absl::OkStatus();
}

// A server ends a file between two transactions: one that ends within one was cut, or is being written still.
absl::Status CheckWhole(const binlog::LogDecoder& decoder) {
  if (!decoder.in_transaction()) return absl::OkStatus();
  return WithHint(
      absl::DataLossError(fmt::format("binary log {}: it ends inside the transaction that begins at {}{}",
                                      decoder.context().file, decoder.transaction_position(),
                                      decoder.context().gtid.empty() ? "" : ", " + decoder.context().gtid)),
      "copy the file again when the server has closed it, or read it with --live; if its server crashed "
      "there, the "
      "transaction was rolled back");
}

absl::Status PrintFiles(const BinlogOptions& options, binlog::LogDecoder* decoder, const LogRange& range) {
  absl::Status whole;
  for (const std::string& path : options.files) {
    const absl::Status printed = PrintFile(path, decoder, range);
    std::fflush(stdout);  // what could be read comes before what went wrong
    if (!printed.ok() || range.done()) return printed;
    whole.Update(CheckWhole(*decoder));  // the next files may be read all the same
  }
  return whole;
}

absl::StatusOr<ConnectOptions> Source(const GlobalOptions& globals, const BinlogOptions& options) {
  if (!options.source.user.empty() || !options.source.socket.empty())
    return SourceFlagsToOptions(options.source);
  HAKOBU_ASSIGN_OR_RETURN(const Config config, LoadConfig(globals.config_path));
  SetUpLogFor(globals, config);
  return SourceOptions(config.source);
}

LogStart StartOf(const LogBound& from) {
  switch (from.kind) {
    case LogBound::Kind::kPosition:
      return LogStart::At(from.point.file, std::max<uint64_t>(from.point.offset, 4));
    case LogBound::Kind::kGtids:
      return LogStart::After(from.gtids.Text(), from.gtids.ToBytes());
    case LogBound::Kind::kMariadbGtids:
      return LogStart::After(from.text, "");
    case LogBound::Kind::kTime:  // what is older is left out by the range
    case LogBound::Kind::kOldest:
      return LogStart::Oldest();
    default:
      return LogStart::Now();
  }
}

absl::Status PrintStream(LogStream* stream, binlog::LogDecoder* decoder, const LogRange& range,
                         const Cancellation& cancel) {
  constexpr absl::Duration kAtATime = absl::Milliseconds(200);
  while (!range.done() && !stream->at_end() && !cancel.cancelled()) {
    HAKOBU_ASSIGN_OR_RETURN(std::optional<std::string_view> event, stream->Next(absl::ZeroDuration()));
    if (!event) {
      if (std::fflush(stdout) != 0) return WriteLine("");
      HAKOBU_ASSIGN_OR_RETURN(event, stream->Next(kAtATime));
    }
    if (event) HAKOBU_RETURN_IF_ERROR(decoder->Feed(*event));
  }
  return absl::OkStatus();
}

absl::Status PrintLive(const GlobalOptions& globals, const BinlogOptions& options, const LogBound& from,
                       binlog::LogDecoder* decoder, const LogRange& range) {
  HAKOBU_ASSIGN_OR_RETURN(ConnectOptions connect, Source(globals, options));
  Cancellation cancel;
  connect.cancel = &cancel;
  const std::unique_ptr<InterruptGuard> guard = InterruptGuard::Watch(&cancel, "");
  LogStreamOptions stream_options;
  stream_options.stop_at_end = options.stop_at_end;
  HAKOBU_ASSIGN_OR_RETURN(const std::unique_ptr<LogStream> stream,
                          LogStream::Open(connect, StartOf(from), stream_options));
  const absl::Status printed = PrintStream(stream.get(), decoder, range, cancel);
  std::fflush(stdout);
  if (absl::IsCancelled(printed)) return absl::OkStatus();
  if (absl::IsUnavailable(printed) && !decoder->in_transaction() && !decoder->context().file.empty()) {
    return WithHint(
        printed, fmt::format("go on with --from {}",
                             LogPoint::At(decoder->context().file, decoder->context().next_position).Text()));
  }
  return printed;
}

// Asks the server over a connection of its own, opened when it is first wanted.
ChangeJson::Describe DescribeBy(const GlobalOptions& globals, const BinlogOptions& options) {
  auto connection = std::make_shared<std::unique_ptr<Connection>>();
  return [&globals, &options, connection](const std::string& database,
                                          const std::string& table) -> std::optional<SourceTable> {
    if (*connection == nullptr) {
      const absl::StatusOr<ConnectOptions> connect = Source(globals, options);
      absl::StatusOr<std::unique_ptr<Connection>> opened =
          connect.ok() ? Connection::Open(*connect) : connect.status();
      if (!opened.ok()) return std::nullopt;
      *connection = *std::move(opened);
    }
    if ((*connection)->flavor() != ServerFlavor::kMariaDb) return std::nullopt;
    absl::StatusOr<SourceTable> described = ReadTable(connection->get(), database, table);
    if (described.ok()) return *std::move(described);
    if (absl::IsUnavailable(described.status())) connection->reset();
    return std::nullopt;
  };
}

absl::Status PrintChanges(const GlobalOptions& globals, const BinlogOptions& options) {
  if (options.live != options.files.empty()) {
    return absl::InvalidArgumentError("expected log files, or --live for a server's log: one of them");
  }
  HAKOBU_ASSIGN_OR_RETURN(const LogBound from, LogBound::Parse(options.from));
  HAKOBU_ASSIGN_OR_RETURN(const LogBound until, LogBound::Parse(options.until));
  if (!options.live && from.kind == LogBound::Kind::kMariadbGtids) {
    return absl::InvalidArgumentError(
        "--from with MariaDB's GTIDs needs --live: only the server knows their place");
  }
  ChangeJson changes(WantedTables(options.tables), WriteLine,
                     options.live ? DescribeBy(globals, options) : ChangeJson::Describe());
  LogRange range(from, until, &changes);
  binlog::LogDecoder decoder(&range);
  return options.live ? PrintLive(globals, options, from, &decoder, range)
                      : PrintFiles(options, &decoder, range);
}

int Run(const GlobalOptions& globals, const BinlogOptions& options) {
  const absl::Status printed = PrintChanges(globals, options);
  if (printed.ok()) return kExitDone;
  ReportError(printed);
  return absl::IsInvalidArgument(printed) ? kExitUsage : kExitFailed;
}

constexpr std::string_view kFooter = R"(Each line is one row change or one statement:
  {"file":…,"position":…,"gtid":…,"time":…,"type":"update","database":…,"table":…,"key":{…},"before":{…},"after":{…}}
Rows that ROLLBACK TO undoes are left out; those of a transaction that ends as "rollback" did not stay. MariaDB's
uuid, inet4 and inet6 are bytes in its log: with --live the server is asked, from files they come as base64.
Exit code 1: something could not be read, or a file ends inside a transaction.
Column names are in the log when the source has binlog_row_metadata=FULL; otherwise columns are "@1", "@2" ….
A place is FILE, FILE:OFFSET, a GTID set (what it holds has been seen), or a time; for --live also now (the default)
and oldest. --live reads the source of hakobu.yaml, or the one that --user and --host or --socket name, as a replica
does: it needs REPLICATION SLAVE and REPLICATION CLIENT.

Examples:
  hakobu binlog binlog.000041 binlog.000042 --from 2024-02-29T12:00:00Z
  hakobu binlog --live --table 'shop.*' | jq .after
  hakobu binlog --live --from oldest --until binlog.000042:1234 --stop-at-end
)";

}  // namespace

void RegisterBinlogCommand(CLI::App& app, CommandLine& line) {
  CLI::App* command = app.add_subcommand(
      "binlog", "Print the changes in binary log files, or in a server's log, as JSON lines");
  const auto options = std::make_shared<BinlogOptions>();
  command->add_option("files", options->files, "Binary log files, in order; - is standard input")
      ->type_name("FILE");
  command
      ->add_option("--table", options->tables,
                   "Only rows of tables that match database.table (* and ?); repeatable")
      ->allow_extra_args(false)  // what follows is a file
      ->type_name("GLOB");
  command->add_option("--from", options->from, "Only transactions from this place on")->type_name("PLACE");
  command->add_option("--until", options->until, "Only transactions before this place; with GTIDs: up to it")
      ->type_name("PLACE");
  command->add_flag("--live", options->live, "Follow a server's log until Ctrl-C");
  command->add_flag("--stop-at-end", options->stop_at_end, "With --live: end where the log ends now");
  AddSourceFlags(command, &options->source);
  command->footer(std::string(kFooter));
  command->callback(
      [&line, options] { line.action = [&line, options] { return Run(line.options, *options); }; });
}

}  // namespace hakobu
