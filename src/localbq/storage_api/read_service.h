// BigQueryRead as a gRPC service. Source: google/cloud/bigquery/storage/v1/storage.proto.
#pragma once

#include "google/cloud/bigquery/storage/v1/storage.grpc.pb.h"
#include "localbq/faults/faults.h"
#include "localbq/storage_api/read_sessions.h"

namespace hakobu::localbq {

// Thread-safe.
class ReadService final : public google::cloud::bigquery::storage::v1::BigQueryRead::Service {
 public:
  ReadService(ReadSessions* sessions, Faults* faults) : sessions_(sessions), faults_(faults) {}

  grpc::Status CreateReadSession(
      grpc::ServerContext* context,
      const google::cloud::bigquery::storage::v1::CreateReadSessionRequest* request,
      google::cloud::bigquery::storage::v1::ReadSession* response) override;
  grpc::Status ReadRows(
      grpc::ServerContext* context, const google::cloud::bigquery::storage::v1::ReadRowsRequest* request,
      grpc::ServerWriter<google::cloud::bigquery::storage::v1::ReadRowsResponse>* writer) override;
  // Answers no streams, which says that the stream cannot be split any further.
  grpc::Status SplitReadStream(
      grpc::ServerContext* context,
      const google::cloud::bigquery::storage::v1::SplitReadStreamRequest* request,
      google::cloud::bigquery::storage::v1::SplitReadStreamResponse* response) override;

 private:
  ReadSessions* const sessions_;
  Faults* const faults_;
};

}  // namespace hakobu::localbq
