#include "delivery/move/pending_chunk.h"

#include <fmt/format.h>

#include "base/check.h"
#include "base/crash_point.h"
#include "base/status.h"
#include "delivery/move/retry.h"

namespace hakobu {

PendingChunk::PendingChunk(StorageWrite* storage, TableName table, ProtoEncoder encoder,
                           std::shared_ptr<RequestPool> pool, AppendOptions options)
    : storage_(storage),
      table_(std::move(table)),
      options_(std::move(options)),
      writer_(std::move(encoder), std::move(pool),
              [this](std::shared_ptr<EncodedRows> request) { return Send(std::move(request)); }) {}

absl::Status PendingChunk::Send(std::shared_ptr<EncodedRows> request) {
  HAKOBU_CHECK(request != nullptr && request->rows() > 0, "a request without rows would be sent",
               kStartAgain);
  if (stream_ == nullptr) {
    HAKOBU_ASSIGN_OR_RETURN(const StreamFacts made, storage_->CreateStream(table_, StreamType::kPending));
    CrashPoint("chunk.stream_created");
    name_ = made.name;
    stream_ = std::make_unique<WriteStream>(
        *storage_,
        AppendTarget{.stream = name_, .descriptor = std::string(writer_.descriptor()), .next_offset = 0},
        options_);
  }
  RowBytes rows{.bytes = request->bytes(), .row_count = request->rows(), .owner = request};
  return writer_.Explain(stream_->Append(std::move(rows)));
}

absl::StatusOr<std::string> PendingChunk::Flush() {
  HAKOBU_RETURN_IF_ERROR(writer_.Flush());
  if (stream_ == nullptr) return std::string();
  HAKOBU_RETURN_IF_ERROR(writer_.Explain(stream_->Flush()));
  CrashPoint("chunk.flushed");
  return name_;
}

absl::StatusOr<std::string> PendingChunk::Seal() {
  HAKOBU_ASSIGN_OR_RETURN(std::string name, Flush());
  if (name.empty()) return name;
  HAKOBU_RETURN_IF_ERROR(FinalizeStream(*storage_, name, writer_.content().rows));
  CrashPoint("chunk.finalized");
  return name;
}

absl::Status FinalizeStream(StorageWrite& storage, const std::string& stream, uint64_t rows) {
  HAKOBU_ASSIGN_OR_RETURN(const int64_t count, storage.Finalize(stream));
  if (count == static_cast<int64_t>(rows)) return absl::OkStatus();
  return absl::AbortedError(fmt::format("stream {} holds {} rows, sent were {}", stream, count, rows));
}

absl::StatusOr<SealedStream> FindSealed(StorageWrite& storage, const std::string& stream) {
  const absl::StatusOr<StreamFacts> facts = storage.GetStream(stream);
  if (facts.ok()) return facts->committed ? SealedStream::kCommitted : SealedStream::kSealed;
  if (PassesByItself(facts.status()) || facts.status().code() == absl::StatusCode::kCancelled) {
    return facts.status();
  }
  return SealedStream::kGone;
}

}  // namespace hakobu
