#include "notify/notifier.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "absl/random/random.h"
#include "absl/time/clock.h"
#include "base/crash_point.h"
#include "base/log.h"
#include "base/status.h"

namespace hakobu {
namespace {

constexpr absl::Duration kLedgerPatience = absl::Milliseconds(200);
constexpr absl::Duration kLookEvery = absl::Seconds(1);
// Longer than any try takes; whoever is killed meanwhile holds the message up for so long.
constexpr absl::Duration kClaim = absl::Seconds(60);
constexpr absl::Duration kKept = absl::Hours(24 * 30);
constexpr absl::Duration kPatienceOnceCancelled = absl::Seconds(1);
constexpr int kPingTries = 3;
constexpr absl::Duration kPingPause = absl::Seconds(1);

std::string HostName() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown";
}

}  // namespace

std::string NoticeId(const std::string& ledger_id, uint64_t number) {
  return fmt::format("{}-{}", ledger_id, number);
}

NoticeOrigin OriginOfThis(const std::string& ledger_id, const std::string& config_path) {
  return {.ledger_id = ledger_id, .config_path = config_path, .host = HostName()};
}

Notifier::Notifier(Options options)
    : options_(std::move(options)),
      host_(HostName()),
      owner_(fmt::format("{}:{}:{:08x}", host_, getpid(), absl::Uniform<uint32_t>(absl::BitGen()))),
      carrier_(options_.http) {
  thread_ = std::thread([this] { Run(); });
}

Notifier::~Notifier() {
  ending_.Cancel();
  {
    absl::MutexLock lock(&mutex_);
    ++asked_;
  }
  thread_.join();
}

void Notifier::Note(Observation observation) {
  absl::MutexLock lock(&mutex_);
  noted_.push_back(std::move(observation));
  ++asked_;
}

void Notifier::Show(Observation observation) {
  absl::MutexLock lock(&mutex_);
  shown_ = std::move(observation);
}

void Notifier::Well() {
  absl::MutexLock lock(&mutex_);
  is_well_ = true;
}

bool Notifier::Flush(absl::Duration patience, const Cancellation& cancel) {
  const absl::Time deadline = absl::Now() + patience;
  absl::MutexLock lock(&mutex_);
  const uint64_t wish = ++asked_;
  const auto done = [&]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return seen_ >= wish && noted_.empty() && !shown_.has_value();
  };
  const absl::Time begun = absl::Now();
  while (!done() || next_try_ != absl::InfiniteFuture()) {
    if (absl::Now() >= deadline) return false;
    if (done() && next_try_ - options_.clock->Now() > deadline - absl::Now()) return false;
    if (cancel.cancelled() && absl::Now() - begun >= kPatienceOnceCancelled) return false;
    mutex_.AwaitWithTimeout(absl::Condition(&done), absl::Milliseconds(100));
  }
  return true;
}

void Notifier::Run() {
  while (!ending_.cancelled()) {
    uint64_t asked = 0;
    {
      absl::MutexLock lock(&mutex_);
      asked = asked_;
    }
    const bool is_left = Work();
    const absl::Time wake = absl::Now() + (is_left ? kLedgerPatience : kLookEvery);
    absl::MutexLock lock(&mutex_);
    if (!is_left) seen_ = asked;
    const auto asked_anew = [&]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return asked_ != asked; };
    mutex_.AwaitWithDeadline(absl::Condition(&asked_anew), wake);
  }
}

bool Notifier::Work() {
  PingIfDue();
  absl::Status status = OpenLedger();
  bool is_left = true;
  while (status.ok() && is_left && !ending_.cancelled()) status = JudgeNext(&is_left);
  if (!status.ok()) {
    Complain("what is to be told cannot be written to the ledger yet", status);
    return true;
  }
  is_left = true;
  while (status.ok() && is_left && !ending_.cancelled()) status = SendNext(&is_left);
  absl::StatusOr<absl::Time> next_try = absl::InfiniteFuture();
  if (status.ok()) next_try = ledger_->alerts().NextTry();
  if (status.ok()) status = next_try.status();
  if (!status.ok()) {
    Complain("messages cannot be taken from the ledger", status);
    return true;
  }
  absl::MutexLock lock(&mutex_);
  next_try_ = *next_try;
  return false;
}

