// gRPC channels to the Storage API, and one unary call with retries on them.
#pragma once

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "destination/pace.h"
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
  // What a call is about, and how long a denial of its table may last that was made a moment ago.
  enum class Missing : uint8_t { kIsAnAnswer, kMayCome };  // of NotFound; a denial may always pass
  struct Subject {
    std::string what;  // annotates errors
    std::string routing;
    TableName table;
    absl::Duration patience = kTablePatience;
    Missing missing = Missing::kIsAnAnswer;
  };
  // `start` begins one try of the call on the context. Retried as RemedyForUnary says.
  absl::Status CallUnary(const Subject& subject,
                         absl::FunctionRef<void(Stub&, grpc::ClientContext*, Done)> start);
  Pace& create_stream_pace() { return create_stream_pace_; }

 private:
  absl::Status CallOnce(const Subject& subject,
                        absl::FunctionRef<void(Stub&, grpc::ClientContext*, Done)> start);

  const StorageWriteOptions options_;
  std::vector<std::shared_ptr<grpc::Channel>> channels_;
  std::atomic<size_t> next_{0};
  Pace create_stream_pace_{kCreateStreamLimits};
};

}  // namespace hakobu
