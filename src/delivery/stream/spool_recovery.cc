// What an earlier process left in the spool's folder.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "base/status.h"
#include "delivery/stream/disk_spool.h"

namespace hakobu::spool {

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
  SegmentReader reader(ReadFile(file.get()), sealer());
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
      const auto event = EventAt(frame.raw, at);
      const absl::Status taken = event.ok() ? tracker_.Take(*event) : event.status();
      if (!taken.ok())
        return absl::DataLossError(fmt::format("before {}: {}", reader->offset(), View(taken.message())));
      at += event->size();
    }
    segment->raw_bytes += frame.raw.size();
    segment->next_sequence = frame.first_sequence + frame.events;
  }
}

}  // namespace hakobu::spool
