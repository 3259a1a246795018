#include "app/pace_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/status.h"
#include "config/load.h"
#include "ledger/ledger.h"

namespace hakobu {
namespace {

absl::StatusOr<int> Wish(const GlobalOptions& globals, double share) {
  HAKOBU_ASSIGN_OR_RETURN(const Config config, LoadConfig(globals.config_path, ProcessEnvironment(),
                                                          SecretUse::kUnread, TenantUse::kServed));
  HAKOBU_ASSIGN_OR_RETURN(const std::unique_ptr<Ledger> ledger, Ledger::Open(config.ledger));
  HAKOBU_RETURN_IF_ERROR(ledger->pace().SetWish({.share = share, .since = Clock::Real()->Now()}));
  if (globals.json) {
    fmt::print("{}\n", nlohmann::json({{"share", share}}).dump());
  } else if (share <= 0) {
    fmt::print("Paused: runs of {} begin no chunk until `hakobu resume`.\n", config.ledger);
  } else if (share < 1) {
    fmt::print("Throttled: runs of {} read at {:.0f} % until `hakobu resume`.\n", config.ledger, share * 100);
  } else {
    fmt::print("Resumed: runs of {} read as fast as source.budget allows.\n", config.ledger);
  }
  return kExitDone;
}

void SetWishAction(CLI::App* command, CommandLine& line, std::function<double()> share) {
  command->callback([&line, share] {
    line.action = [&line, share] {
      const absl::StatusOr<int> result = Wish(line.options, share());
      return result.ok() ? *result : ReportError(result.status());
    };
  });
}

constexpr char kPaceFooter[] =
    R"(Kept in the ledger: a run that is under way obeys within a second or two, at its next chunk, and later runs obey
too, until `hakobu resume`. The time is shown as `person` in the run's report.
)";

}  // namespace

void RegisterPaceCommands(CLI::App& app, CommandLine& line) {
  CLI::App* throttle = app.add_subcommand("throttle", "Let runs read at a part of their speed only");
  auto percent = std::make_shared<double>(0);
  throttle->add_option("percent", *percent, "Of the fastest that was seen, 1 to 100")
      ->required()
      ->check(CLI::Range(1.0, 100.0))
      ->type_name("PERCENT");
  throttle->footer(kPaceFooter);
  SetWishAction(throttle, line, [percent] { return *percent / 100; });
  CLI::App* pause = app.add_subcommand("pause", "Let runs begin no further chunk");
  pause->footer(kPaceFooter);
  SetWishAction(pause, line, [] { return 0.0; });
  CLI::App* resume = app.add_subcommand("resume", "Take back `throttle` and `pause`");
  resume->footer(kPaceFooter);
  SetWishAction(resume, line, [] { return 1.0; });
}

}  // namespace hakobu
