// The bytes of a spool's segment file: what is written and how it is read back. docs/formats/spool.md
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "delivery/stream/spool.h"

namespace hakobu::spool {

// Where in the source's log the next event stands, as the events themselves tell it.
class Tracker {
 public:
  // InvalidArgument when the event is none.
  absl::Status Take(std::string_view event);

  std::string file;
  uint64_t offset = 0;
  std::string format_event;  // the FORMAT_DESCRIPTION in force

 private:
  friend struct SegmentHeader;
  bool checksums_ = false;
};

struct SegmentHeader {
  uint64_t first_sequence = 1;
  Tracker context;  // before its first event

  std::string ToBytes() const;
};

inline constexpr size_t kFrameHeaderBytes = 28;
struct Frame {
  uint64_t first_sequence = 0;
  uint32_t events = 0;
  std::string raw;  // whole events, one after the other
};
// Appends a frame of `raw` to `out`. `sealer`: null for a spool in clear.
absl::Status AppendFrame(uint64_t first_sequence, uint32_t events, std::string_view raw, int level,
                         const Sealer* sealer, std::string* out);

// The event that begins at `at`; InvalidArgument when none does.
absl::StatusOr<std::string_view> EventAt(std::string_view raw, size_t at);

// Bytes read (fewer only at the end of the file).
using ReadAt = std::function<absl::StatusOr<size_t>(uint64_t offset, char* out, size_t size)>;
ReadAt ReadFile(int descriptor);

// Not thread-safe. Errors are DataLoss with the offset.
class SegmentReader {
 public:
  // `sealer`: as AppendFrame's; must outlive the reader.
  explicit SegmentReader(ReadAt read_at, const Sealer* sealer = nullptr)
      : read_at_(std::move(read_at)), sealer_(sealer) {}

  absl::StatusOr<SegmentHeader> ReadHeader();
  // The frame at offset(); false at the end of the file.
  absl::StatusOr<bool> Next(Frame* frame);
  // The same without its payload's check and content: `frame->raw` is left empty.
  absl::StatusOr<bool> Skip(Frame* frame, uint64_t* raw_bytes);
  uint64_t offset() const { return offset_; }
  // Whether a whole frame stands anywhere behind offset(): then what is damaged there is no torn end.
  absl::StatusOr<bool> AnyFrameBehind();

 private:
  absl::StatusOr<bool> ReadFrame(Frame* frame, uint64_t* raw_bytes, bool payload);

  ReadAt read_at_;
  const Sealer* sealer_;
  uint64_t offset_ = 0;
  std::string packed_;
};

}  // namespace hakobu::spool
