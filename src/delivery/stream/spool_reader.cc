// Events read back from the spool.
#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>

#include "base/status.h"
#include "delivery/stream/disk_spool.h"

namespace hakobu::spool {

absl::Status DiskReader::OpenSegment(const Segment& segment) {
  file_ = Descriptor(open(segment.path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file_.get() < 0) return FileError("open", segment.path);
  reader_.emplace(ReadFile(file_.get()), spool_->sealer());
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
  const auto event = EventAt(frame_.raw, at_);
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

absl::StatusOr<bool> DiskReader::Seek(absl::FunctionRef<bool()> matches) {
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

}  // namespace hakobu::spool
