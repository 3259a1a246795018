// Changes of the log as BigQuery orders changes by: _CHANGE_SEQUENCE_NUMBER's sections
// epoch/file/position/row [change-data-capture: "manage custom ordering"].
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "log/point.h"

namespace hakobu {

// Of one change. Grows with the log's order; a change that is sent again has the same place.
struct ChangeSequence {
  uint64_t epoch = 0;
  uint64_t file = 0;  // the number at the end of the log file's name
  uint64_t position = 0;
  uint64_t row = 0;  // event in the transaction, then row in the event: compressed ones share a position
  friend auto operator<=>(const ChangeSequence&, const ChangeSequence&) = default;
  // Of the first change behind the point.
  static ChangeSequence At(const LogPoint& point, int64_t epoch);
};

inline constexpr size_t kMaxSequenceBytes = 4 * 16 + 3;
// Writes the hex sections; returns how many bytes. `out` has room for kMaxSequenceBytes.
size_t WriteSequence(const ChangeSequence& place, char* out);
std::string SequenceText(const ChangeSequence& place);
// With each section padded to 16 digits: sorts as text.
size_t WriteSortableSequence(const ChangeSequence& place, char* out);
std::string SortableSequence(const ChangeSequence& place);
ChangeSequence ParseSequence(std::string_view text);  // what either of them wrote

// Above every change before the place, below every one from it on: what copied rows are sent with.
ChangeSequence JustBefore(const ChangeSequence& place);

}  // namespace hakobu
