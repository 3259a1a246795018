#include "delivery/stream/spool.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <deque>
#include <filesystem>
#include <map>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/crash_point.h"
#include "base/status.h"
#include "delivery/stream/spool_segment.h"

namespace hakobu {
namespace {

using spool::Frame;
using spool::SegmentHeader;
using spool::SegmentReader;
using spool::Tracker;

class Descriptor {
 public:
  explicit Descriptor(int number = -1) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor() {
    if (number_ >= 0) close(number_);
  }
  int get() const { return number_; }

 private:
  int number_;
};

absl::Status FileError(std::string_view verb, const std::string& path) {
  const std::string message = fmt::format("{} {}: {}", verb, path, std::strerror(errno));
  if (errno == EACCES || errno == EPERM) return absl::PermissionDeniedError(message);
  if (errno == ENOSPC || errno == EDQUOT) {
    return WithHint(absl::ResourceExhaustedError(message),
                    "the disk is full: give the spool a smaller max_bytes");
  }
  return absl::UnavailableError(message);
}

absl::Status WriteAll(int descriptor, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t wrote = write(descriptor, bytes.data(), bytes.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return FileError("write to the spool", path);
    bytes.remove_prefix(static_cast<size_t>(wrote));
  }
  return absl::OkStatus();
}

absl::Status SyncFolder(const std::string& folder) {
  const Descriptor opened(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (opened.get() < 0 || fsync(opened.get()) != 0) return FileError("sync the spool's folder", folder);
  return absl::OkStatus();
}

struct Segment {
  uint64_t first_sequence = 0;
  uint64_t next_sequence = 0;  // after its last written frame
  uint64_t file_bytes = 0;
  uint64_t raw_bytes = 0;
  std::string path;
};

class DiskSpool;

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
  template <typename Matches>
  absl::StatusOr<bool> Seek(Matches matches);
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

  absl::Status Append(std::string_view event, absl::Duration timeout) override {
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
    open_ += event;
    ++open_events_;
    ++next_sequence_;
    raw_bytes_ += event.size();
    tracker_ = std::move(after);
    arrived_.SignalAll();
    return open_.size() >= options_.frame_bytes ? Flush() : absl::OkStatus();
  }

  absl::Status Sync() override {
    absl::MutexLock lock(&mutex_);
    HAKOBU_RETURN_IF_ERROR(Flush());
    if (fdatasync(file_.get()) != 0) return FileError("sync the spool", segments_.back().path);
    CrashPoint("spool.synced");
    return absl::OkStatus();
  }

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

  absl::StatusOr<std::unique_ptr<SpoolReader>> ReadFrom(uint64_t sequence) override {
    auto reader = std::make_unique<DiskReader>(this);
    HAKOBU_ASSIGN_OR_RETURN(const bool found, reader->SeekTo(sequence));
    if (found) return reader;
    return absl::OutOfRangeError(
        fmt::format("the spool holds events {} to {}, not {}", begin().sequence, end().sequence, sequence));
  }
  absl::StatusOr<std::unique_ptr<SpoolReader>> ReadFrom(std::string_view file, uint64_t offset) override {
    auto reader = std::make_unique<DiskReader>(this);
    HAKOBU_ASSIGN_OR_RETURN(const bool found, reader->SeekTo(file, offset));
    if (found) return reader;
    return absl::NotFoundError(fmt::format("the spool does not hold {}:{}", file, offset));
  }

  absl::Status Acknowledge(uint64_t sequence) override {
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

  absl::Status Clear() override {
    absl::MutexLock lock(&mutex_);
    raw_bytes_ -= open_.size();
    open_.clear();
    open_events_ = 0;
    acknowledged_ = next_sequence_;
    tracker_ = Tracker();
    HAKOBU_RETURN_IF_ERROR(StartSegment());
    while (segments_.size() > 1) HAKOBU_RETURN_IF_ERROR(DropOldest());
    return absl::OkStatus();
  }

 private:
  friend class DiskReader;

  bool HasRoom() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    // Compressed it is less, but how much less is not known before.
    return disk_bytes_ + open_.size() + room_for_ + spool::kFrameHeaderBytes <= options_.max_bytes ||
           (acknowledged_ == next_sequence_ && open_.empty());
  }

  // Writes the open frame; after it the segment may be full.
  absl::Status Flush() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (open_.empty()) return absl::OkStatus();
    std::string frame;
    HAKOBU_RETURN_IF_ERROR(
        spool::AppendFrame(open_first_, open_events_, open_, options_.compression_level, &frame));
    Segment& segment = segments_.back();
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

  absl::Status StartSegment() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
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

  absl::Status DropOldest() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const Segment& oldest = segments_.front();
    if (unlink(oldest.path.c_str()) != 0 && errno != ENOENT) return FileError("delete", oldest.path);
    CrashPoint("spool.dropped");
    disk_bytes_ -= oldest.file_bytes;
    raw_bytes_ -= oldest.raw_bytes;
    segments_.pop_front();
    const Descriptor file(open(segments_.front().path.c_str(), O_RDONLY | O_CLOEXEC));
    if (file.get() < 0) return FileError("open", segments_.front().path);
    HAKOBU_ASSIGN_OR_RETURN(const SegmentHeader header,
                            SegmentReader(spool::ReadFile(file.get())).ReadHeader());
    begin_ = {header.first_sequence, header.context.file, header.context.offset};
    acknowledged_ = std::max(acknowledged_, header.first_sequence);
    room_.SignalAll();
    return absl::OkStatus();
  }

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

absl::Status DiskSpool::Recover() {
  absl::MutexLock lock(&mutex_);
  std::error_code error;
  std::filesystem::create_directories(options_.folder, error);
  if (error || chmod(options_.folder.c_str(), 0700) != 0)
    return FileError("make the spool's folder", options_.folder);
  const std::string lock_path = options_.folder + "/lock";
  lock_ = Descriptor(open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (lock_.get() < 0) return FileError("open", lock_path);
  if (flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) {
    return WithHint(absl::FailedPreconditionError(fmt::format("the spool in {} is in use", options_.folder)),
                    "another hakobu works with it; give each stream a folder of its own");
  }
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(options_.folder, error)) {
    if (entry.path().extension() == ".spool") paths.push_back(entry.path());
    if (entry.path().extension() == ".new") unlink(entry.path().c_str());
  }
  std::sort(paths.begin(), paths.end());
  for (const std::string& path : paths) {
    const absl::Status recovered = RecoverSegment(path, path == paths.back());
    if (!recovered.ok()) {
      return WithHint(Annotate(recovered, fmt::format("recover the spool: {}", path)),
                      "delete the folder: what it held is read from the source again, if that still has it");
    }
  }
  if (segments_.empty()) return StartSegment();
  acknowledged_ = begin_.sequence;
  return absl::OkStatus();
}

absl::Status DiskSpool::RecoverSegment(const std::string& path, bool last) {
  Descriptor file(open(path.c_str(), O_RDWR | O_APPEND | O_CLOEXEC));
  if (file.get() < 0) return FileError("open", path);
  SegmentReader reader(spool::ReadFile(file.get()));
  HAKOBU_ASSIGN_OR_RETURN(const SegmentHeader header, reader.ReadHeader());
  Segment segment;
  segment.path = path;
  segment.first_sequence = segment.next_sequence = header.first_sequence;
  if (segments_.empty()) {
    begin_ = {header.first_sequence, header.context.file, header.context.offset};
  } else if (segments_.back().next_sequence != header.first_sequence) {
    return absl::DataLossError(fmt::format("events {} to {} are missing: a file was deleted",
                                           segments_.back().next_sequence, header.first_sequence - 1));
  }
  if (last) {
    HAKOBU_RETURN_IF_ERROR(RecoverLast(file, &reader, header, &segment));
  } else {
    Frame frame;
    uint64_t raw_bytes = 0;
    for (;;) {
      HAKOBU_ASSIGN_OR_RETURN(const bool more, reader.Skip(&frame, &raw_bytes));
      if (!more) break;
      segment.raw_bytes += raw_bytes;
      segment.next_sequence = frame.first_sequence + frame.events;
    }
  }
  segment.file_bytes = reader.offset();
  disk_bytes_ += segment.file_bytes;
  raw_bytes_ += segment.raw_bytes;
  next_sequence_ = segment.next_sequence;
  if (last) file_ = std::move(file);
  segments_.push_back(std::move(segment));
  return absl::OkStatus();
}

absl::Status DiskSpool::RecoverLast(const Descriptor& file, SegmentReader* reader,
                                    const SegmentHeader& header, Segment* segment) {
  tracker_ = header.context;
  Frame frame;
  for (;;) {
    const auto more = reader->Next(&frame);
    if (absl::IsDataLoss(more.status())) {
      HAKOBU_ASSIGN_OR_RETURN(const bool behind, reader->AnyFrameBehind());
      if (behind) return more.status();
      if (ftruncate(file.get(), static_cast<off_t>(reader->offset())) != 0)
        return FileError("shorten", segment->path);
      return absl::OkStatus();
    }
    HAKOBU_RETURN_IF_ERROR(more.status());
    if (!*more) return absl::OkStatus();
    for (size_t at = 0; at < frame.raw.size();) {
      const auto event = spool::EventAt(frame.raw, at);
      const absl::Status taken = event.ok() ? tracker_.Take(*event) : event.status();
      if (!taken.ok())
        return absl::DataLossError(fmt::format("before {}: {}", reader->offset(), View(taken.message())));
      at += event->size();
    }
    segment->raw_bytes += frame.raw.size();
    segment->next_sequence = frame.first_sequence + frame.events;
  }
}

absl::Status DiskReader::OpenSegment(const Segment& segment) {
  file_ = Descriptor(open(segment.path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file_.get() < 0) return FileError("open", segment.path);
  reader_.emplace(spool::ReadFile(file_.get()));
  segment_ = segment;
  auto header = reader_->ReadHeader();
  if (!header.ok()) return Annotate(header.status(), fmt::format("spool {}", segment.path));
  tracker_ = std::move(header->context);
  sequence_ = header->first_sequence;
  frame_ = Frame();
  at_ = 0;
  return absl::OkStatus();
}

// The next frame that is written, or is to be written because somebody waits for it.
absl::StatusOr<bool> DiskReader::LoadFrame(absl::Time deadline) {
  for (;;) {
    {
      absl::MutexLock lock(&spool_->mutex_);
      while (spool_->next_sequence_ <= sequence_) {
        if (spool_->arrived_.WaitWithDeadline(&spool_->mutex_, deadline) &&
            spool_->next_sequence_ <= sequence_)
          return false;
      }
      if (!spool_->open_.empty() && spool_->open_first_ <= sequence_) HAKOBU_RETURN_IF_ERROR(spool_->Flush());
    }
    const auto more = reader_->Next(&frame_);
    if (!more.ok()) return Annotate(more.status(), fmt::format("spool {}", segment_.path));
    at_ = 0;
    if (*more && frame_.first_sequence != sequence_) {
      return absl::DataLossError(fmt::format("spool {}: before {}: expected event {}, found {}",
                                             segment_.path, reader_->offset(), sequence_,
                                             frame_.first_sequence));
    }
    if (*more) return true;
    // This file is read: the next one begins where it ends.
    Segment next;
    {
      absl::MutexLock lock(&spool_->mutex_);
      const auto found = std::find_if(spool_->segments_.begin(), spool_->segments_.end(),
                                      [&](const Segment& each) { return each.first_sequence == sequence_; });
      if (found == spool_->segments_.end() || found->path == segment_.path) {
        return absl::DataLossError(
            fmt::format("spool {}: event {} is not there any more", segment_.path, sequence_));
      }
      next = *found;
    }
    HAKOBU_RETURN_IF_ERROR(OpenSegment(next));
  }
}

absl::StatusOr<std::optional<SpoolEvent>> DiskReader::Next(absl::Duration timeout) {
  if (at_ >= frame_.raw.size()) {
    HAKOBU_ASSIGN_OR_RETURN(const bool more, LoadFrame(absl::Now() + timeout));
    if (!more) return std::optional<SpoolEvent>();
  }
  const auto event = spool::EventAt(frame_.raw, at_);
  if (!event.ok())
    return absl::DataLossError(fmt::format("spool {}: {}", segment_.path, View(event.status().message())));
  at_ += event->size();
  return std::optional<SpoolEvent>(SpoolEvent{sequence_++, *event});
}

// At the last segment that begins at or before `sequence`.
absl::Status DiskReader::Begin(uint64_t sequence) {
  Segment segment;
  {
    absl::MutexLock lock(&spool_->mutex_);
    segment = spool_->segments_.front();
    for (const Segment& each : spool_->segments_) {
      if (each.first_sequence <= sequence) segment = each;
    }
  }
  return OpenSegment(segment);
}

void DiskReader::StartHere(uint64_t sequence) {
  start_ = {sequence, tracker_.file, tracker_.offset};
  format_event_ = tracker_.format_event;
}

// `matches` is asked before each event, with the tracker at it.
template <typename Matches>
absl::StatusOr<bool> DiskReader::Seek(Matches matches) {
  for (;;) {
    if (matches()) {
      StartHere(sequence_);
      return true;
    }
    HAKOBU_ASSIGN_OR_RETURN(const auto event, Next(absl::ZeroDuration()));
    if (!event) return false;
    const absl::Status taken = tracker_.Take(event->bytes);
    if (!taken.ok())
      return absl::DataLossError(fmt::format("spool {}: {}", segment_.path, View(taken.message())));
  }
}

absl::StatusOr<bool> DiskReader::SeekTo(uint64_t sequence) {
  HAKOBU_RETURN_IF_ERROR(Begin(sequence));
  return Seek([&] { return sequence_ == sequence; });
}

absl::StatusOr<bool> DiskReader::SeekTo(std::string_view file, uint64_t offset) {
  HAKOBU_RETURN_IF_ERROR(Begin(0));
  return Seek([&] { return tracker_.offset == offset && tracker_.file == file; });
}

}  // namespace

absl::StatusOr<std::unique_ptr<Spool>> Spool::Open(const SpoolOptions& options) {
  auto opened = std::make_unique<DiskSpool>(options);
  HAKOBU_RETURN_IF_ERROR(opened->Recover());
  return opened;
}

}  // namespace hakobu
