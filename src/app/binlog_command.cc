#include "app/binlog_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <vector>

#include "app/change_json.h"
#include "base/status.h"
#include "config/glob.h"
#include "source/binlog_file.h"

namespace hakobu {
namespace {

struct BinlogOptions {
  std::vector<std::string> files;
  std::vector<std::string> tables;
};

absl::Status WriteLine(const std::string& line) {
  if (std::fwrite(line.data(), 1, line.size(), stdout) == line.size()) return absl::OkStatus();
  return absl::UnavailableError(fmt::format("write to standard output: {}", std::strerror(errno)));
}

absl::Status PrintFile(const std::string& path, binlog::LogDecoder* decoder) {
  HAKOBU_ASSIGN_OR_RETURN(BinlogFile file, BinlogFile::Open(path));
  decoder->SetPosition(file.name(), file.position());
  for (;;) {
    std::string_view event;
    HAKOBU_ASSIGN_OR_RETURN(const bool more, file.Next(&event));
    if (!more) return absl::OkStatus();
    HAKOBU_RETURN_IF_ERROR(decoder->Feed(event));
  }
}

int PrintChanges(const BinlogOptions& options) {
  const auto wanted = [&](const std::string& database, const std::string& table) {
    if (options.tables.empty()) return true;
    const std::string name = fmt::format("{}.{}", database, table);
    for (const std::string& glob : options.tables) {
      if (GlobMatches(glob, name)) return true;
    }
    return false;
  };
  ChangeJson changes(wanted, WriteLine);
  binlog::LogDecoder decoder(&changes);
  for (const std::string& path : options.files) {
    const absl::Status printed = PrintFile(path, &decoder);
    std::fflush(stdout);  // what could be read comes before what went wrong
    if (!printed.ok()) {
      ReportError(printed);
      return absl::IsInvalidArgument(printed) ? kExitUsage : kExitFailed;
    }
  }
  return kExitDone;
}

}  // namespace

void RegisterBinlogCommand(CLI::App& app, CommandLine& line) {
  CLI::App* command = app.add_subcommand("binlog", "Print the changes in binary log files as JSON lines");
  const auto options = std::make_shared<BinlogOptions>();
  command->add_option("files", options->files, "Binary log files, in order; - is standard input")
      ->required()
      ->type_name("FILE");
  command
      ->add_option("--table", options->tables,
                   "Only rows of tables that match database.table (* and ?); repeatable")
      ->type_name("GLOB");
  command->footer(R"(Each line is one row change or one statement:
  {"file":…,"position":…,"gtid":…,"time":…,"type":"update","database":…,"table":…,"key":{…},"before":{…},"after":{…}}
Column names are in the log when the source has binlog_row_metadata=FULL; otherwise columns are "@1", "@2" ….

Examples:
  hakobu binlog binlog.000041 binlog.000042
  mariadb-binlog --read-from-remote-server --raw … && hakobu binlog --table 'shop.*' binlog.000042 | jq .after
)");
  command->callback([&line, options] { line.action = [options] { return PrintChanges(*options); }; });
}

}  // namespace hakobu
