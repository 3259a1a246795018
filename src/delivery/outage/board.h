// What is away, since when, and when that is to be said (again). Pure: time comes with each call.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/enum_name.h"

namespace hakobu {

enum class OutageSubject : uint8_t { kSource, kBigQuery, kLedger };
inline constexpr std::string_view kOutageSubjectNames[] = {"source", "bigquery", "ledger"};
constexpr std::span<const std::string_view> NamesOf(OutageSubject) {
  return kOutageSubjectNames;
}
std::string_view SpokenName(OutageSubject subject);  // "BigQuery", "the source"

// One side that is away, or refuses, whatever it is asked for.
struct Outage {
  OutageSubject subject = OutageSubject::kSource;
  absl::Time since = absl::InfinitePast();  // of the first try that failed
  absl::Time tried = absl::InfinitePast();  // the last one
  uint64_t failures = 0;
  std::string what;  // was tried last
  absl::Status error;
  bool refuses() const;  // it answers, and will not
  std::string Text()
      const;  // "BigQuery is away since 2026-11-30T01:02:03Z (append to …: connection refused)"
};

struct OutageWord {
  enum class Kind : uint8_t { kAway, kStill, kBack };
  Kind kind = Kind::kAway;
  Outage outage;
};

// Not thread-safe.
class OutageBoard {
 public:
  // What passes sooner is no outage: calls are repeated all the time.
  static constexpr absl::Duration kFirstWord = absl::Seconds(2);
  // Said again after so long, then after twice as long each time.
  static constexpr absl::Duration kNextWord = absl::Seconds(10);
  static constexpr absl::Duration kLongestPause = absl::Minutes(10);
  // A failure that nobody repeats ends with the next answer to anything else after so long, and by itself
  // after so much longer.
  static constexpr absl::Duration kStale = absl::Minutes(1);
  static constexpr absl::Duration kForgotten = absl::Minutes(15);

  void Failed(OutageSubject subject, std::string_view what, const absl::Status& error, absl::Time now);
  // A try that began at `since` has no answer.
  void Silent(OutageSubject subject, std::string_view what, absl::Time since, absl::Time now);
  void Succeeded(OutageSubject subject, std::string_view what, absl::Time now);
  bool troubled(OutageSubject subject) const { return !sides_[Place(subject)].causes.empty(); }

  // What is to be said now, once.
  std::vector<OutageWord> TakeWords(absl::Time now);
  // The outages that have been said and have not ended.
  std::vector<Outage> Present() const;

 private:
  struct Cause {
    absl::Time since = absl::InfiniteFuture(), tried;
    uint64_t failures = 0;
    absl::Status error;
  };
  struct Side {
    std::map<std::string, Cause, std::less<>> causes;  // by what was tried
    bool said = false;
    absl::Time since;  // of what was said
    absl::Time next = absl::InfiniteFuture();
    absl::Duration pause = kNextWord;
    Outage last;  // as it was when it was last looked at
  };
  static size_t Place(OutageSubject subject) { return static_cast<size_t>(subject); }
  static std::optional<Outage> OutageOf(OutageSubject subject, const Side& side);
  Cause* Note(OutageSubject subject, std::string_view what, absl::Time since, const absl::Status& error,
              absl::Time now);

  Side sides_[std::size(kOutageSubjectNames)];
};

}  // namespace hakobu
