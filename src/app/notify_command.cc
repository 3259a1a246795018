#include "app/notify_command.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "absl/time/clock.h"
#include "app/attempt.h"
#include "app/interrupt.h"
#include "app/text_table.h"
#include "base/escape.h"
#include "base/status.h"
#include "config/load.h"
#include "ledger/ledger.h"
#include "notify/carrier.h"
#include "notify/judge.h"
#include "notify/notifier.h"

namespace hakobu {
namespace {

using nlohmann::ordered_json;

constexpr size_t kNoticesShown = 20;
constexpr absl::Duration kSendPatience = absl::Minutes(1);

struct NotifyChoices {
  std::vector<std::string> channels;
  std::string cause;
};

std::string NoticeTime(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", time, absl::UTCTimeZone());
}

absl::StatusOr<std::unique_ptr<Ledger>> LedgerThatIs(const Config& config) {
  if (!std::filesystem::exists(config.ledger)) {
    return WithHint(
        absl::FailedPreconditionError(fmt::format("expected the ledger {}, found no file", config.ledger)),
        "the first `hakobu run` or `hakobu stream` makes it");
  }
  return Ledger::Open(config.ledger);
}

absl::StatusOr<std::vector<ChannelConfig>> ChosenChannels(const Config& config,
                                                          const std::vector<std::string>& names) {
  const std::vector<ChannelConfig>& all = config.notify.channels;
  if (all.empty()) {
    return WithHint(absl::InvalidArgumentError("expected notify.channels in the configuration, found none"),
                    "docs/alerts.md has one of each kind");
  }
  if (names.empty()) return all;
  std::vector<ChannelConfig> chosen;
  for (const std::string& name : names) {
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const ChannelConfig& each) { return each.name == name; });
    if (found == all.end()) {
      std::vector<std::string> known;
      for (const ChannelConfig& each : all) known.push_back(each.name);
      return absl::InvalidArgumentError(
          fmt::format("expected one of the channels {}, found `{}`", fmt::join(known, ", "), name));
    }
    chosen.push_back(*found);
  }
  return chosen;
}

absl::StatusOr<int> TestChannels(const GlobalOptions& globals, const NotifyChoices& choices) {
  Cancellation cancel;
  const std::unique_ptr<InterruptGuard> guard = InterruptGuard::Watch(&cancel, "stopping");
  HAKOBU_ASSIGN_OR_RETURN(const Config config, LoadConfig(globals.config_path));
  HAKOBU_ASSIGN_OR_RETURN(const std::vector<ChannelConfig> channels,
                          ChosenChannels(config, choices.channels));
  Carrier carrier(NoticeHttp(config));
  const absl::Time now = absl::Now();
  const NoticeOrigin origin = OriginOfThis("test", config.path);
  TextTable table({{"channel", Align::kLeft}, {"type", Align::kLeft}, {"result", Align::kLeft}});
  ordered_json list = ordered_json::array();
  bool all_well = true;
  for (const ChannelConfig& channel : channels) {
    const std::vector<NoticeRecord> notice = TestNotices({channel.name}, origin, now);
    const std::string id = fmt::format("test-{}-{}", absl::ToUnixMicros(now), channel.name);
    const absl::Status status = carrier.Carry(channel, notice[0].event_json, id, now, cancel).status;
    all_well &= status.ok();
    const std::string error = EscapeControl(View(status.message()));
    table.AddRow({channel.name, std::string(NameOf(channel.type)), status.ok() ? "delivered" : error});
    list.push_back({{"channel", channel.name}, {"delivered", status.ok()}, {"error", error}});
  }
  fmt::print("{}", globals.json ? list.dump(2) + "\n" : table.Render());
  return all_well ? kExitDone : kExitFailed;
}

absl::StatusOr<int> ShowNotices(const GlobalOptions& globals, const NotifyChoices&) {
  HAKOBU_ASSIGN_OR_RETURN(const Config config,
                          LoadConfig(globals.config_path, ProcessEnvironment(), SecretUse::kUnread));
  HAKOBU_ASSIGN_OR_RETURN(const std::unique_ptr<Ledger> ledger, LedgerThatIs(config));
  HAKOBU_ASSIGN_OR_RETURN(const std::vector<AlertRecord> alerts, ledger->alerts().Alerts());
  HAKOBU_ASSIGN_OR_RETURN(const std::vector<NoticeRecord> notices, ledger->alerts().Notices(kNoticesShown));
  ordered_json shown = {{"alerts", ordered_json::array()}, {"messages", ordered_json::array()}};
  TextTable lasting(
      {{"alert", Align::kLeft}, {"level", Align::kLeft}, {"since", Align::kLeft}, {"", Align::kLeft}});
  for (const AlertRecord& alert : alerts) {
    if (!alert.lasts()) continue;
    lasting.AddRow({alert.cause, alert.level, NoticeTime(alert.since), alert.title});
    shown["alerts"].push_back({{"cause", alert.cause},
                               {"level", alert.level},
                               {"title", alert.title},
                               {"detail", alert.detail},
                               {"since", NoticeTime(alert.since)}});
  }
  TextTable sent({{"message", Align::kRight},
                  {"made", Align::kLeft},
                  {"channel", Align::kLeft},
                  {"state", Align::kLeft},
                  {"tries", Align::kRight},
                  {"", Align::kLeft}});
  for (const NoticeRecord& notice : notices) {
    const ordered_json event = ordered_json::parse(notice.event_json, nullptr, false);
    const std::string title =
        event.is_object() ? event.value("event", "") + ": " + event.value("title", "") : "";
    sent.AddRow({fmt::format("{}", notice.number), NoticeTime(notice.created), notice.channel,
                 std::string(NameOf(notice.state)), fmt::format("{}", notice.tries),
                 notice.error.empty() ? title : title + " (" + notice.error + ")"});
    shown["messages"].push_back({{"id", NoticeId(ledger->id(), notice.number)},
                                 {"channel", notice.channel},
                                 {"state", NameOf(notice.state)},
                                 {"tries", notice.tries},
                                 {"error", notice.error},
                                 {"event", event}});
  }
  fmt::print("{}", globals.json ? shown.dump(2) + "\n" : lasting.Render() + "\n" + sent.Render());
  return kExitDone;
}

