#include <cstring>

#include "absl/random/random.h"
#include "base/crash_point.h"
#include "base/status.h"
#include "delivery/row_sink.h"

namespace hakobu {
namespace {

constexpr size_t kWriteBytes = 512 << 10;
constexpr size_t kUploadChunkBytes = 1 << 20;

class LoadSink : public RowSink {
 public:
  LoadSink(Rest* rest, Clock* clock, const Cancellation* cancel, AvroEncoder encoder, JobName job,
           LoadSinkOptions options)
      : rest_(*rest),
        clock_(clock),
        cancel_(cancel),
        encoder_(std::move(encoder)),
        job_(std::move(job)),
        options_(std::move(options)) {
    encoder_.Header(&buffer_);
  }

  absl::Status Write(const Batch& batch) override {
    for (size_t row = 0; row < batch.rows();) {
      HAKOBU_ASSIGN_OR_RETURN(const size_t taken,
                              encoder_.Append(batch, row, kWriteBytes, &buffer_, &quarantine_));
      row += taken;
      if (buffer_.size() >= kWriteBytes || taken == 0) HAKOBU_RETURN_IF_ERROR(Send());
    }
    return absl::OkStatus();
  }

  absl::StatusOr<SinkResult> Finish() override {
    HAKOBU_RETURN_IF_ERROR(encoder_.Finish(&buffer_));
    SinkResult result{.stream = "", .bytes = bytes_ + buffer_.size(), .content = encoder_.content()};
    if (result.content.rows == 0 && !options_.send_empty) return SinkResult();
    if (options_.wanted) {
      HAKOBU_ASSIGN_OR_RETURN(const bool wanted, options_.wanted(result.content));
      if (!wanted) return result;
    }
    HAKOBU_RETURN_IF_ERROR(Send());
    result.stream = job_.id;
    HAKOBU_RETURN_IF_ERROR(options_.pace->Wait(clock_, cancel_));
    HAKOBU_RETURN_IF_ERROR(options_.seal(result, quarantine_));
    CrashPoint("chunk.sealed");
    HAKOBU_ASSIGN_OR_RETURN(const Job started, upload_->Finish());
    CrashPoint("chunk.load_started");
    HAKOBU_ASSIGN_OR_RETURN(const Job job, WaitForJob(rest_, started.name));
    CrashPoint("chunk.loaded");
    // A job of this id that an earlier life had let go without knowing: its rows count, whatever they were.
    if (upload_->found_earlier()) result.content = {.rows = job.output_rows, .sum = 0};
    return result;
  }

  const Quarantine& quarantine() const override { return quarantine_; }

 private:
  // The first bytes open the upload. There is no job before its end.
  absl::Status Send() {
    if (upload_ == nullptr) {
      HAKOBU_ASSIGN_OR_RETURN(
          upload_, LoadUpload::Start(rest_, job_, LoadConfiguration(options_.load), kUploadChunkBytes));
      CrashPoint("chunk.upload_started");
    }
    HAKOBU_RETURN_IF_ERROR(upload_->Write(buffer_.bytes()));
    bytes_ += buffer_.size();
    buffer_.Clear();
    return absl::OkStatus();
  }

  Rest& rest_;
  Clock* const clock_;
  const Cancellation* const cancel_;
  AvroEncoder encoder_;
  const JobName job_;
  const LoadSinkOptions options_;
  std::unique_ptr<LoadUpload> upload_;
  ByteBuffer buffer_;
  Quarantine quarantine_;
  uint64_t bytes_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<RowSink>> OpenLoadSink(RunContext* run, const TableRun& table,
                                                      LoadSinkOptions options) {
  AvroOptions avro;
  avro.block_bytes = 512 << 10;
  absl::BitGen random;
  for (char& byte : avro.sync_marker) byte = static_cast<char>(absl::Uniform<int>(random, 0, 256));
  if (table.work.mode == WriteMode::kIncremental) avro.invalid_key = InvalidKey::kError;
  HAKOBU_ASSIGN_OR_RETURN(AvroEncoder encoder,
                          AvroEncoder::Create(table.work.source, table.work.schema, avro));
  const DestinationConfig& destination = run->config->destination;
  JobName job{destination.billing_project, options.job_id, destination.location};
  return std::make_unique<LoadSink>(run->destination.rest.get(), run->clock, run->cancel, std::move(encoder),
                                    std::move(job), std::move(options));
}

}  // namespace hakobu
