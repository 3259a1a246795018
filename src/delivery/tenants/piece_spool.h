// Rows between the scan of a shared table and their delivery: pieces of one tenant each, in one file that has
// no name any more, so that nothing stays when the process ends, however it ends.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "delivery/stream/spool_file.h"

namespace hakobu {

struct Piece {
  uint64_t offset = 0;
  uint32_t bytes = 0;  // of its rows
  uint32_t rows = 0;
};

// Rows in memory that are to become a piece: packets, each after its length.
struct PieceBuffer {
  std::string bytes;
  uint32_t rows = 0;
  void Add(std::string_view packet);
};

// Of one scan. Thread-safe.
class PieceSpool {
 public:
  // Makes the folder when there is none, for its user alone. ResourceExhausted, later, beyond `max_bytes`.
  static absl::StatusOr<std::unique_ptr<PieceSpool>> Open(const std::string& folder, uint64_t max_bytes);

  absl::StatusOr<Piece> Write(uint32_t tenant, const PieceBuffer& buffer);
  // The packets of a piece, one after the other; they point into `memory`. DataLoss, with no packet given
  // out, when what is there is not that piece, whole, of that tenant.
  absl::Status Read(uint32_t tenant, const Piece& piece, std::string* memory,
                    absl::FunctionRef<absl::Status(std::string_view packet)> take) const;

 private:
  PieceSpool(spool::Descriptor file, std::string path, uint64_t max_bytes, uint64_t scan)
      : file_(std::move(file)), path_(std::move(path)), max_bytes_(max_bytes), scan_(scan) {}
  std::string Header(uint32_t tenant, uint32_t rows, std::string_view bytes) const;

  const spool::Descriptor file_;
  const std::string path_;
  const uint64_t max_bytes_;
  const uint64_t scan_;  // random: pieces of another scan are not this one's
  absl::Mutex mutex_;
  uint64_t end_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace hakobu
