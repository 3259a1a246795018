// Errors of the Storage API as Google sends them: a gRPC code, a text that ends with `Entity: …`, and a
// StorageError among the details. They travel as absl::Status with the StorageError as payload. Source:
// google/cloud/bigquery/storage/v1/storage.proto, StorageError.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace google::rpc {
class Status;
}
namespace grpc {
class Status;
}

namespace hakobu::localbq {

// The numbers are StorageError.StorageErrorCode's.
enum class StorageErrorCode : int {
  kUnspecified = 0,
  kTableNotFound = 1,
  kStreamAlreadyCommitted = 2,
  kStreamNotFound = 3,
  kInvalidStreamType = 4,
  kInvalidStreamState = 5,
  kStreamFinalized = 6,
  kSchemaMismatchExtraFields = 7,
  kOffsetAlreadyExists = 8,
  kOffsetOutOfRange = 9,
};

absl::Status StorageStatus(absl::StatusCode code, StorageErrorCode storage_code, std::string_view message,
                           std::string_view entity);
// Adds ` Entity: <entity>` to an error that does not name one yet.
absl::Status WithEntity(const absl::Status& status, std::string_view entity);
// kUnspecified where there is no payload.
StorageErrorCode StorageCodeOf(const absl::Status& status);

void ToRpcStatus(const absl::Status& status, google::rpc::Status* result);
// With the details in the trailer grpc-status-details-bin.
grpc::Status ToGrpcStatus(const absl::Status& status);

}  // namespace hakobu::localbq
