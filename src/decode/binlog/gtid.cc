#include "decode/binlog/gtid.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>

#include "base/byte_reader.h"
#include "base/status.h"

namespace hakobu::binlog {
namespace {

constexpr size_t kUuidTextBytes = 36;

std::string_view Trim(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())) != 0) text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0) text.remove_suffix(1);
  return text;
}

std::vector<std::string_view> Split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (size_t at = 0;;) {
    const size_t end = text.find(separator, at);
    parts.push_back(Trim(text.substr(at, end == std::string_view::npos ? end : end - at)));
    if (end == std::string_view::npos) return parts;
    at = end + 1;
  }
}

bool IsUuid(std::string_view text) {
  if (text.size() != kUuidTextBytes) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : std::isxdigit(static_cast<unsigned char>(text[i])) == 0) return false;
  }
  return true;
}

bool IsTag(std::string_view text) {
  if (text.empty() || text.size() > 32 || std::isdigit(static_cast<unsigned char>(text[0])) != 0)
    return false;
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return c == '_' || std::isalnum(static_cast<unsigned char>(c)) != 0; });
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

bool ParseInterval(std::string_view text, uint64_t* first, uint64_t* last) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *first);
  if (error != std::errc() || *first == 0) return false;
  *last = *first;
  if (end == text.data() + text.size()) return true;
  if (*end != '-') return false;
  const auto [stop, wrong] = std::from_chars(end + 1, text.data() + text.size(), *last);
  return wrong == std::errc() && stop == text.data() + text.size() && *last >= *first;
}

void PutLittleEndian(uint64_t value, std::string* out) {
  for (int i = 0; i < 8; ++i) out->push_back(static_cast<char>(value >> (8 * i)));
}

void PutUuid(std::string_view text, std::string* out) {
  unsigned half = 0;
  bool high = true;
  for (const char c : text.substr(0, kUuidTextBytes)) {
    if (c == '-') continue;
    const unsigned digit =
        c <= '9' ? static_cast<unsigned>(c - '0') : static_cast<unsigned>((c | 0x20) - 'a' + 10);
    if (high) {
      half = digit;
    } else {
      out->push_back(static_cast<char>(half << 4 | digit));
    }
    high = !high;
  }
}

// The tagged form marks itself in the first and the eighth byte of the count (Gtid_set::encode_nsids_format).
constexpr uint64_t kTaggedMark = 1;

}  // namespace

std::string UuidText(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(kUuidTextBytes + 22);  // with a number behind it: one for each transaction
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text.push_back('-');
    const auto byte = static_cast<uint8_t>(bytes[i]);
    text.push_back(kDigits[byte >> 4]);
    text.push_back(kDigits[byte & 15]);
  }
  return text;
}

std::string Gtid::Text() const {
  return fmt::format("{}:{}", source, number);
}

absl::StatusOr<GtidSet> GtidSet::Parse(std::string_view text) {
  GtidSet set;
  if (Trim(text).empty()) return set;
  for (const std::string_view part : Split(text, ',')) {
    if (part.empty()) continue;
    const std::vector<std::string_view> pieces = Split(part, ':');
    if (!IsUuid(pieces[0])) {
      return absl::InvalidArgumentError(
          fmt::format("GTID set: expected a server UUID, found '{}' in '{}'", pieces[0], part));
    }
    if (pieces.size() < 2)
      return absl::InvalidArgumentError(fmt::format("GTID set: '{}' has no intervals", part));
    const std::string uuid = Lower(pieces[0]);
    std::string source = uuid;
    for (size_t i = 1; i < pieces.size(); ++i) {
      uint64_t first = 0, last = 0;
      if (ParseInterval(pieces[i], &first, &last)) {
        set.AddInterval(source, first, last);
      } else if (IsTag(pieces[i])) {
        source = fmt::format("{}:{}", uuid, Lower(pieces[i]));
      } else {
        return absl::InvalidArgumentError(fmt::format(
            "GTID set: expected an interval (5 or 1-5) or a tag, found '{}' in '{}'", pieces[i], part));
      }
    }
  }
  return set;
}

absl::StatusOr<GtidSet> GtidSet::FromBytes(std::string_view bytes) {
  const absl::Status broken = absl::DataLossError("GTID set is cut short or corrupt");
  ByteReader reader(bytes);
  uint64_t sources = reader.U64();
  const bool tagged = sources >> 56 == kTaggedMark;
  if (tagged) sources = sources >> 8 & 0xffffffffffff;
  GtidSet set;
  for (uint64_t i = 0; i < sources; ++i) {
    std::string source = UuidText(reader.Take(16));
    if (tagged) {
      const std::string_view tag = reader.Take(reader.U8() >> 1);
      if (!tag.empty()) source = fmt::format("{}:{}", source, tag);
    }
    const uint64_t intervals = reader.U64();
    if (reader.failed() || intervals > reader.remaining() / 16) return broken;
    for (uint64_t j = 0; j < intervals; ++j) {
      const uint64_t first = reader.U64();
      const uint64_t end = reader.U64();
      if (first == 0 || end <= first) return broken;
      set.AddInterval(source, first, end - 1);
    }
  }
  if (reader.failed()) return broken;
  return set;
}

