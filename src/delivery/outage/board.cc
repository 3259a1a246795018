#include "delivery/outage/board.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/status.h"

namespace hakobu {

std::string_view SpokenName(OutageSubject subject) {
  switch (subject) {
    case OutageSubject::kSource:
      return "the source";
    case OutageSubject::kBigQuery:
      return "BigQuery";
    case OutageSubject::kLedger:
      return "the ledger";
  }
  return "?";
}

bool Outage::refuses() const {
  switch (error.code()) {
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kUnauthenticated:
    case absl::StatusCode::kResourceExhausted:
      return true;
    default:
      return false;
  }
}

std::string Outage::Text() const {
  return fmt::format("{} {} since {}: {}", SpokenName(subject), refuses() ? "refuses" : "is away",
                     absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", since, absl::UTCTimeZone()),
                     View(error.message()));
}

OutageBoard::Cause* OutageBoard::Note(OutageSubject subject, std::string_view what, absl::Time since,
                                      const absl::Status& error, absl::Time now) {
  Side& side = sides_[Place(subject)];
  const auto found = side.causes.find(what);
  Cause& cause = found == side.causes.end() ? side.causes[std::string(what)] : found->second;
  cause.since = std::min(cause.since, since);
  cause.tried = now;
  cause.error = error;
  return &cause;
}

void OutageBoard::Failed(OutageSubject subject, std::string_view what, const absl::Status& error,
                         absl::Time now) {
  ++Note(subject, what, now, error, now)->failures;
}

void OutageBoard::Silent(OutageSubject subject, std::string_view what, absl::Time since, absl::Time now) {
  Note(subject, what, since,
       absl::DeadlineExceededError(
           fmt::format("{}: no answer for {} s", what, absl::ToInt64Seconds(now - since))),
       now);
}

void OutageBoard::Succeeded(OutageSubject subject, std::string_view what, absl::Time now) {
  auto& causes = sides_[Place(subject)].causes;
  std::erase_if(causes,
                [&](const auto& cause) { return cause.first == what || now - cause.second.tried > kStale; });
}

std::optional<Outage> OutageBoard::OutageOf(OutageSubject subject, const Side& side) {
  if (side.causes.empty()) return std::nullopt;
  Outage outage;
  outage.subject = subject;
  outage.since = absl::InfiniteFuture();
  for (const auto& [what, cause] : side.causes) {
    outage.since = std::min(outage.since, cause.since);
    outage.failures += cause.failures;
    if (cause.tried < outage.tried) continue;
    outage.tried = cause.tried;
    outage.what = what;
    outage.error = cause.error;
  }
  return outage;
}

std::vector<OutageWord> OutageBoard::TakeWords(absl::Time now) {
  std::vector<OutageWord> words;
  for (size_t place = 0; place < std::size(sides_); ++place) {
    Side& side = sides_[place];
    std::erase_if(side.causes, [&](const auto& cause) { return now - cause.second.tried > kForgotten; });
    std::optional<Outage> outage = OutageOf(static_cast<OutageSubject>(place), side);
    if (!outage.has_value()) {
      if (side.said) words.push_back({OutageWord::Kind::kBack, side.last});
      side.said = false;
      continue;
    }
    if (!side.said) {
      if (now - outage->since < kFirstWord) continue;
      side.said = true;
      side.since = outage->since;
      side.pause = kNextWord;
      side.next = now + side.pause;
      side.last = *outage;
      words.push_back({OutageWord::Kind::kAway, *std::move(outage)});
      continue;
    }
    outage->since = std::min(outage->since, side.since);  // one cause after the other is one outage
    side.last = *outage;
    if (now < side.next) continue;
    side.pause = std::min(2 * side.pause, kLongestPause);
    side.next = now + side.pause;
    words.push_back({OutageWord::Kind::kStill, *std::move(outage)});
  }
  return words;
}

std::vector<Outage> OutageBoard::Present() const {
  std::vector<Outage> present;
  for (const Side& side : sides_) {
    if (side.said) present.push_back(side.last);
  }
  return present;
}

}  // namespace hakobu
