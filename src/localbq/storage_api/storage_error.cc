#include "localbq/storage_api/storage_error.h"

#include <fmt/format.h>
#include <grpcpp/support/status.h>

#include "base/status.h"
#include "google/cloud/bigquery/storage/v1/storage.pb.h"
#include "google/rpc/status.pb.h"

namespace hakobu::localbq {
namespace {

namespace v1 = google::cloud::bigquery::storage::v1;
constexpr std::string_view kUrl = "type.googleapis.com/google.cloud.bigquery.storage.v1.StorageError";
constexpr std::string_view kEntityMark = " Entity: ";

}  // namespace

absl::Status StorageStatus(absl::StatusCode code, StorageErrorCode storage_code, std::string_view message,
                           std::string_view entity) {
  absl::Status status(code, fmt::format("{}{}{}", message, kEntityMark, entity));
  v1::StorageError error;
  error.set_code(static_cast<v1::StorageError::StorageErrorCode>(storage_code));
  error.set_entity(std::string(entity));
  error.set_error_message(std::string(status.message()));
  const std::string bytes = error.SerializeAsString();
  status.SetPayload(View(kUrl), absl::Cord(absl::string_view(bytes)));
  return status;
}

absl::Status WithEntity(const absl::Status& status, std::string_view entity) {
  if (status.ok() || View(status.message()).find(kEntityMark) != std::string_view::npos) return status;
  absl::Status changed(status.code(), fmt::format("{}{}{}", View(status.message()), kEntityMark, entity));
  status.ForEachPayload(
      [&](absl::string_view url, const absl::Cord& payload) { changed.SetPayload(url, payload); });
  return changed;
}

StorageErrorCode StorageCodeOf(const absl::Status& status) {
  const auto payload = status.GetPayload(View(kUrl));
  v1::StorageError error;
  if (!payload || !error.ParseFromString(std::string(*payload))) return StorageErrorCode::kUnspecified;
  return static_cast<StorageErrorCode>(error.code());
}

void ToRpcStatus(const absl::Status& status, google::rpc::Status* result) {
  result->set_code(static_cast<int>(status.code()));
  result->set_message(std::string(status.message()));
  status.ForEachPayload([&](absl::string_view url, const absl::Cord& payload) {
    if (View(url) != kUrl) return;
    auto* detail = result->add_details();
    detail->set_type_url(std::string(url));
    detail->set_value(std::string(payload));
  });
}

grpc::Status ToGrpcStatus(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  google::rpc::Status details;
  ToRpcStatus(status, &details);
  return {static_cast<grpc::StatusCode>(status.code()), details.message(),
          details.details_size() > 0 ? details.SerializeAsString() : ""};
}

}  // namespace hakobu::localbq
