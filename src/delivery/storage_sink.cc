#include <algorithm>

#include "base/crash_point.h"
#include "base/status.h"
#include "delivery/move/pending_chunk.h"
#include "delivery/row_sink.h"

namespace hakobu {
namespace {

class StorageSink : public RowSink {
 public:
  StorageSink(StorageWrite* storage, const TableRun& table, ProtoEncoder encoder, AppendOptions options,
              std::vector<RowError> refused, SealChunk seal)
      : storage_(*storage),
        table_(table),
        seal_(std::move(seal)),
        chunk_(storage, table.staging, std::move(encoder), std::make_shared<RequestPool>(), options) {
    chunk_.writer().Refused(std::move(refused));
  }

  absl::Status Write(const Batch& batch) override { return chunk_.writer().Write(batch); }

  absl::StatusOr<SinkResult> Finish() override {
    HAKOBU_ASSIGN_OR_RETURN(std::string stream, table_.direct() ? chunk_.Flush() : chunk_.Seal());
    const SinkResult result{std::move(stream), chunk_.writer().bytes(), chunk_.writer().content()};
    if (result.stream.empty() || table_.direct()) return result;
    HAKOBU_RETURN_IF_ERROR(seal_(result, quarantine()));
    CrashPoint("chunk.stream_sealed");
    HAKOBU_RETURN_IF_ERROR(
        Annotate(storage_.BatchCommit(table_.staging, {result.stream}), "commit the stream"));
    CrashPoint("chunk.committed");
    return result;
  }

  const Quarantine& quarantine() const override { return chunk_.writer().quarantine(); }

 private:
  StorageWrite& storage_;
  const TableRun& table_;
  const SealChunk seal_;
  PendingChunk chunk_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<RowSink>> OpenStorageSink(RunContext* run, const TableRun& table,
                                                         std::vector<RowError> refused, SealChunk seal) {
  ProtoOptions proto;
  if (table.work.mode == WriteMode::kIncremental) proto.invalid_key = InvalidKey::kError;
  HAKOBU_ASSIGN_OR_RETURN(ProtoEncoder encoder,
                          ProtoEncoder::Create(table.work.source, table.work.schema, proto));
  AppendOptions options;
  // Half of a connection's share; the rows being read and the request being filled take the rest.
  const uint64_t share = run->config->limits.memory / run->config->source.connections;
  options.max_bytes_in_flight = std::max<uint64_t>(share / 2, kRequestBytes);
  if (table.direct()) options.schema_patience = kSchemaPatience;  // columns may have been added just now
  return std::make_unique<StorageSink>(run->destination.storage.get(), table, std::move(encoder), options,
                                       std::move(refused), std::move(seal));
}

}  // namespace hakobu
