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
  LoadSink(RunContext* run, AvroEncoder encoder, JobName job, std::string configuration,
           std::function<absl::Status(const SinkResult&, const Quarantine&)> seal)
      : run_(run),
        encoder_(std::move(encoder)),
        job_(std::move(job)),
        configuration_(std::move(configuration)),
        seal_(std::move(seal)) {}

  absl::Status Write(const Batch& batch) override {
    if (batch.rows() > 0 && upload_ == nullptr) {
      HAKOBU_ASSIGN_OR_RETURN(
          upload_, LoadUpload::Start(*run_->destination.rest, job_, configuration_, kUploadChunkBytes));
      CrashPoint("chunk.upload_started");
      encoder_.Header(&buffer_);
    }
    for (size_t row = 0; row < batch.rows();) {
      HAKOBU_ASSIGN_OR_RETURN(const size_t taken,
                              encoder_.Append(batch, row, kWriteBytes, &buffer_, &quarantine_));
      row += taken;
      rows_ += taken;
      if (buffer_.size() >= kWriteBytes || taken == 0) HAKOBU_RETURN_IF_ERROR(Send());
    }
    return absl::OkStatus();
  }

  absl::StatusOr<SinkResult> Finish() override {
    if (upload_ == nullptr) return SinkResult();
    HAKOBU_RETURN_IF_ERROR(encoder_.Finish(&buffer_));
    HAKOBU_RETURN_IF_ERROR(Send());
    const SinkResult result{job_.id, rows_, bytes_};
    HAKOBU_RETURN_IF_ERROR(seal_(result, quarantine_));
    CrashPoint("chunk.sealed");
    HAKOBU_ASSIGN_OR_RETURN(const Job job, upload_->Finish());
    CrashPoint("chunk.load_started");
    HAKOBU_RETURN_IF_ERROR(WaitForJob(*run_->destination.rest, job.name).status());
    CrashPoint("chunk.loaded");
    return result;
  }

 private:
  absl::Status Send() {
    HAKOBU_RETURN_IF_ERROR(upload_->Write(buffer_.bytes()));
    bytes_ += buffer_.size();
    buffer_.Clear();
    return absl::OkStatus();
  }

  RunContext* run_;
  AvroEncoder encoder_;
  const JobName job_;
  const std::string configuration_;
  const std::function<absl::Status(const SinkResult&, const Quarantine&)> seal_;
  std::unique_ptr<LoadUpload> upload_;
  ByteBuffer buffer_;
  uint64_t rows_ = 0;
  uint64_t bytes_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<RowSink>> OpenLoadSink(
    RunContext* run, const TableRun& table, const std::string& job_id,
    std::function<absl::Status(const SinkResult&, const Quarantine&)> seal) {
  AvroOptions options;
  options.block_bytes = 512 << 10;
  absl::BitGen random;
  for (char& byte : options.sync_marker) byte = static_cast<char>(absl::Uniform<int>(random, 0, 256));
  if (table.work.mode == WriteMode::kIncremental) options.invalid_key = InvalidKey::kError;
  HAKOBU_ASSIGN_OR_RETURN(AvroEncoder encoder,
                          AvroEncoder::Create(table.work.source, table.work.schema, options));
  const DestinationConfig& destination = run->config->destination;
  LoadSettings settings;
  settings.target = table.staging;
  settings.schema_fields = SchemaFieldsJson(table.work.schema);
  return std::make_unique<LoadSink>(run, std::move(encoder),
                                    JobName{destination.billing_project, job_id, destination.location},
                                    LoadConfiguration(settings), std::move(seal));
}

}  // namespace hakobu