std::string GtidSet::ToBytes() const {
  const bool tagged = std::any_of(sources_.begin(), sources_.end(),
                                  [](const auto& entry) { return entry.first.size() > kUuidTextBytes; });
  std::string bytes;
  const uint64_t count = sources_.size();
  PutLittleEndian(tagged ? kTaggedMark << 56 | count << 8 | kTaggedMark : count, &bytes);
  for (const auto& [source, intervals] : sources_) {
    PutUuid(source, &bytes);
    if (tagged) {
      const std::string_view tag = source.size() > kUuidTextBytes
                                       ? std::string_view(source).substr(kUuidTextBytes + 1)
                                       : std::string_view();
      bytes.push_back(static_cast<char>(tag.size() << 1));
      bytes.append(tag);
    }
    PutLittleEndian(intervals.size(), &bytes);
    for (const Interval& interval : intervals) {
      PutLittleEndian(interval.first, &bytes);
      PutLittleEndian(interval.last + 1, &bytes);
    }
  }
  return bytes;
}

std::string GtidSet::Text() const {
  std::string text;
  for (const auto& [source, intervals] : sources_) {
    if (!text.empty()) text += ",";
    text += source;
    for (const Interval& interval : intervals) {
      text += interval.first == interval.last ? fmt::format(":{}", interval.first)
                                              : fmt::format(":{}-{}", interval.first, interval.last);
    }
  }
  return text;
}

void GtidSet::AddInterval(const std::string& source, uint64_t first, uint64_t last) {
  std::vector<Interval>& intervals = sources_[source];
  // The common case: the next transaction of a source we have.
  if (!intervals.empty() && intervals.back().last + 1 == first) {
    intervals.back().last = last;
    return;
  }
  auto place = std::find_if(intervals.begin(), intervals.end(),
                            [&](const Interval& interval) { return interval.last + 1 >= first; });
  if (place == intervals.end() || place->first > last + 1) {
    intervals.insert(place, {first, last});
    return;
  }
  place->first = std::min(place->first, first);
  place->last = std::max(place->last, last);
  auto next = place + 1;
  while (next != intervals.end() && next->first <= place->last + 1) {
    place->last = std::max(place->last, next->last);
    ++next;
  }
  intervals.erase(place + 1, next);
}

void GtidSet::Add(const GtidSet& other) {
  for (const auto& [source, intervals] : other.sources_) {
    for (const Interval& interval : intervals) AddInterval(source, interval.first, interval.last);
  }
}

void GtidSet::Subtract(const GtidSet& other) {
  for (const auto& [source, removed] : other.sources_) {
    const auto found = sources_.find(source);
    if (found == sources_.end()) continue;
    std::vector<Interval> kept;
    for (Interval left : found->second) {
      bool gone = false;
      for (const Interval& cut : removed) {
        if (cut.last < left.first || cut.first > left.last) continue;
        if (cut.first > left.first) kept.push_back({left.first, cut.first - 1});
        if (cut.last >= left.last) {
          gone = true;
          break;
        }
        left.first = cut.last + 1;
      }
      if (!gone) kept.push_back(left);
    }
    if (kept.empty()) {
      sources_.erase(found);
    } else {
      found->second = std::move(kept);
    }
  }
}

bool GtidSet::Contains(const Gtid& gtid) const {
  const auto found = sources_.find(gtid.source);
  if (found == sources_.end()) return false;
  return std::any_of(found->second.begin(), found->second.end(), [&](const Interval& interval) {
    return interval.first <= gtid.number && gtid.number <= interval.last;
  });
}

bool GtidSet::Contains(const GtidSet& other) const {
  GtidSet rest = other;
  rest.Subtract(*this);
  return rest.empty();
}

GtidSet GtidSet::UpToLast() const {
  GtidSet filled;
  for (const auto& [source, intervals] : sources_) filled.sources_[source] = {{1, intervals.back().last}};
  return filled;
}

uint64_t GtidSet::Count() const {
  uint64_t count = 0;
  for (const auto& [source, intervals] : sources_) {
    for (const Interval& interval : intervals) count += interval.last - interval.first + 1;
  }
  return count;
}

}  // namespace hakobu::binlog
