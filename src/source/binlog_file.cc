#include "source/binlog_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/byte_reader.h"
#include "base/status.h"

namespace hakobu {
namespace {

constexpr std::string_view kMagic(
    "\xfe"
    "bin",
    4);
constexpr std::string_view kEncryptedMagic(
    "\xfd"
    "bin",
    4);
constexpr size_t kHeaderBytes = 19;
// A server's largest max_allowed_packet, and what an event adds around a row.
constexpr uint32_t kMostEventBytes = (1u << 30) + (1u << 20);
constexpr size_t kStepBytes = size_t{1} << 20;

absl::Status CannotOpen(const std::string& path) {
  const int error = errno;
  const std::string message = fmt::format("open binary log {}: {}", path, std::strerror(error));
  if (error == ENOENT) return absl::NotFoundError(message);
  if (error == EACCES) return absl::PermissionDeniedError(message);
  return absl::UnknownError(message);
}

}  // namespace

absl::StatusOr<BinlogFile> BinlogFile::Open(const std::string& path) {
  File file = path == "-" ? File(stdin, [](std::FILE*) { return 0; })
                          : File(std::fopen(path.c_str(), "rb"), &std::fclose);
  if (file == nullptr) return CannotOpen(path);
  std::setvbuf(file.get(), nullptr, _IOFBF, 256 * 1024);
  char magic[4];
  const size_t got = std::fread(magic, 1, sizeof magic, file.get());
  const std::string_view found(magic, got);
  if (found == kEncryptedMagic) {
    return absl::InvalidArgumentError(fmt::format(
        "open binary log {}: the file is encrypted; hint: read it from the server, which decrypts", path));
  }
  if (found != kMagic) {
    return absl::InvalidArgumentError(fmt::format(
        "open binary log {}: expected a file that begins with fe 62 69 6e, found {} bytes of something "
        "else; hint: relay and binary logs are meant, not the .index file",
        path, got));
  }
  BinlogFile log(std::move(file), path.substr(path.rfind('/') + 1));
  log.position_ = kMagic.size();
  return log;
}

absl::Status BinlogFile::Seek(uint64_t offset) {
  if (std::fseek(file_.get(), static_cast<long>(offset), SEEK_SET) != 0) {
    return absl::InvalidArgumentError(
        fmt::format("seek to {} in binary log {}: {}", offset, name_, std::strerror(errno)));
  }
  position_ = offset;
  return absl::OkStatus();
}

absl::StatusOr<bool> BinlogFile::Next(std::string_view* event) {
  const auto cut_short = [&](size_t expected) {
    return absl::DataLossError(
        fmt::format("binary log {} at {}: the file ends after {} of the event's {} bytes; hint: it was "
                    "copied while being "
                    "written, or the server crashed",
                    name_, position_, event_.size(), expected));
  };
  event_.resize(kHeaderBytes);
  event_.resize(std::fread(event_.data(), 1, kHeaderBytes, file_.get()));
  if (event_.empty()) return false;
  if (event_.size() < kHeaderBytes) return cut_short(kHeaderBytes);
  const uint32_t size = ByteReader(std::string_view(event_).substr(9)).U32();
  if (size < kHeaderBytes || size > kMostEventBytes) {
    return absl::DataLossError(
        fmt::format("binary log {} at {}: an event of {} bytes cannot be", name_, position_, size));
  }
  // In steps: a corrupt length must not ask for a gigabyte that the file does not have.
  while (event_.size() < size) {
    const size_t held = event_.size();
    const size_t step = std::min<size_t>(size - held, kStepBytes);
    event_.resize(held + step);
    const size_t got = std::fread(event_.data() + held, 1, step, file_.get());
    event_.resize(held + got);
    if (got < step) return cut_short(size);
  }
  position_ += size;
  *event = event_;
  return true;
}

}  // namespace hakobu
