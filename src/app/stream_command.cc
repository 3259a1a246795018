#include "app/stream_command.h"

#include <fmt/format.h>
#include <malloc.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <memory>

#include "app/destination_side.h"
#include "app/interrupt.h"
#include "app/metrics_server.h"
#include "app/service_notifier.h"
#include "base/log.h"
#include "base/status.h"
#include "config/load.h"
#include "delivery/stream/stream.h"

namespace hakobu {
namespace {

struct StreamChoices {
  bool until_caught_up = false;
};

std::string ReportText(const StreamStatus& status) {
  if (status.file.empty()) return status.reason + "\n";
  std::string text = fmt::format("Delivered up to {}:{}{}\n", status.file, status.offset,
                                 status.gtid_set.empty() ? "" : " gtid=" + status.gtid_set);
  for (const StreamTableStatus& table : status.tables) {
    text += fmt::format("  {}  {}{}\n", table.source, NameOf(table.state),
                        table.reason.empty() ? "" : ": " + table.reason);
  }
  if (status.open_gaps > 0) text += fmt::format("open gaps: {}; see `hakobu gaps`\n", status.open_gaps);
  return text;
}

absl::StatusOr<int> Follow(const GlobalOptions& globals, const StreamChoices& choices) {
  Cancellation cancel;
  const std::unique_ptr<InterruptGuard> guard = InterruptGuard::Watch(&cancel);
  HAKOBU_ASSIGN_OR_RETURN(const Config config, LoadConfig(globals.config_path));
  SetUpLogFor(globals, config);
  // Requests are mapped by themselves, so that what a stall held goes back to the system. Without this glibc
  // raises the bound with every one that is freed.
  constexpr int kMappedFromBytes = 64 << 10;
  mallopt(M_MMAP_THRESHOLD, kMappedFromBytes);
  HAKOBU_ASSIGN_OR_RETURN(const std::unique_ptr<DestinationSide> destination, DestinationSide::Open(config));
  StreamOptions options;
  options.addresses = destination->addresses();
  options.until_caught_up = choices.until_caught_up;
  StatusBoard board;
  std::unique_ptr<MetricsServer> metrics;
  if (!config.stream.listen.empty()) {
    HAKOBU_ASSIGN_OR_RETURN(metrics,
                            MetricsServer::Start(config.stream.listen, [&board] { return board.Last(); }));
    Log(LogSeverity::kInfo, "metrics, health and readiness over HTTP", {{"address", metrics->address()}});
  }
  const char* service_socket = std::getenv("NOTIFY_SOCKET");
  ServiceNotifier observer(&board, service_socket != nullptr ? service_socket : "");
  HAKOBU_ASSIGN_OR_RETURN(const StreamReport report, RunStream(config, options, &observer, cancel));
  fmt::print("{}", globals.json ? StreamStatusToJson(report.status) + "\n" : ReportText(report.status));
  return ExitCode(report);
}

}  // namespace

void RegisterStreamCommand(CLI::App& app, CommandLine& line) {
  CLI::App* command = app.add_subcommand(
      "stream", "Follow the binary log: tables of mode: stream stay current within a second");
  auto choices = std::make_shared<StreamChoices>();
  command->add_flag(
      "--until-caught-up", choices->until_caught_up,
      "End once everything that was in the log at the start is delivered and first copies are whole");
  command->footer(
      R"(Runs in the foreground until Ctrl-C or SIGTERM: then what was read is delivered and the place is kept, and the next
start goes on there. Log lines say every change of state; --log-format json makes them one object each.
Examples:
  hakobu stream
  hakobu --log-format json stream
  hakobu stream --until-caught-up --json
)");
  command->callback([&line, choices] {
    line.action = [&line, choices] {
      const absl::StatusOr<int> result = Follow(line.options, *choices);
      return result.ok() ? *result : ReportFailure(line.options, result.status());
    };
  });
}

}  // namespace hakobu
