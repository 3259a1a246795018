#include "delivery/stream/disk_spool.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/check.h"
#include "base/crash_point.h"
#include "base/status.h"

namespace hakobu::spool {

absl::Status DiskSpool::Append(std::string_view event, absl::Duration timeout) {
  absl::MutexLock lock(&mutex_);
  if (event.size() > options_.max_bytes / 2) {
    return WithHint(
        absl::ResourceExhaustedError(fmt::format("an event of {} bytes is more than half of the spool's {}",
                                                 event.size(), options_.max_bytes)),
        "raise the spool's max_bytes");
  }
  room_for_ = event.size();
  const absl::Time deadline = absl::Now() + timeout;
  while (!HasRoom()) {
    if (room_.WaitWithDeadline(&mutex_, deadline) && !HasRoom()) {
      return absl::DeadlineExceededError(fmt::format("the spool in {} is full: {} of {} bytes",
                                                     options_.folder, disk_bytes_ + open_.size(),
                                                     options_.max_bytes));
    }
  }
  // Before it changes anything: a bad event is refused whole.
  Tracker after = tracker_;
  HAKOBU_RETURN_IF_ERROR(Annotate(after.Take(event), "append to the spool"));
  if (open_.empty()) open_first_ = next_sequence_;
  HAKOBU_CHECK(open_first_ + open_events_ == next_sequence_,
               "events of the spool have no sequence without gaps", kStartAgain);
  open_ += event;
  ++open_events_;
  ++next_sequence_;
  raw_bytes_ += event.size();
  tracker_ = std::move(after);
  arrived_.SignalAll();
  return open_.size() >= options_.frame_bytes ? Flush() : absl::OkStatus();
}

absl::Status DiskSpool::Sync() {
  absl::MutexLock lock(&mutex_);
  HAKOBU_RETURN_IF_ERROR(Flush());
  if (fdatasync(file_.get()) != 0) return FileError("sync the spool", segments_.back().path);
  CrashPoint("spool.synced");
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<SpoolReader>> DiskSpool::ReadFrom(uint64_t sequence) {
  auto reader = std::make_unique<DiskReader>(this);
  HAKOBU_ASSIGN_OR_RETURN(const bool found, reader->SeekTo(sequence));
  if (found) return reader;
  return absl::OutOfRangeError(
      fmt::format("the spool holds events {} to {}, not {}", begin().sequence, end().sequence, sequence));
}

absl::StatusOr<std::unique_ptr<SpoolReader>> DiskSpool::ReadFrom(std::string_view file, uint64_t offset) {
  auto reader = std::make_unique<DiskReader>(this);
  HAKOBU_ASSIGN_OR_RETURN(const bool found, reader->SeekTo(file, offset));
  if (found) return reader;
  return absl::NotFoundError(fmt::format("the spool does not hold {}:{}", file, offset));
}

absl::Status DiskSpool::Acknowledge(uint64_t sequence) {
  absl::MutexLock lock(&mutex_);
  if (sequence > next_sequence_) {
    return absl::OutOfRangeError(fmt::format("the spool ends before event {}", next_sequence_));
  }
  acknowledged_ = std::max(acknowledged_, sequence);
  // All is done with: the open file must go too, or a full spool would stay full.
  if (acknowledged_ == next_sequence_ && segments_.back().file_bytes >= options_.segment_bytes / 2) {
    HAKOBU_RETURN_IF_ERROR(Flush());
    HAKOBU_RETURN_IF_ERROR(StartSegment());
  }
  while (segments_.size() > 1 && segments_[1].first_sequence <= acknowledged_)
    HAKOBU_RETURN_IF_ERROR(DropOldest());
  room_.SignalAll();
  return absl::OkStatus();
}

absl::Status DiskSpool::Clear() {
  absl::MutexLock lock(&mutex_);
  HAKOBU_CHECK(open_.size() <= raw_bytes_, "the spool counts fewer bytes than it holds", kStartAgain);
  raw_bytes_ -= open_.size();
  open_.clear();
  open_events_ = 0;
  acknowledged_ = next_sequence_;
  tracker_ = Tracker();
  HAKOBU_RETURN_IF_ERROR(StartSegment());
  while (segments_.size() > 1) HAKOBU_RETURN_IF_ERROR(DropOldest());
  return absl::OkStatus();
}

absl::Status DiskSpool::Flush() {
  if (open_.empty()) return absl::OkStatus();
  std::string frame;
  HAKOBU_RETURN_IF_ERROR(
      AppendFrame(open_first_, open_events_, open_, options_.compression_level, sealer(), &frame));
  HAKOBU_CHECK(!segments_.empty(), "the spool writes to no file", kStartAgain);
  Segment& segment = segments_.back();
  HAKOBU_CHECK(segment.next_sequence == open_first_, "a frame would not begin where the file ends",
               kStartAgain);
  const absl::Status written = WriteAll(file_.get(), frame, segment.path);
  if (!written.ok()) {
    // What is there of it must go, or the next frame would stand behind rubbish.
    if (ftruncate(file_.get(), static_cast<off_t>(segment.file_bytes)) != 0)
      return FileError("shorten", segment.path);
    return written;
  }
  CrashPoint("spool.written");
  segment.file_bytes += frame.size();
  segment.raw_bytes += open_.size();
  segment.next_sequence = next_sequence_;
  disk_bytes_ += frame.size();
  open_.clear();
  open_events_ = 0;
  return segment.file_bytes >= options_.segment_bytes ? StartSegment() : absl::OkStatus();
}

absl::Status DiskSpool::StartSegment() {
  if (file_.get() >= 0 && fdatasync(file_.get()) != 0)
    return FileError("sync the spool", segments_.back().path);
  if (!segments_.empty() && segments_.back().first_sequence == next_sequence_) {
    // Nothing was written to it; its context may be old.
    if (unlink(segments_.back().path.c_str()) != 0) return FileError("delete", segments_.back().path);
    disk_bytes_ -= segments_.back().file_bytes;
    segments_.pop_back();
  }
  Segment segment;
  segment.first_sequence = segment.next_sequence = next_sequence_;
  segment.path = fmt::format("{}/{:020}.spool", options_.folder, next_sequence_);
  const std::string header = SegmentHeader{next_sequence_, tracker_}.ToBytes();
  // Written whole under another name: a segment has its header or does not exist.
  const std::string fresh = segment.path + ".new";
  Descriptor file(open(fresh.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600));
  if (file.get() < 0) return FileError("make", fresh);
  HAKOBU_RETURN_IF_ERROR(WriteAll(file.get(), header, fresh));
  if (fdatasync(file.get()) != 0) return FileError("sync", fresh);
  if (rename(fresh.c_str(), segment.path.c_str()) != 0) return FileError("rename", fresh);
  HAKOBU_RETURN_IF_ERROR(SyncFolder(options_.folder));
  CrashPoint("spool.segment");
  file_ = std::move(file);
  segment.file_bytes = header.size();
  disk_bytes_ += header.size();
  segments_.push_back(std::move(segment));
  if (segments_.size() == 1) begin_ = {next_sequence_, tracker_.file, tracker_.offset};
  return absl::OkStatus();
}

absl::Status DiskSpool::DropOldest() {
  HAKOBU_CHECK(segments_.size() > 1, "the spool would delete the file that it writes to", kStartAgain);
  const Segment& oldest = segments_.front();
  if (unlink(oldest.path.c_str()) != 0 && errno != ENOENT) return FileError("delete", oldest.path);
  CrashPoint("spool.dropped");
  HAKOBU_CHECK(oldest.next_sequence <= acknowledged_, "events that are not acknowledged would be deleted",
               kStartAgain);
  HAKOBU_CHECK(oldest.file_bytes <= disk_bytes_ && oldest.raw_bytes <= raw_bytes_,
               "the spool counts fewer bytes than it holds", kStartAgain);
  disk_bytes_ -= oldest.file_bytes;
  raw_bytes_ -= oldest.raw_bytes;
  segments_.pop_front();
  const Descriptor file(open(segments_.front().path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return FileError("open", segments_.front().path);
  HAKOBU_ASSIGN_OR_RETURN(const SegmentHeader header, SegmentReader(ReadFile(file.get())).ReadHeader());
  begin_ = {header.first_sequence, header.context.file, header.context.offset};
  acknowledged_ = std::max(acknowledged_, header.first_sequence);
  room_.SignalAll();
  return absl::OkStatus();
}

}  // namespace hakobu::spool
