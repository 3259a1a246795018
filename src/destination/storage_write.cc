// The unary methods of the Storage Write API.
#include <fmt/format.h>

#include "base/status.h"
#include "destination/transport.h"
#include "destination/write_stream.h"

namespace hakobu {
namespace {

namespace storage = google::cloud::bigquery::storage::v1;

// Unary methods send their routing parameter percent-encoded.
std::string Routing(std::string_view parameter, std::string_view value) {
  return fmt::format("{}={}", parameter, PercentEncode(value));
}

StreamFacts FactsOf(const storage::WriteStream& stream) {
  return {stream.name(), stream.location(), stream.has_commit_time()};
}

absl::Status CommitError(const storage::BatchCommitWriteStreamsResponse& response) {
  const storage::StorageError& first = response.stream_errors(0);
  return WithStorageCode(absl::FailedPreconditionError(fmt::format(
                             "{} of the streams cannot be committed, so none is; the first: {}: {}",
                             response.stream_errors_size(), first.entity(), first.error_message())),
                         static_cast<StorageErrorCode>(first.code()));
}

}  // namespace

StorageWrite::StorageWrite(StorageWriteOptions options)
    : transport_(std::make_unique<Transport>(std::move(options))) {}
StorageWrite::~StorageWrite() = default;

const StorageWriteOptions& StorageWrite::options() const {
  return transport_->options();
}

absl::StatusOr<StreamFacts> StorageWrite::CreateStream(const TableName& table, StreamType type,
                                                       absl::Duration patience) {
  const std::string parent = table.Resource();
  const std::string what = "create a write stream on " + table.ToString();
  storage::CreateWriteStreamRequest request;
  request.set_parent(parent);
  request.mutable_write_stream()->set_type(static_cast<storage::WriteStream::Type>(type));
  storage::WriteStream stream;
  HAKOBU_RETURN_IF_ERROR(
      Annotate(transport_->create_stream_pace().Wait(options().context, table.project), what));
  HAKOBU_RETURN_IF_ERROR(
      transport_->CallUnary({what, Routing("parent", parent), table, patience, Transport::Missing::kMayCome},
                            [&](Transport::Stub& stub, grpc::ClientContext* call, Transport::Done done) {
                              stub.async()->CreateWriteStream(call, &request, &stream, std::move(done));
                            }));
  return FactsOf(stream);
}

absl::StatusOr<StreamFacts> StorageWrite::GetStream(std::string_view name) {
  storage::GetWriteStreamRequest request;
  request.set_name(std::string(name));
  storage::WriteStream stream;
  HAKOBU_RETURN_IF_ERROR(transport_->CallUnary(
      {fmt::format("get write stream {}", name), Routing("name", name), TableOfStream(name)},
      [&](Transport::Stub& stub, grpc::ClientContext* call, Transport::Done done) {
        stub.async()->GetWriteStream(call, &request, &stream, std::move(done));
      }));
  return FactsOf(stream);
}

absl::StatusOr<int64_t> StorageWrite::Finalize(std::string_view name) {
  storage::FinalizeWriteStreamRequest request;
  request.set_name(std::string(name));
  storage::FinalizeWriteStreamResponse response;
  HAKOBU_RETURN_IF_ERROR(transport_->CallUnary(
      {fmt::format("finalize write stream {}", name), Routing("name", name), TableOfStream(name)},
      [&](Transport::Stub& stub, grpc::ClientContext* call, Transport::Done done) {
        stub.async()->FinalizeWriteStream(call, &request, &response, std::move(done));
      }));
  return response.row_count();
}

absl::Status StorageWrite::BatchCommit(const TableName& table, const std::vector<std::string>& streams) {
  if (streams.empty()) return absl::OkStatus();
  const std::string what = fmt::format("commit {} write streams of {}", streams.size(), table.ToString());
  const std::string parent = table.Resource();
  storage::BatchCommitWriteStreamsRequest request;
  request.set_parent(parent);
  for (const std::string& stream : streams) request.add_write_streams(stream);
  storage::BatchCommitWriteStreamsResponse response;
  absl::Status status = transport_->CallUnary(
      {what, Routing("parent", parent), table},
      [&](Transport::Stub& stub, grpc::ClientContext* call, Transport::Done done) {
        stub.async()->BatchCommitWriteStreams(call, &request, &response, std::move(done));
      });
  if (status.ok() && response.stream_errors_size() > 0) status = Annotate(CommitError(response), what);
  if (status.ok() && !response.has_commit_time()) {
    return absl::InternalError(fmt::format("{}: expected a commit time, found none", what));
  }
  if (StorageCode(status) != StorageErrorCode::kStreamAlreadyCommitted) return status;
  // An earlier call, whose answer was lost, has done it: if so, all of them are committed.
  for (const std::string& stream : streams) {
    const absl::StatusOr<StreamFacts> facts = GetStream(stream);
    if (!facts.ok() || !facts->committed) return status;
  }
  return absl::OkStatus();
}

}  // namespace hakobu
