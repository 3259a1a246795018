// A Storage Write service in this process for the faults that no real one makes on demand. It keeps rows by
// stream and checks offsets as BIGQUERY's documents say; `Plan` decides what goes wrong.
#pragma once

#include <grpcpp/grpcpp.h>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "destination/write_stream.h"
#include "google/cloud/bigquery/storage/v1/storage.grpc.pb.h"

namespace hakobu {

namespace storage_v1 = google::cloud::bigquery::storage::v1;

struct SeenRequest {
  int connection = 0;
  std::string write_stream;
  bool has_schema = false;
  std::string trace_id;
  std::optional<int64_t> offset;
};

// What happens to one request, by its number over all connections, from 0.
struct Fault {
  enum class Kind {
    kNone,
    kInBand,     // answers `error`, writes nothing
    kEndBefore,  // ends the call with `error`, writes nothing
    kEndAfter,   // writes, then ends the call without an answer
    kStall,      // writes nothing, answers nothing, until the call is cancelled
  };
  Kind kind = Kind::kNone;
  grpc::Status error;
  std::optional<int> storage_code;
  std::vector<std::pair<int, std::string>> row_errors;
};

class FakeStorageWrite final : public storage_v1::BigQueryWrite::Service {
 public:
  using Plan = std::function<Fault(int request)>;
  explicit FakeStorageWrite(Plan plan = {}) : plan_(std::move(plan)) {
    grpc::ServerBuilder builder;
    builder.SetMaxReceiveMessageSize(32 << 20);
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
  }
  ~FakeStorageWrite() override {
    server_->Shutdown(std::chrono::system_clock::now());
    server_->Wait();
  }

  Endpoint endpoint() const { return Endpoint::Local(0, port_); }
  std::vector<std::string> Rows(const std::string& stream) {
    absl::MutexLock lock(&mutex_);
    return rows_[stream];
  }
  std::vector<SeenRequest> Seen() {
    absl::MutexLock lock(&mutex_);
    return seen_;
  }
  std::string Routing() {
    absl::MutexLock lock(&mutex_);
    return routing_;
  }

  grpc::Status AppendRows(grpc::ServerContext* context,
                          grpc::ServerReaderWriter<storage_v1::AppendRowsResponse,
                                                   storage_v1::AppendRowsRequest>* stream) override {
    int connection = 0;
    {
      absl::MutexLock lock(&mutex_);
      connection = connections_++;
      const auto header = context->client_metadata().find("x-goog-request-params");
      if (header != context->client_metadata().end()) {
        routing_.assign(header->second.data(), header->second.size());
      }
    }
    std::string name;
    storage_v1::AppendRowsRequest request;
    while (stream->Read(&request)) {
      if (!request.write_stream().empty()) name = request.write_stream();
      storage_v1::AppendRowsResponse response;
      const Fault fault = Take(connection, request);
      if (fault.kind == Fault::Kind::kEndBefore) return fault.error;
      if (fault.kind == Fault::Kind::kStall) {
        while (!context->IsCancelled()) absl::SleepFor(absl::Milliseconds(5));
        return grpc::Status::CANCELLED;
      }
      if (fault.kind == Fault::Kind::kInBand) {
        SetError(fault, &response);
      } else {
        Write(name, request, &response);
      }
      if (fault.kind == Fault::Kind::kEndAfter) return fault.error;
      stream->Write(response);
    }
    return grpc::Status::OK;
  }

