// A queue of raw log events on local disk, so that an outage of the destination does not outlive the source's
// log: bounded, compressed, checksummed. docs/formats/spool.md
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/seal.h"

namespace hakobu {

struct SpoolOptions {
  std::string folder;                           // made with mode 0700; files have 0600
  uint64_t max_bytes = uint64_t{1} << 30;       // on disk
  uint64_t segment_bytes = uint64_t{32} << 20;  // the unit in which space is given back
  uint64_t frame_bytes = uint64_t{256} << 10;   // of events that are compressed together
  int compression_level = 1;
  std::optional<Sealer> sealer{};  // events are rows: sealed where there is one
};

// Between two events.
struct SpoolPlace {
  uint64_t sequence = 0;  // of the next event; counts from 1 over the spool's life
  std::string file;       // in the source's log
  uint64_t offset = 0;
};

struct SpoolEvent {
  uint64_t sequence = 0;
  std::string_view bytes;  // as LogDecoder::Feed wants it, valid until the next call
};

class SpoolReader;

// Thread-safe: one thread appends, another reads and acknowledges. Events go in as LogStream gives them, from
// a FORMAT_DESCRIPTION (or the artificial ROTATE before it) on.
class Spool {
 public:
  // Recovers what an earlier process left: a frame torn at the end is cut off. DataLoss, with file and
  // offset, when anything else is damaged. FailedPrecondition when another process has the folder.
  static absl::StatusOr<std::unique_ptr<Spool>> Open(const SpoolOptions& options);
  virtual ~Spool() = default;

  // Blocks while the spool is full, at most `timeout`: DeadlineExceeded, and nothing was appended. What is
  // appended can be read at once, and is on disk after Sync.
  virtual absl::Status Append(std::string_view event, absl::Duration timeout) = 0;
  virtual absl::Status Sync() = 0;

  virtual SpoolPlace begin() const = 0;  // the oldest event
  virtual SpoolPlace end() const = 0;    // where the source must go on to append more
  virtual uint64_t disk_bytes() const = 0;
  virtual uint64_t event_bytes() const = 0;  // uncompressed
  virtual bool empty() const = 0;

  // From the event with this sequence on; begin().sequence at least. OutOfRange when it is not there.
  virtual absl::StatusOr<std::unique_ptr<SpoolReader>> ReadFrom(uint64_t sequence) = 0;
  // From the event that begins at this place in the source's log on, or end(). NotFound when the spool does
  // not hold the place.
  virtual absl::StatusOr<std::unique_ptr<SpoolReader>> ReadFrom(std::string_view file, uint64_t offset) = 0;

  // Events before `sequence` are not needed any more: whole segments of them are deleted.
  virtual absl::Status Acknowledge(uint64_t sequence) = 0;
  // Deletes all; the next event gets the next sequence still.
  virtual absl::Status Clear() = 0;
};

// Not thread-safe. Must not outlive its Spool.
class SpoolReader {
 public:
  virtual ~SpoolReader() = default;
  // Where reading begins, and the FORMAT_DESCRIPTION in force there ("" when none has come yet): feed that,
  // then call LogDecoder::SetPosition with this place.
  virtual const SpoolPlace& start() const = 0;
  virtual std::string_view format_event() const = 0;
  // Nullopt: nothing came within `timeout`. DataLoss with file and offset when a frame is damaged.
  virtual absl::StatusOr<std::optional<SpoolEvent>> Next(absl::Duration timeout) = 0;
};

}  // namespace hakobu
