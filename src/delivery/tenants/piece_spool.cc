#include "delivery/tenants/piece_spool.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <zlib.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "absl/random/random.h"
#include "base/status.h"

namespace hakobu {
namespace {

// scan, tenant, rows, bytes, and a CRC-32 over them and the rows.
constexpr size_t kPieceHeader = 8 + 4 + 4 + 4 + 4;
constexpr size_t kLengthBytes = 4;

void AppendNumber(std::string* out, uint64_t value, size_t bytes) {
  for (size_t i = 0; i < bytes; ++i) out->push_back(static_cast<char>(value >> (8 * i)));
}

uint32_t LengthAt(const char* at) {
  uint32_t value = 0;
  for (size_t i = 0; i < kLengthBytes; ++i)
    value |= static_cast<uint32_t>(static_cast<uint8_t>(at[i])) << (8 * i);
  return value;
}

uint32_t PieceCrc(std::string_view header, std::string_view bytes) {
  const auto data = [](std::string_view text) { return reinterpret_cast<const Bytef*>(text.data()); };
  return static_cast<uint32_t>(crc32_z(crc32_z(0, data(header), header.size()), data(bytes), bytes.size()));
}

absl::Status WriteAt(int file, std::string_view bytes, uint64_t offset, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t wrote = pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return spool::FileError("write to the tenants' spool", path);
    bytes.remove_prefix(static_cast<size_t>(wrote));
    offset += static_cast<uint64_t>(wrote);
  }
  return absl::OkStatus();
}

absl::Status ReadAt(int file, size_t bytes, uint64_t offset, const std::string& path, std::string* out) {
  out->resize(bytes);
  size_t done = 0;
  while (done < bytes) {
    const ssize_t got = pread(file, out->data() + done, bytes - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return spool::FileError("read the tenants' spool", path);
    if (got == 0) return absl::DataLossError(fmt::format("the tenants' spool {} ends within a piece", path));
    done += static_cast<size_t>(got);
  }
  return absl::OkStatus();
}

}  // namespace

void PieceBuffer::Add(std::string_view packet) {
  AppendNumber(&bytes, packet.size(), kLengthBytes);
  bytes += packet;
  ++rows;
}

absl::StatusOr<std::unique_ptr<PieceSpool>> PieceSpool::Open(const std::string& folder, uint64_t max_bytes) {
  std::error_code error;
  const bool made = std::filesystem::create_directories(folder, error);
  if (error) {
    return WithHint(
        absl::PermissionDeniedError(fmt::format("make the folder {}: {}", folder, error.message())),
        "name another with tenants.spool");
  }
  if (made) std::filesystem::permissions(folder, std::filesystem::perms::owner_all, error);
  std::string path = folder + "/pieces-XXXXXX";
  spool::Descriptor file(mkostemp(path.data(), O_CLOEXEC));
  if (file.get() < 0 || unlink(path.c_str()) != 0) return spool::FileError("make the tenants' spool", path);
  absl::BitGen random;
  return std::unique_ptr<PieceSpool>(
      new PieceSpool(std::move(file), std::move(path), max_bytes, absl::Uniform<uint64_t>(random)));
}

std::string PieceSpool::Header(uint32_t tenant, uint32_t rows, std::string_view bytes) const {
  std::string header;
  AppendNumber(&header, scan_, 8);
  AppendNumber(&header, tenant, 4);
  AppendNumber(&header, rows, 4);
  AppendNumber(&header, bytes.size(), 4);
  AppendNumber(&header, PieceCrc(header, bytes), 4);
  return header;
}

absl::StatusOr<Piece> PieceSpool::Write(uint32_t tenant, const PieceBuffer& buffer) {
  Piece piece{.offset = 0, .bytes = static_cast<uint32_t>(buffer.bytes.size()), .rows = buffer.rows};
  const uint64_t size = kPieceHeader + buffer.bytes.size();
  {
    absl::MutexLock lock(&mutex_);
    if (end_ + size > max_bytes_) {
      return WithHint(
          absl::ResourceExhaustedError(fmt::format(
              "the tenants' spool in {} is full: its {} bytes do not hold the table", path_, max_bytes_)),
          "raise tenants.spool_bytes");
    }
    piece.offset = end_;
    end_ += size;
  }
  HAKOBU_RETURN_IF_ERROR(
      WriteAt(file_.get(), Header(tenant, buffer.rows, buffer.bytes), piece.offset, path_));
  HAKOBU_RETURN_IF_ERROR(WriteAt(file_.get(), buffer.bytes, piece.offset + kPieceHeader, path_));
  return piece;
}

absl::Status PieceSpool::Read(uint32_t tenant, const Piece& piece, std::string* memory,
                              absl::FunctionRef<absl::Status(std::string_view packet)> take) const {
  HAKOBU_RETURN_IF_ERROR(ReadAt(file_.get(), kPieceHeader + piece.bytes, piece.offset, path_, memory));
  const std::string_view bytes = std::string_view(*memory).substr(kPieceHeader);
  if (memory->substr(0, kPieceHeader) != Header(tenant, piece.rows, bytes)) {
    return WithHint(
        absl::DataLossError(fmt::format("the tenants' spool {} holds something else at {} than was "
                                        "written there",
                                        path_, piece.offset)),
        "nothing of it was delivered; look at the disk and run again");
  }
  size_t at = 0;
  for (uint32_t row = 0; row < piece.rows; ++row) {
    const uint32_t length = LengthAt(bytes.data() + at);
    HAKOBU_RETURN_IF_ERROR(take(bytes.substr(at + kLengthBytes, length)));
    at += kLengthBytes + length;
  }
  return absl::OkStatus();
}

}  // namespace hakobu