absl::Status Notifier::OpenLedger() {
  if (ledger_ != nullptr) return absl::OkStatus();
  SqliteOptions options;
  options.patience = kLedgerPatience;
  HAKOBU_ASSIGN_OR_RETURN(ledger_, Ledger::Open(options_.ledger_path, options));
  return ledger_->alerts().Forget(options_.clock->Now() - kKept);
}

// What was noted goes before what is shown.
absl::Status Notifier::JudgeNext(bool* is_left) {
  Observation observation;
  bool is_noted = false;
  {
    absl::MutexLock lock(&mutex_);
    is_noted = !noted_.empty();
    *is_left = is_noted || shown_.has_value();
    if (!*is_left) return absl::OkStatus();
    observation = is_noted ? noted_.front() : *std::exchange(shown_, std::nullopt);
  }
  const NoticeOrigin origin{ledger_->id(), options_.config_path, host_};
  const absl::Status status = ledger_->alerts().Change([&](const std::vector<AlertRecord>& known) {
    return Judge(known, observation, options_.config, origin, options_.clock->Now());
  });
  CrashPoint("notices.posted");
  absl::MutexLock lock(&mutex_);
  if (status.ok() && is_noted) noted_.pop_front();
  if (!status.ok() && !is_noted && !shown_.has_value()) shown_ = std::move(observation);
  return status;
}

absl::Status Notifier::SendNext(bool* is_left) {
  const absl::Time now = options_.clock->Now();
  HAKOBU_ASSIGN_OR_RETURN(std::optional<NoticeRecord> notice,
                          ledger_->alerts().Claim(owner_, now, now + kClaim));
  *is_left = notice.has_value();
  if (!notice.has_value()) return absl::OkStatus();
  const auto channel = std::find_if(options_.config.channels.begin(), options_.config.channels.end(),
                                    [&](const ChannelConfig& each) { return each.name == notice->channel; });
  CarriedOff result{absl::NotFoundError("the configuration has no such channel any more"), {}};
  if (channel != options_.config.channels.end()) {
    result =
        carrier_.Carry(*channel, notice->event_json, NoticeId(ledger_->id(), notice->number), now, ending_);
  }
  CrashPoint("notice.carried");
  const absl::Time after = options_.clock->Now();
  const std::vector<LogField> fields = {{"channel", notice->channel}, {"cause", notice->cause}};
  if (result.status.ok()) {
    notice->state = NoticeState::kDelivered;
    notice->ended = after;
    notice->error.clear();
    Log(LogSeverity::kInfo, "a message is delivered", fields);
  } else if (ending_.cancelled()) {
    notice->next_try = after;
    ++notice->tries;  // others go first when this one hangs
  } else {
    ++notice->tries;
    notice->error = View(result.status.message());
    notice->next_try = NextTry(notice->tries, result.asked_for, after);
    const bool gives_up = after - notice->created >= kNoticeLife || channel == options_.config.channels.end();
    if (gives_up) notice->state = NoticeState::kGivenUp;
    if (gives_up) notice->ended = after;
    Log(gives_up ? LogSeverity::kError : LogSeverity::kWarning,
        gives_up ? "a message is given up" : "a message is not delivered yet",
        {fields[0], fields[1], {"error", notice->error}, {"tries", fmt::format("{}", notice->tries)}});
  }
  const absl::Status settled = ledger_->alerts().Settle(*notice, owner_);
  CrashPoint("notice.settled");
  return absl::IsFailedPrecondition(settled) ? absl::OkStatus() : settled;
}

void Notifier::PingIfDue() {
  const std::optional<PingConfig>& ping = options_.config.ping;
  {
    absl::MutexLock lock(&mutex_);
    if (!std::exchange(is_well_, false) || !ping.has_value()) return;
  }
  if (options_.clock->Now() - last_ping_ < ping->every) return;
  last_ping_ = options_.clock->Now();
  absl::Status status;
  for (int i = 0; i < kPingTries; ++i) {
    status = carrier_.Ping(*ping, ending_);
    if (status.ok() || ending_.WaitFor(kPingPause)) break;
  }
  if (!status.ok()) Complain("the ping's address does not answer", status);
}

// Once, while it stays the same.
void Notifier::Complain(std::string_view what, const absl::Status& status) {
  std::string complaint = fmt::format("{}: {}", what, View(status.message()));
  if (complaint == last_complaint_) return;
  last_complaint_ = std::move(complaint);
  Log(LogSeverity::kWarning, what, {{"error", std::string(View(status.message()))}});
}

}  // namespace hakobu