  grpc::Status BatchCommitWriteStreams(grpc::ServerContext*,
                                       const storage_v1::BatchCommitWriteStreamsRequest* request,
                                       storage_v1::BatchCommitWriteStreamsResponse* response) override {
    absl::MutexLock lock(&mutex_);
    for (const std::string& stream : request->write_streams()) {
      if (!committed_.contains(stream)) continue;
      auto* error = response->add_stream_errors();
      error->set_code(storage_v1::StorageError::STREAM_ALREADY_COMMITTED);
      error->set_entity(stream);
      error->set_error_message("Stream has been committed");
    }
    if (response->stream_errors_size() > 0) return grpc::Status::OK;
    for (const std::string& stream : request->write_streams()) committed_[stream] = true;
    if (commits_++ == 0 && lose_first_commit_) return {grpc::StatusCode::UNAVAILABLE, "connection lost"};
    response->mutable_commit_time()->set_seconds(1);
    return grpc::Status::OK;
  }
  grpc::Status GetWriteStream(grpc::ServerContext*, const storage_v1::GetWriteStreamRequest* request,
                              storage_v1::WriteStream* response) override {
    absl::MutexLock lock(&mutex_);
    if (forget_streams_) return {grpc::StatusCode::NOT_FOUND, "Requested entity was not found."};
    response->set_name(request->name());
    if (committed_.contains(request->name())) response->mutable_commit_time()->set_seconds(1);
    return grpc::Status::OK;
  }
  grpc::Status CreateWriteStream(grpc::ServerContext*, const storage_v1::CreateWriteStreamRequest* request,
                                 storage_v1::WriteStream* response) override {
    absl::MutexLock lock(&mutex_);
    // As the real one says of a table made a moment ago: the one or the other.
    if (creates_ < missing_table_tries_) {
      if (creates_++ % 2 == 0) return {grpc::StatusCode::NOT_FOUND, "Requested entity was not found."};
      return {grpc::StatusCode::PERMISSION_DENIED, "Permission 'TABLES_UPDATE_DATA' denied on resource '" +
                                                       request->parent() + "' (or it may not exist)"};
    }
    response->set_name(request->parent() + "/streams/s" + std::to_string(++made_));
    response->set_type(request->write_stream().type());
    return grpc::Status::OK;
  }
  grpc::Status FinalizeWriteStream(grpc::ServerContext*,
                                   const storage_v1::FinalizeWriteStreamRequest* request,
                                   storage_v1::FinalizeWriteStreamResponse* response) override {
    absl::MutexLock lock(&mutex_);
    if (forget_streams_) return {grpc::StatusCode::NOT_FOUND, "Requested entity was not found."};
    response->set_row_count(static_cast<int64_t>(rows_[request->name()].size()));
    return grpc::Status::OK;
  }
  void ForgetStreams() { forget_streams_ = true; }
  void LoseFirstCommit() { lose_first_commit_ = true; }
  void CommitAlready(const std::string& stream) {
    absl::MutexLock lock(&mutex_);
    committed_[stream] = true;
  }
  void MissTable(int tries) { missing_table_tries_ = tries; }

 private:
  Fault Take(int connection, const storage_v1::AppendRowsRequest& request) {
    absl::MutexLock lock(&mutex_);
    SeenRequest seen{connection, request.write_stream(), request.proto_rows().has_writer_schema(),
                     request.trace_id(), std::nullopt};
    if (request.has_offset()) seen.offset = request.offset().value();
    seen_.push_back(seen);
    return plan_ ? plan_(static_cast<int>(seen_.size()) - 1) : Fault{};
  }
  static void SetError(const Fault& fault, storage_v1::AppendRowsResponse* response) {
    response->mutable_error()->set_code(static_cast<int>(fault.error.error_code()));
    response->mutable_error()->set_message(fault.error.error_message());
    if (fault.storage_code) {
      storage_v1::StorageError detail;
      detail.set_code(static_cast<storage_v1::StorageError::StorageErrorCode>(*fault.storage_code));
      response->mutable_error()->add_details()->PackFrom(detail);
    }
    for (const auto& [index, message] : fault.row_errors) {
      auto* row = response->add_row_errors();
      row->set_index(index);
      row->set_message(message);
    }
  }
  void Write(const std::string& name, const storage_v1::AppendRowsRequest& request,
             storage_v1::AppendRowsResponse* response) {
    absl::MutexLock lock(&mutex_);
    std::vector<std::string>& rows = rows_[name];
    const int64_t expected = static_cast<int64_t>(rows.size());
    if (request.has_offset() && request.offset().value() != expected) {
      const bool within = request.offset().value() < expected;
      Fault fault;
      fault.error = {within ? grpc::StatusCode::ALREADY_EXISTS : grpc::StatusCode::OUT_OF_RANGE,
                     "The offset is " + std::string(within ? "within" : "beyond") +
                         " stream, expected offset " + std::to_string(expected) + ", received " +
                         std::to_string(request.offset().value())};
      SetError(fault, response);
      return;
    }
    for (const std::string& row : request.proto_rows().rows().serialized_rows()) rows.push_back(row);
    if (request.has_offset())
      response->mutable_append_result()->mutable_offset()->set_value(expected);
    else
      response->mutable_append_result();
  }

  Plan plan_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
  absl::Mutex mutex_;
  std::map<std::string, std::vector<std::string>> rows_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, bool> committed_ ABSL_GUARDED_BY(mutex_);
  std::vector<SeenRequest> seen_ ABSL_GUARDED_BY(mutex_);
  std::string routing_ ABSL_GUARDED_BY(mutex_);
  int connections_ ABSL_GUARDED_BY(mutex_) = 0;
  int commits_ ABSL_GUARDED_BY(mutex_) = 0;
  int creates_ ABSL_GUARDED_BY(mutex_) = 0;
  int made_ ABSL_GUARDED_BY(mutex_) = 0;
  std::atomic<bool> forget_streams_{false};
  std::atomic<bool> lose_first_commit_{false};
  std::atomic<int> missing_table_tries_{0};
};

}  // namespace hakobu
