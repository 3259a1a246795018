#include "app/stream_command.h"

#include <fmt/format.h>
#include <malloc.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "app/attempt.h"
#include "app/destination_side.h"
#include "app/interrupt.h"
#include "app/metrics_server.h"
#include "app/service_notifier.h"
#include "app/stream_alerts.h"
#include "app/stream_conditions.h"
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

absl::StatusOr<StreamReport> Follow(const StreamChoices& choices, const Config& config, Notifier* notifier,
                                    const Cancellation& cancel) {
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
  StreamAlerts alerts(&board, config, notifier);
  ServiceNotifier observer(&alerts, service_socket != nullptr ? service_socket : "");
  return RunStream(config, options, &observer, cancel);
}

int FollowAndTell(const GlobalOptions& globals, const StreamChoices& choices) {
  Cancellation cancel;
  const std::unique_ptr<InterruptGuard> guard = InterruptGuard::Watch(&cancel);
  const absl::StatusOr<Config> config = LoadConfig(globals.config_path);
  if (config.ok()) SetUpLogFor(globals, *config);
  Attempt attempt("stream", globals, config, &cancel);
  const absl::StatusOr<StreamReport> report =
      config.ok() ? Follow(choices, *config, attempt.notifier(), cancel) : config.status();
  if (!report.ok()) {
    const int code = ReportFailure(globals, report.status());
    return attempt.End(code, std::string(View(report.status().message())),
                       absl::IsCancelled(report.status()) ? Observation{} : ObserveStreamEnd(report.status()),
                       /*is_well=*/false);
  }
  fmt::print("{}", globals.json ? StreamStatusToJson(report->status) + "\n" : ReportText(report->status));
  std::fflush(stdout);
  return attempt.End(ExitCode(*report), "", {}, /*is_well=*/false);
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
  command->callback(
      [&line, choices] { line.action = [&line, choices] { return FollowAndTell(line.options, *choices); }; });
}

}  // namespace hakobu
