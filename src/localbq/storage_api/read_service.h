// BigQueryRead as a gRPC service. Source: google/cloud/bigquery/storage/v1/storage.proto.
#pragma once

#include "google/cloud/bigquery/storage/v1/storage.grpc.pb.h"
#include "localbq/faults/faults.h"
#include "localbq/storage_api/read_sessions.h"

namespace hakobu::localbq {

namespace auth {
class Authority;
}

// Thread-safe.
class ReadService final : public google::cloud::bigquery::storage::v1::BigQueryRead::Service {
 public:
  ReadService(ReadSessions* sessions, Faults* faults, const Catalog* catalog,
              const auth::Authority* authority)
      : sessions_(sessions), faults_(faults), catalog_(catalog), authority_(authority) {}

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
  // Fills in the member and what it may see. PermissionDenied or Unauthenticated.
  absl::Status Admit(const grpc::ServerContext& context, std::string_view parent, ReadRequest* read) const;
  absl::StatusOr<ReadSessionPtr> FindOwn(const grpc::ServerContext& context, const std::string& stream,
                                         ReadStreamPlan* plan) const;

  ReadSessions* const sessions_;
  Faults* const faults_;
  const Catalog* const catalog_;
  const auth::Authority* const authority_;  // null: nobody is asked who they are
};

}  // namespace hakobu::localbq
