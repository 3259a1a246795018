// A chunk's rows in a PENDING stream of their own: nothing of them is visible until the sealed stream is
// committed.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "delivery/move/request_writer.h"
#include "destination/destination.h"

namespace hakobu {

// One thread. After an error it is only good for being destroyed.
class PendingChunk {
 public:
  PendingChunk(StorageWrite* storage, TableName table, ProtoEncoder encoder,
               std::shared_ptr<RequestPool> pool, AppendOptions options);
  PendingChunk(const PendingChunk&) = delete;
  PendingChunk& operator=(const PendingChunk&) = delete;

  RequestWriter& writer() { return writer_; }
  const RequestWriter& writer() const { return writer_; }
  // Every row is acknowledged. Returns the stream's name; empty when there was no row.
  absl::StatusOr<std::string> Flush();
  // As Flush, and the stream takes no more: from now on the service keeps the rows for hours only.
  absl::StatusOr<std::string> Seal();

 private:
  absl::Status Send(std::shared_ptr<EncodedRows> request);

  StorageWrite* storage_;
  const TableName table_;
  const AppendOptions options_;
  RequestWriter writer_;
  std::string name_;
  std::unique_ptr<WriteStream> stream_;
};

// The stream takes no more. Aborted when the service counts other rows than were written.
absl::Status FinalizeStream(StorageWrite& storage, const std::string& stream, uint64_t rows);

// What became of a stream that an earlier attempt wrote.
enum class SealedStream : uint8_t { kGone, kSealed, kCommitted };
absl::StatusOr<SealedStream> FindSealed(StorageWrite& storage, const std::string& stream);

}  // namespace hakobu