absl::StatusOr<int> SendNotices(const GlobalOptions& globals, const NotifyChoices&) {
  Cancellation cancel;
  const std::unique_ptr<InterruptGuard> guard = InterruptGuard::Watch(&cancel, "stopping");
  HAKOBU_ASSIGN_OR_RETURN(const Config config, LoadConfig(globals.config_path));
  SetUpLogFor(globals, config);
  HAKOBU_ASSIGN_OR_RETURN(const std::unique_ptr<Ledger> ledger, LedgerThatIs(config));
  {
    Notifier notifier({.config = config.notify,
                       .ledger_path = config.ledger,
                       .config_path = config.path,
                       .http = NoticeHttp(config)});
    notifier.Flush(kSendPatience, cancel);
  }
  HAKOBU_ASSIGN_OR_RETURN(const absl::Time next, ledger->alerts().NextTry());
  const bool waits = next != absl::InfiniteFuture();
  if (globals.json) {
    fmt::print("{}\n", ordered_json{{"waiting", waits}}.dump());
  } else {
    fmt::print("{}\n", waits ? fmt::format("messages wait; the next try is due at {}", NoticeTime(next))
                             : "no message waits");
  }
  return waits ? kExitFailed : kExitDone;
}

absl::StatusOr<int> ClearAlert(const GlobalOptions& globals, const NotifyChoices& choices) {
  HAKOBU_ASSIGN_OR_RETURN(const Config config, LoadConfig(globals.config_path));
  HAKOBU_ASSIGN_OR_RETURN(const std::unique_ptr<Ledger> ledger, LedgerThatIs(config));
  bool found = false;
  const NoticeOrigin origin = OriginOfThis(ledger->id(), config.path);
  HAKOBU_RETURN_IF_ERROR(ledger->alerts().Change([&](const std::vector<AlertRecord>& known) {
    for (AlertRecord alert : known) {
      if (alert.cause != choices.cause || !alert.lasts()) continue;
      found = true;
      // Gone for as long as it has to be.
      alert.gone_since = absl::UnixEpoch() + absl::Seconds(1);
      return Judge({alert}, {{}, {alert.cause}, {}}, config.notify, origin, absl::Now());
    }
    return AlertChanges{};
  }));
  if (found) return kExitDone;
  return WithHint(absl::InvalidArgumentError(
                      fmt::format("expected an alert that lasts, found none named `{}`", choices.cause)),
                  "`hakobu notify list` has them");
}

using NotifyAction = absl::StatusOr<int> (*)(const GlobalOptions&, const NotifyChoices&);

CLI::App* AddNotify(CLI::App* group, CommandLine& line, const std::shared_ptr<NotifyChoices>& choices,
                    const std::string& name, const std::string& what, NotifyAction action) {
  CLI::App* command = group->add_subcommand(name, what);
  command->callback([&line, choices, action] {
    line.action = [&line, choices, action] {
      const absl::StatusOr<int> result = action(line.options, *choices);
      return result.ok() ? *result : ReportFailure(line.options, result.status());
    };
  });
  return command;
}

}  // namespace

void RegisterNotifyCommand(CLI::App& app, CommandLine& line) {
  CLI::App* group = app.add_subcommand("notify", "What wakes a person: try it, look at it, send what waits");
  group->require_subcommand(1);
  auto choices = std::make_shared<NotifyChoices>();
  AddNotify(group, line, choices, "test",
            "Send a test message to each channel, or to those named; 1 if one fails", &TestChannels)
      ->add_option("channel", choices->channels, "Of notify.channels")
      ->type_name("CHANNEL");
  AddNotify(group, line, choices, "list", "Alerts that last, and the last messages", &ShowNotices);
  AddNotify(group, line, choices, "send", "Send what waits in the ledger; 0 if nothing waits any more",
            &SendNotices);
  AddNotify(group, line, choices, "clear", "Call an alert over", &ClearAlert)
      ->add_option("cause", choices->cause, "As `hakobu notify list` shows it")
      ->required()
      ->type_name("CAUSE");
  group->footer(R"(Who is told is in `notify` of the configuration; docs/alerts.md says of what, and when.
Examples:
  hakobu notify test
  hakobu notify test pager
  hakobu notify list --json
)");
}

}  // namespace hakobu
