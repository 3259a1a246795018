// What BigQuery said of a failure, kept with the absl::Status as payloads, so that callers ask for facts and
// never parse messages.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace google::rpc {
class Status;
}

namespace hakobu {

// An error body of REST v2 (or of a token endpoint, whose bodies differ) as a Status. `what` names the method
// and resource: "get dataset shop". Codes: 400 InvalidArgument, 401 Unauthenticated, 403 PermissionDenied (or
// ResourceExhausted by reason), 404 NotFound, 409 AlreadyExists, 412 FailedPrecondition, 429
// ResourceExhausted, 499 Cancelled, 500 Internal, 501 Unimplemented, 502 and 503 Unavailable, 504
// DeadlineExceeded.
absl::Status RestError(std::string_view what, int http_status, std::string_view body);
// An errorProto of a finished job: HTTP 200, but failed.
absl::Status JobError(std::string_view what, std::string_view reason, std::string_view message);

std::string ErrorReason(const absl::Status& status);  // "rateLimitExceeded" …; empty when there is none
int HttpStatus(const absl::Status& status);           // 0 when the status did not come from HTTP

// Numbers of google.cloud.bigquery.storage.v1.StorageError.StorageErrorCode [storage.proto].
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
std::optional<StorageErrorCode> StorageCode(const absl::Status& status);

// A google.rpc.Status, with StorageError details; serialised as it travels in-band and in
// grpc-status-details-bin.
absl::Status StorageStatus(const google::rpc::Status& error);
absl::Status WithStorageCode(absl::Status status, StorageErrorCode code);

// Rows of one append that the service refused; nothing of that append was written.
struct RowError {
  int64_t row = 0;  // place in the stream's rows as appended by this writer, from 0
  std::string message;
};
absl::Status WithRowErrors(absl::Status status, const std::vector<RowError>& errors);
std::vector<RowError> RowErrors(const absl::Status& status);

}  // namespace hakobu
