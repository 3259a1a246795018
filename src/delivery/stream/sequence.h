// Places in the log as BigQuery orders changes by: _CHANGE_SEQUENCE_NUMBER's sections epoch/file/position/row
// [change-data-capture: "manage custom ordering"].
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace hakobu {

// Of one change. Grows with the log's order; a change that is sent again has the same place.
struct LogPlace {
  uint64_t epoch = 0;
  uint64_t file = 0;  // the number at the end of the log file's name
  uint64_t position = 0;
  uint64_t row = 0;  // event in the transaction, then row in the event: compressed ones share a position
  friend auto operator<=>(const LogPlace&, const LogPlace&) = default;
  // Of a file like "binlog.000041".
  static LogPlace In(std::string_view file, uint64_t offset, int64_t epoch = 0);
};

inline constexpr size_t kMaxSequenceBytes = 4 * 16 + 3;
// Writes the hex sections; returns how many bytes. `out` has room for kMaxSequenceBytes.
size_t WriteSequence(const LogPlace& place, char* out);
std::string SequenceText(const LogPlace& place);
// With each section padded to 16 digits: sorts as text.
size_t WriteSortableSequence(const LogPlace& place, char* out);
std::string SortableSequence(const LogPlace& place);
LogPlace ParseSequence(std::string_view text);  // what either of them wrote

// Above every change before the place, below every one from it on: what copied rows are sent with.
LogPlace JustBefore(uint64_t epoch, uint64_t file, uint64_t position);

// "binlog.000041" -> 41; 0 when the name has no number.
uint64_t FileNumber(std::string_view name);

}  // namespace hakobu
