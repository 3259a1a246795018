// The spool's parts: what is written to (disk_spool.cc), what is found at the start (spool_recovery.cc) and
// what is read back (spool_reader.cc).
#pragma once

#include <algorithm>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/synchronization/mutex.h"
#include "delivery/stream/spool.h"
#include "delivery/stream/spool_file.h"
#include "delivery/stream/spool_segment.h"

namespace hakobu::spool {

class DiskSpool;

struct Segment {
  uint64_t first_sequence = 0;
  uint64_t next_sequence = 0;  // after its last written frame
  uint64_t file_bytes = 0;
  uint64_t raw_bytes = 0;
  std::string path;
};

class DiskReader : public SpoolReader {
 public:
  explicit DiskReader(DiskSpool* owner) : spool_(owner) {}
  const SpoolPlace& start() const override { return start_; }
  std::string_view format_event() const override { return format_event_; }
  absl::StatusOr<std::optional<SpoolEvent>> Next(absl::Duration timeout) override;

  // Both place the reader before the event that is asked for; false: it is not held.
  absl::StatusOr<bool> SeekTo(uint64_t sequence);
  absl::StatusOr<bool> SeekTo(std::string_view file, uint64_t offset);

 private:
  absl::Status Begin(uint64_t sequence);
  absl::StatusOr<bool> LoadFrame(absl::Time deadline);
  absl::Status OpenSegment(const Segment& segment);
  // `matches` is asked before each event, with the tracker at it.
  absl::StatusOr<bool> Seek(absl::FunctionRef<bool()> matches);
  void StartHere(uint64_t sequence);

  DiskSpool* spool_;
  SpoolPlace start_;
  std::string format_event_;
  Segment segment_;
  Descriptor file_;
  std::optional<SegmentReader> reader_;
  Tracker tracker_;
  Frame frame_;
  size_t at_ = 0;          // in the frame
  uint64_t sequence_ = 0;  // of the event at at_
};

class DiskSpool : public Spool {
 public:
  explicit DiskSpool(const SpoolOptions& options) : options_(options) {
    options_.segment_bytes =
        std::clamp<uint64_t>(options.segment_bytes, 4096, std::max<uint64_t>(options.max_bytes / 4, 4096));
    options_.frame_bytes = std::min(options.frame_bytes, options_.segment_bytes);
  }

  absl::Status Recover();

  absl::Status Append(std::string_view event, absl::Duration timeout) override;
  absl::Status Sync() override;
  SpoolPlace begin() const override {
    absl::MutexLock lock(&mutex_);
    return begin_;
  }
  SpoolPlace end() const override {
    absl::MutexLock lock(&mutex_);
    return {next_sequence_, tracker_.file, tracker_.offset};
  }
  uint64_t disk_bytes() const override {
    absl::MutexLock lock(&mutex_);
    return disk_bytes_;
  }
  uint64_t event_bytes() const override {
    absl::MutexLock lock(&mutex_);
    return raw_bytes_;
  }
  bool empty() const override {
    absl::MutexLock lock(&mutex_);
    return acknowledged_ == next_sequence_;
  }

  absl::StatusOr<std::unique_ptr<SpoolReader>> ReadFrom(uint64_t sequence) override;
  absl::StatusOr<std::unique_ptr<SpoolReader>> ReadFrom(std::string_view file, uint64_t offset) override;

  absl::Status Acknowledge(uint64_t sequence) override;
  absl::Status Clear() override;

 private:
  friend class DiskReader;

  const Sealer* sealer() const { return options_.sealer.has_value() ? &*options_.sealer : nullptr; }

  bool HasRoom() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    // Compressed it is less, but how much less is not known before.
    return disk_bytes_ + open_.size() + room_for_ + kFrameHeaderBytes + Sealer::kOverheadBytes <=
               options_.max_bytes ||
           (acknowledged_ == next_sequence_ && open_.empty());
  }

  // Writes the open frame; after it the segment may be full.
  absl::Status Flush() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status StartSegment() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status DropOldest() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status RecoverSegment(const std::string& path, bool last) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status RecoverLast(const Descriptor& file, SegmentReader* reader, const SegmentHeader& header,
                           Segment* segment) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  SpoolOptions options_;
  Descriptor lock_;
  mutable absl::Mutex mutex_;
  absl::CondVar room_, arrived_;
  std::deque<Segment> segments_ ABSL_GUARDED_BY(mutex_);  // oldest first; the last is written to
  Descriptor file_ ABSL_GUARDED_BY(mutex_);               // of the last
  std::string open_ ABSL_GUARDED_BY(mutex_);              // events of the frame that is not written yet
  uint32_t open_events_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t open_first_ ABSL_GUARDED_BY(mutex_) = 0;
  Tracker tracker_ ABSL_GUARDED_BY(mutex_);  // behind the last event
  SpoolPlace begin_ ABSL_GUARDED_BY(mutex_);
  uint64_t next_sequence_ ABSL_GUARDED_BY(mutex_) = 1;
  uint64_t acknowledged_ ABSL_GUARDED_BY(mutex_) = 1;
  uint64_t disk_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t raw_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t room_for_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace hakobu::spool
