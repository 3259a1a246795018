#include "app/attempt.h"

#include <unistd.h>

#include <filesystem>
#include <utility>

#include "absl/time/clock.h"
#include "base/log.h"
#include "base/status.h"
#include "config/load.h"
#include "delivery/open_ledger.h"

namespace hakobu {
namespace {

constexpr absl::Duration kTracePatience = absl::Seconds(2);
// A command that was asked to stop ends within 8 s, of which a stream takes 5 to deliver what it holds.
constexpr absl::Duration kTracePatienceOnceCancelled = absl::Milliseconds(300);
// A receiver that is slow or away must not hold a scheduler up; what is left goes with the next command.
constexpr absl::Duration kTellPatience = absl::Seconds(20);

absl::StatusOr<std::unique_ptr<Ledger>> OpenForTrace(const std::string& path, const Cancellation& cancel) {
  SqliteOptions options;
  options.patience = cancel.cancelled() ? kTracePatienceOnceCancelled : kTracePatience;
  return Ledger::Open(path, options);
}

void SayNoTrace(const absl::Status& status) {
  Log(LogSeverity::kWarning, "this attempt is not noted in the ledger",
      {{"error", std::string(View(status.message()))}});
}

}  // namespace

HttpOptions NoticeHttp(const Config& config) {
  return {.user_agent = "hakobu", .ca_file = config.destination.ca, .proxy = config.destination.proxy};
}

Attempt::Attempt(std::string command, const GlobalOptions& globals, const absl::StatusOr<Config>& config,
                 const Cancellation* cancel)
    : command_(std::move(command)), cancel_(*cancel) {
  if (config.ok()) {
    config_ = *config;
  } else {
    config_ = LoadWhatTells(globals.config_path);
    // A wrong configuration makes no ledger where there is none, unless somebody is to be told.
    if (config_ && config_->notify.channels.empty() && !std::filesystem::exists(config_->ledger))
      config_.reset();
  }
  if (!config_) return;
  const absl::StatusOr<std::string> path = LedgerPath(*config_, "");
  if (!path.ok()) {
    SayNoTrace(path.status());
    return;
  }
  ledger_path_ = *path;
  Trace();
  notifier_ = std::make_unique<Notifier>(Notifier::Options{.config = config_->notify,
                                                           .ledger_path = ledger_path_,
                                                           .config_path = config_->path,
                                                           .http = NoticeHttp(*config_)});
}

Attempt::~Attempt() = default;

void Attempt::Trace() {
  const auto ledger = OpenForTrace(ledger_path_, cancel_);
  if (!ledger.ok()) return SayNoTrace(ledger.status());
  const auto number =
      (*ledger)->attempts().Begin({.command = command_, .pid = getpid(), .began = absl::Now()});
  if (!number.ok()) return SayNoTrace(number.status());
  number_ = *number;
}

int Attempt::End(int exit_code, const std::string& error, Observation last, bool is_well) {
  if (notifier_ != nullptr) {
    notifier_->Note(std::move(last));
    if (is_well) notifier_->Well();
  }
  if (number_ > 0) {
    const auto ledger = OpenForTrace(ledger_path_, cancel_);
    const absl::Status ended =
        ledger.ok() ? (*ledger)->attempts().End(number_, absl::Now(), exit_code, error) : ledger.status();
    if (!ended.ok()) SayNoTrace(ended);
  }
  if (notifier_ != nullptr && !notifier_->Flush(kTellPatience, cancel_) &&
      !config_->notify.channels.empty()) {
    Log(LogSeverity::kWarning,
        "messages wait: the next command with this ledger, or `hakobu notify send`, sends them");
  }
  return exit_code;
}

}  // namespace hakobu
