// BigQueryWrite as a gRPC service. Source: google/cloud/bigquery/storage/v1/storage.proto.
#pragma once

#include "absl/functional/function_ref.h"
#include "google/cloud/bigquery/storage/v1/storage.grpc.pb.h"
#include "localbq/storage_api/append_reactor.h"

namespace hakobu::localbq {

using WriteServiceBase =
    google::cloud::bigquery::storage::v1::BigQueryWrite::WithRawCallbackMethod_AppendRows<
        google::cloud::bigquery::storage::v1::BigQueryWrite::Service>;

// Thread-safe.
class WriteService final : public WriteServiceBase {
 public:
  WriteService(const AppendServices& services, int64_t idle_close_ms)
      : services_(services), idle_close_ms_(idle_close_ms) {}
  // After the server's shutdown: waits for the connections' threads.
  void WaitForConnections() { connections_.WaitForNone(); }

  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* AppendRows(
      grpc::CallbackServerContext* context) override;
  grpc::Status CreateWriteStream(
      grpc::ServerContext* context,
      const google::cloud::bigquery::storage::v1::CreateWriteStreamRequest* request,
      google::cloud::bigquery::storage::v1::WriteStream* response) override;
  grpc::Status GetWriteStream(grpc::ServerContext* context,
                              const google::cloud::bigquery::storage::v1::GetWriteStreamRequest* request,
                              google::cloud::bigquery::storage::v1::WriteStream* response) override;
  grpc::Status FinalizeWriteStream(
      grpc::ServerContext* context,
      const google::cloud::bigquery::storage::v1::FinalizeWriteStreamRequest* request,
      google::cloud::bigquery::storage::v1::FinalizeWriteStreamResponse* response) override;
  grpc::Status BatchCommitWriteStreams(
      grpc::ServerContext* context,
      const google::cloud::bigquery::storage::v1::BatchCommitWriteStreamsRequest* request,
      google::cloud::bigquery::storage::v1::BatchCommitWriteStreamsResponse* response) override;
  grpc::Status FlushRows(grpc::ServerContext* context,
                         const google::cloud::bigquery::storage::v1::FlushRowsRequest* request,
                         google::cloud::bigquery::storage::v1::FlushRowsResponse* response) override;

 private:
  absl::Status Faulted(std::string_view method, std::string_view path,
                       absl::FunctionRef<absl::Status()> work);
  absl::Status Describe(const WriteStreamPtr& stream, const TableId& table, bool full,
                        google::cloud::bigquery::storage::v1::WriteStream* response);

  const AppendServices services_;
  const int64_t idle_close_ms_;
  Connections connections_;
};

}  // namespace hakobu::localbq
