#include "log/sequence.h"

#include <bit>
#include <charconv>
#include <limits>

namespace hakobu {
namespace {

constexpr char kDigits[] = "0123456789ABCDEF";

char* WriteHex(uint64_t value, char* out) {
  const int digits = value == 0 ? 1 : (67 - std::countl_zero(value)) / 4;
  for (int i = digits - 1; i >= 0; --i) {
    out[i] = kDigits[value & 15];
    value >>= 4;
  }
  return out + digits;
}

}  // namespace

size_t WriteSequence(const ChangeSequence& place, char* out) {
  char* at = WriteHex(place.epoch, out);
  *at++ = '/';
  at = WriteHex(place.file, at);
  *at++ = '/';
  at = WriteHex(place.position, at);
  *at++ = '/';
  at = WriteHex(place.row, at);
  return static_cast<size_t>(at - out);
}

std::string SequenceText(const ChangeSequence& place) {
  char text[kMaxSequenceBytes];
  return {text, WriteSequence(place, text)};
}

size_t WriteSortableSequence(const ChangeSequence& place, char* out) {
  char* const begin = out;
  for (const uint64_t section : {place.epoch, place.file, place.position, place.row}) {
    if (out != begin) *out++ = '/';
    for (int shift = 60; shift >= 0; shift -= 4) *out++ = kDigits[section >> shift & 15];
  }
  return kMaxSequenceBytes;
}

std::string SortableSequence(const ChangeSequence& place) {
  char text[kMaxSequenceBytes];
  return {text, WriteSortableSequence(place, text)};
}

ChangeSequence ParseSequence(std::string_view text) {
  ChangeSequence place;
  const char* at = text.data();
  const char* const end = at + text.size();
  for (uint64_t* const section : {&place.epoch, &place.file, &place.position, &place.row}) {
    at = std::from_chars(at, end, *section, 16).ptr;
    if (at != end) ++at;
  }
  return place;
}

ChangeSequence JustBefore(const ChangeSequence& place) {
  constexpr uint64_t kLast = std::numeric_limits<uint64_t>::max();
  if (place.position > 0) return {place.epoch, place.file, place.position - 1, kLast};
  if (place.file > 0) return {place.epoch, place.file - 1, kLast, kLast};
  return {place.epoch, 0, 0, 0};
}

ChangeSequence ChangeSequence::At(const LogPoint& point, int64_t epoch) {
  return {.epoch = static_cast<uint64_t>(epoch),
          .file = LogFileNumber(point.file).value_or(0),
          .position = point.offset};
}

}  // namespace hakobu
