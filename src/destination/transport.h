// gRPC channels to the Storage API, and one unary call with retries on them.
#pragma once

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "destination/write_stream.h"
#include "google/cloud/bigquery/storage/v1/storage.grpc.pb.h"

namespace hakobu {

// A gRPC status as absl's, with the StorageError of its details.
absl::Status FromGrpc(const grpc::Status& status);

// Thread-safe.
class StorageWrite::Transport {
 public:
  explicit Transport(StorageWriteOptions options);
  const StorageWriteOptions& options() const { return options_; }
  std::shared_ptr<grpc::Channel> NextChannel();  // in turn
  // Token, quota project and x-goog-request-params: `routing` is sent as it is.
  absl::Status Prepare(grpc::ClientContext& context, std::string_view routing, std::string* token);

  using Stub = google::cloud::bigquery::storage::v1::BigQueryWrite::Stub;
  using Done = std::function<void(grpc::Status)>;
  // `start` begins one try of the call on the context. Retried as RemedyForUnary says; `what` annotates.
  absl::Status CallUnary(std::string_view what, std::string_view routing,
                         absl::FunctionRef<void(Stub&, grpc::ClientContext*, Done)> start);

 private:
  absl::Status CallOnce(std::string_view routing,
                        absl::FunctionRef<void(Stub&, grpc::ClientContext*, Done)> start);

  const StorageWriteOptions options_;
  std::vector<std::shared_ptr<grpc::Channel>> channels_;
  std::atomic<size_t> next_{0};
};

}  // namespace hakobu
