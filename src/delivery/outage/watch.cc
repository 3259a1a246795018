#include "delivery/outage/watch.h"

#include <fmt/format.h>

#include <atomic>
#include <filesystem>

#include "base/log.h"
#include "base/status.h"

namespace hakobu {
namespace {

constexpr absl::Duration kLookEvery = absl::Milliseconds(200);
constexpr absl::Duration kShowEvery = absl::Seconds(1);
// The ledger's own lock is among what is watched: a try that has to wait is made again later.
constexpr absl::Duration kLedgerPatience = absl::Milliseconds(50);

std::string TimeText(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", time, absl::UTCTimeZone());
}

void Say(const OutageWord& word, const std::string& doing, absl::Time now) {
  const Outage& outage = word.outage;
  const std::string_view name = SpokenName(outage.subject);
  const std::string lasted = absl::FormatDuration(absl::Trunc(now - outage.since, absl::Seconds(1)));
  if (word.kind == OutageWord::Kind::kBack) {
    Log(LogSeverity::kInfo, fmt::format("{} is back", name),
        {{"since", TimeText(outage.since)}, {"lasted", lasted}});
    return;
  }
  const bool still = word.kind == OutageWord::Kind::kStill;
  Log(LogSeverity::kWarning,
      outage.refuses() ? fmt::format("{} {}refuses", name, still ? "still " : "")
                       : fmt::format("{} is {}away", name, still ? "still " : ""),
      {{"since", TimeText(outage.since)},
       {"lasted", lasted},
       {"work", outage.what},
       {"error", std::string(View(outage.error.message()))},
       {"failures", fmt::format("{}", outage.failures)},
       {"meanwhile", doing}});
}

}  // namespace

class OutageWatch::Listener : public OutageListener {
 public:
  Listener(OutageWatch* watch, OutageSubject subject) : watch_(watch), subject_(subject) {}

  void OnFailure(std::string_view what, const absl::Status& error) override {
    absl::MutexLock lock(&watch_->mutex_);
    watch_->board_.Failed(subject_, what, error, watch_->options_.clock->Now());
    troubled_ = true;
  }
  void OnSilence(std::string_view what, absl::Time since) override {
    absl::MutexLock lock(&watch_->mutex_);
    watch_->board_.Silent(subject_, what, since, watch_->options_.clock->Now());
    troubled_ = true;
  }
  void OnSuccess(std::string_view what) override {
    if (!troubled()) return;
    absl::MutexLock lock(&watch_->mutex_);
    watch_->board_.Succeeded(subject_, what, watch_->options_.clock->Now());
    troubled_ = watch_->board_.troubled(subject_);
  }
  bool troubled() const override { return troubled_.load(std::memory_order_relaxed); }

 private:
  OutageWatch* watch_;
  const OutageSubject subject_;
  std::atomic<bool> troubled_{false};
};

OutageWatch::OutageWatch(Options options) : options_(std::move(options)) {
  for (size_t place = 0; place < std::size(kOutageSubjectNames); ++place) {
    listeners_.push_back(std::make_unique<Listener>(this, static_cast<OutageSubject>(place)));
  }
  thread_ = std::thread([this] { Run(); });
}

OutageWatch::~OutageWatch() {
  {
    absl::MutexLock lock(&mutex_);
    ending_ = true;
  }
  thread_.join();
}

OutageListener* OutageWatch::of(OutageSubject subject) {
  return listeners_[static_cast<size_t>(subject)].get();
}

std::vector<Outage> OutageWatch::Present() const {
  absl::MutexLock lock(&mutex_);
  return board_.Present();
}

void OutageWatch::Run() {
  absl::Time shown = absl::InfinitePast();
  for (bool ending = false; !ending;) {
    {
      absl::MutexLock lock(&mutex_);
      ending = mutex_.AwaitWithTimeout(absl::Condition(&ending_), kLookEvery);
    }
    Speak();
    const absl::Time now = options_.clock->Now();
    if (options_.each_second && !ending && now - shown >= kShowEvery) {
      shown = now;
      options_.each_second(*this);
    }
    Record();
  }
}

void OutageWatch::Speak() {
  const absl::Time now = options_.clock->Now();
  std::vector<OutageWord> words;
  {
    absl::MutexLock lock(&mutex_);
    words = board_.TakeWords(now);
  }
  for (const OutageWord& word : words) {
    Keep(word);
    Say(word, unrecorded_[word.outage.subject].doing, now);
  }
}

void OutageWatch::Keep(const OutageWord& word) {
  const Outage& outage = word.outage;
  const bool over = word.kind == OutageWord::Kind::kBack;
  unrecorded_[outage.subject] = {
      .command = options_.command,
      .subject = std::string(NameOf(outage.subject)),
      .since = outage.since,
      .tried = outage.tried,
      .failures = outage.failures,
      .work = outage.what,
      .error = std::string(View(outage.error.message())),
      .doing = options_.doing && !over ? options_.doing(outage.subject) : "",
      .ended = over ? options_.clock->Now() : absl::InfinitePast(),
  };
}

// Best effort, again and again: a ledger that cannot be written is an outage itself.
void OutageWatch::Record() {
  if (options_.ledger_path.empty() || (begun_ && unrecorded_.empty())) return;
  if (ledger_ == nullptr) {
    std::error_code ignored;
    if (!std::filesystem::exists(options_.ledger_path, ignored)) return;  // the command makes it
    SqliteOptions options;
    options.patience = kLedgerPatience;
    absl::StatusOr<std::unique_ptr<Ledger>> opened = Ledger::Open(options_.ledger_path, options);
    if (!opened.ok()) return;
    ledger_ = *std::move(opened);
  }
  if (!begun_) begun_ = ledger_->outages().EndAll(options_.command, options_.clock->Now()).ok();
  if (!begun_) return;
  std::erase_if(unrecorded_, [&](const auto& each) { return ledger_->outages().Store(each.second).ok(); });
}

}  // namespace hakobu
