// Rows of the experiments' streams: a number, and what change data capture adds.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "destination/write_stream.h"

namespace hakobu {

struct ProbeRow {
  int64_t id = 0;
  std::string note{};      // another column; empty: not sent
  std::string change{};    // _CHANGE_TYPE; empty: a plain row
  std::string sequence{};  // _CHANGE_SEQUENCE_NUMBER
};
enum class RowShape : uint8_t { kPlain, kNoted, kChanges };  // {id}, {id, note}, with the change's columns

// A serialised DescriptorProto of rows of this shape.
std::string ProbeDescriptor(RowShape shape);
RowBytes ProbeRows(const std::vector<ProbeRow>& rows);
// Appends the rows to the stream and waits for their answer, with a connection of its own.
absl::Status AppendOnce(StorageWrite& storage, const std::string& stream, RowShape shape,
                        const std::vector<ProbeRow>& rows);

}  // namespace hakobu
