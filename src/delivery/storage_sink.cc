#include <fmt/format.h>

#include <algorithm>

#include "base/crash_point.h"
#include "base/status.h"
#include "delivery/request_pool.h"
#include "delivery/row_sink.h"

namespace hakobu {
namespace {

class StorageSink : public RowSink {
 public:
  StorageSink(RunContext* run, const TableRun& table, ProtoEncoder encoder, std::vector<RowError> refused)
      : run_(run), table_(table), encoder_(std::move(encoder)), refused_(std::move(refused)) {}

  absl::Status Write(const Batch& batch) override {
    for (size_t row = 0; row < batch.rows();) {
      if (request_ == nullptr) request_ = pool_->Take();
      const size_t before = request_->rows();
      HAKOBU_ASSIGN_OR_RETURN(const size_t taken,
                              encoder_.Append(batch, row, kRequestBytes, request_.get(), &quarantine_));
      if (!refused_.empty()) NameRefused(before);
      row += taken;
      rows_ += taken;
      if (row < batch.rows() || request_->bytes().size() >= kRequestBytes) HAKOBU_RETURN_IF_ERROR(Send());
    }
    return absl::OkStatus();
  }

  absl::StatusOr<SinkResult> Finish() override {
    HAKOBU_RETURN_IF_ERROR(Send());
    if (stream_ == nullptr) return SinkResult();
    const absl::Status flushed = stream_->Flush();
    if (!flushed.ok()) return Explain(flushed);
    CrashPoint("chunk.flushed");
    HAKOBU_ASSIGN_OR_RETURN(const int64_t count, run_->destination.storage->Finalize(name_));
    CrashPoint("chunk.finalized");
    if (count != static_cast<int64_t>(rows_)) {
      return absl::AbortedError(fmt::format("stream {} holds {} rows, sent were {}", name_, count, rows_));
    }
    return SinkResult{name_, rows_, bytes_};
  }

 private:
  absl::Status Send() {
    if (request_ == nullptr || request_->rows() == 0) return absl::OkStatus();
    if (stream_ == nullptr) HAKOBU_RETURN_IF_ERROR(OpenStream());
    bytes_ += request_->bytes().size();
    RowBytes rows{.bytes = request_->bytes(), .row_count = request_->rows(), .owner = request_};
    request_.reset();
    const absl::Status status = stream_->Append(std::move(rows));
    return status.ok() ? status : Explain(status);
  }

  absl::Status OpenStream() {
    HAKOBU_ASSIGN_OR_RETURN(const StreamFacts stream,
                            run_->destination.storage->CreateStream(table_.staging, StreamType::kPending));
    CrashPoint("chunk.stream_created");
    name_ = stream.name;
    AppendOptions options;
    // Half of a connection's share; the rows being read and the request being filled take the rest.
    const uint64_t share = run_->config->limits.memory / run_->config->source.connections;
    options.max_bytes_in_flight = std::max<uint64_t>(share / 2, kRequestBytes);
    if (table_.direct) options.schema_patience = absl::Minutes(10);  // columns may have been added just now
    stream_ = std::make_unique<WriteStream>(
        *run_->destination.storage,
        AppendTarget{.stream = name_, .descriptor = std::string(encoder_.descriptor()), .next_offset = 0},
        options);
    return absl::OkStatus();
  }

  // Notes the keys of the refused rows among those just encoded.
  void NameRefused(size_t first) {
    for (size_t i = first; i < request_->rows(); ++i) {
      const auto row = static_cast<int64_t>(rows_ + i - first);
      for (const RowError& error : refused_) {
        if (error.row != row || keys_.size() >= 10) continue;
        keys_.push_back(fmt::format("key {}: {}", encoder_.KeyText(request_->Message(i)), error.message));
      }
    }
  }

  absl::Status Explain(const absl::Status& status) const {
    if (keys_.empty()) return status;
    absl::Status explained = absl::InvalidArgumentError(
        fmt::format("BigQuery refused {} rows: {}", refused_.size(), fmt::join(keys_, "; ")));
    status.ForEachPayload(
        [&](absl::string_view url, const absl::Cord& payload) { explained.SetPayload(url, payload); });
    return WithHint(explained,
                    "give the column another type with `as:`, or leave the rows out with `where:`");
  }

  RunContext* run_;
  const TableRun& table_;
  ProtoEncoder encoder_;
  const std::vector<RowError> refused_;
  std::vector<std::string> keys_;
  std::shared_ptr<RequestPool> pool_ = std::make_shared<RequestPool>();
  std::shared_ptr<EncodedRows> request_;
  std::string name_;
  std::unique_ptr<WriteStream> stream_;
  uint64_t rows_ = 0;
  uint64_t bytes_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<RowSink>> OpenStorageSink(RunContext* run, const TableRun& table,
                                                         std::vector<RowError> refused) {
  ProtoOptions options;
  if (table.work.mode == WriteMode::kIncremental) options.invalid_key = InvalidKey::kError;
  HAKOBU_ASSIGN_OR_RETURN(ProtoEncoder encoder,
                          ProtoEncoder::Create(table.work.source, table.work.schema, options));
  return std::make_unique<StorageSink>(run, table, std::move(encoder), std::move(refused));
}

}  // namespace hakobu
