// What the commands of `hakobu` share: the global options, and how a command hands main its work.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "base/log.h"

namespace CLI {
class App;
}

namespace hakobu {

enum ExitStatus : int {
  kExitDone = 0,
  kExitFailed = 1,
  kExitUsage = 2,        // wrong usage or configuration
  kExitDoneButLate = 3,  // done, but late or with quarantined values
  kExitWouldLoseData = 4,
};

struct GlobalOptions {
  std::string config_path = "hakobu.yaml";
  bool json = false;
  bool verbose = false;
  std::string log_format;  // empty: as the configuration says
};

// A command's register function adds its subcommand to `app` and, in the subcommand's callback, sets
// `action`. main runs it after parsing, with the log set up, and exits with its result.
struct CommandLine {
  GlobalOptions options;
  std::function<int()> action;
};

struct Config;  // config/config.h
// As the command line says; until the configuration is read.
void SetUpLogFor(const GlobalOptions& options);
// The configuration's `log:`, where the command line says nothing.
void SetUpLogFor(const GlobalOptions& options, const Config& config);

// InvalidArgument is wrong usage or configuration (2), DataLoss a refusal (4), everything else a failure (1).
int ExitCodeFor(const absl::Status& status);

// Says on standard error that a command failed, as `hakobu: <message>`, or as a log line where log lines are
// JSON; answers ExitCodeFor the status.
int ReportError(const absl::Status& status);
// The same for a command whose result is one JSON document on standard output: with --json there is one for a
// failure too: {"error": {"message": …, "exit_code": …}}.
int ReportFailure(const GlobalOptions& options, const absl::Status& status);

// Says something to the person at the terminal: on standard error, as ReportError does.
void Tell(std::string_view message);

}  // namespace hakobu
