#include "destination/error.h"

#include <fmt/format.h>

#include <charconv>
#include <nlohmann/json.hpp>

#include "base/status.h"
#include "destination/json.h"
#include "google/cloud/bigquery/storage/v1/storage.pb.h"
#include "google/rpc/status.pb.h"

namespace hakobu {
namespace {

using nlohmann::json;
namespace storage = google::cloud::bigquery::storage::v1;

constexpr std::string_view kReasonUrl = "hakobu/bigquery-reason";
constexpr std::string_view kHttpUrl = "hakobu/http-status";
constexpr std::string_view kStorageUrl = "hakobu/storage-error-code";
constexpr std::string_view kRowErrorsUrl = "hakobu/row-errors";

std::string Payload(const absl::Status& status, std::string_view url) {
  const auto payload = status.GetPayload(View(url));
  return payload ? std::string(*payload) : std::string();
}

int IntPayload(const absl::Status& status, std::string_view url) {
  const std::string text = Payload(status, url);
  int value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

void SetPayload(absl::Status& status, std::string_view url, std::string_view value) {
  status.SetPayload(View(url), absl::Cord(View(value)));
}

absl::StatusCode CodeFor(int http_status, std::string_view reason) {
  if (reason == "rateLimitExceeded" || reason == "userRateLimitExceeded" || reason == "quotaExceeded" ||
      reason == "jobRateLimitExceeded") {
    return absl::StatusCode::kResourceExhausted;
  }
  switch (http_status) {
    case 400:
      return absl::StatusCode::kInvalidArgument;
    case 401:
      return absl::StatusCode::kUnauthenticated;
    case 403:
      return absl::StatusCode::kPermissionDenied;
    case 404:
      return absl::StatusCode::kNotFound;
    case 409:
      return absl::StatusCode::kAlreadyExists;
    case 412:
      return absl::StatusCode::kFailedPrecondition;
    case 429:
      return absl::StatusCode::kResourceExhausted;
    case 499:
      return absl::StatusCode::kCancelled;
    case 501:
      return absl::StatusCode::kUnimplemented;
    case 408:
    case 502:
    case 503:
      return absl::StatusCode::kUnavailable;
    case 504:
      return absl::StatusCode::kDeadlineExceeded;
    default:
      return http_status >= 500 ? absl::StatusCode::kInternal : absl::StatusCode::kUnknown;
  }
}

struct ErrorBody {
  std::string reason;
  std::string message;
};

constexpr size_t kLongestMessage = 4000;

// Words of somebody else's, fit for a line: bounded, without control characters.
std::string Quoted(std::string text) {
  if (text.size() > kLongestMessage) text = text.substr(0, kLongestMessage) + " ...";
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  return text;
}

// Only the fields that error bodies have by their specifications, whatever else an answer holds: a body may
// be anything, the request's secrets among it.
ErrorBody ParseErrorBody(std::string_view body) {
  const json document = json::parse(body, nullptr, /*allow_exceptions=*/false);
  if (!document.is_object() || !document.contains("error")) return {"", ""};
  const json& error = document["error"];
  // A token endpoint's [RFC 6749, 5.2]: {"error":"invalid_grant","error_description":"…"}
  if (error.is_string())
    return {Quoted(TextAt(document, "error")), Quoted(TextAt(document, "error_description"))};
  ErrorBody parsed{"", Quoted(TextAt(error, "message"))};
  const json& errors = ListAt(error, "errors");
  if (!errors.empty()) parsed.reason = Quoted(TextAt(errors.front(), "reason"));
  return parsed;
}

std::string_view HintFor(std::string_view reason, int http_status) {
  if (reason == "accessDenied" || (reason.empty() && http_status == 403)) {
    return "the credentials lack a role on this resource (BigQuery Data Editor on the dataset, BigQuery Job "
           "User on "
           "the billing project)";
  }
  if (reason == "quotaExceeded")
    return "a daily or hourly quota is used up; it comes back by itself, or is raised in IAM & Admin > "
           "Quotas";
  if (reason == "billingNotEnabled") return "enable billing for the project";
  if (http_status == 401) return "the access token was refused; check the credentials file and the clock";
  if (http_status == 412) return "the resource was changed by somebody else meanwhile; read it again";
  return "";
}

}  // namespace

absl::Status RestError(std::string_view what, int http_status, std::string_view body) {
  const ErrorBody error = ParseErrorBody(body);
  const std::string reason = error.reason.empty() ? "" : fmt::format(" ({})", error.reason);
  absl::Status status(CodeFor(http_status, error.reason),
                      fmt::format("{}: HTTP {}{}: {}", what, http_status, reason,
                                  error.message.empty() ? "no message" : error.message));
  SetPayload(status, kHttpUrl, fmt::to_string(http_status));
  if (!error.reason.empty()) SetPayload(status, kReasonUrl, error.reason);
  const std::string_view hint = HintFor(error.reason, http_status);
  return hint.empty() ? status : WithHint(status, hint);
}

absl::Status JobError(std::string_view what, std::string_view reason, std::string_view message) {
  const int as_http = reason == "notFound"        ? 404
                      : reason == "duplicate"     ? 409
                      : reason == "accessDenied"  ? 403
                      : reason == "backendError"  ? 503
                      : reason == "internalError" ? 500
                      : reason == "stopped"       ? 499
                                                  : 400;
  absl::Status status(CodeFor(as_http, reason), fmt::format("{}: {}: {}", what, reason, message));
  if (!reason.empty()) SetPayload(status, kReasonUrl, reason);
  const std::string_view hint = HintFor(reason, 0);
  return hint.empty() ? status : WithHint(status, hint);
}

std::string ErrorReason(const absl::Status& status) {
  return Payload(status, kReasonUrl);
}

int HttpStatus(const absl::Status& status) {
  return IntPayload(status, kHttpUrl);
}

std::optional<StorageErrorCode> StorageCode(const absl::Status& status) {
  if (!status.GetPayload(View(kStorageUrl))) return std::nullopt;
  return static_cast<StorageErrorCode>(IntPayload(status, kStorageUrl));
}

absl::Status WithStorageCode(absl::Status status, StorageErrorCode code) {
  SetPayload(status, kStorageUrl, fmt::to_string(static_cast<int>(code)));
  return status;
}

absl::Status StorageStatus(const google::rpc::Status& error) {
  absl::Status status(static_cast<absl::StatusCode>(error.code()), error.message());
  for (const google::protobuf::Any& detail : error.details()) {
    storage::StorageError parsed;
    if (!detail.Is<storage::StorageError>() || !detail.UnpackTo(&parsed)) continue;
    return WithStorageCode(status, static_cast<StorageErrorCode>(parsed.code()));
  }
  return status;
}

absl::Status WithRowErrors(absl::Status status, const std::vector<RowError>& errors) {
  json list = json::array();
  for (const RowError& error : errors) list.push_back({{"row", error.row}, {"message", error.message}});
  SetPayload(status, kRowErrorsUrl, list.dump(-1, ' ', false, json::error_handler_t::replace));
  return status;
}

std::vector<RowError> RowErrors(const absl::Status& status) {
  std::vector<RowError> errors;
  const json list = json::parse(Payload(status, kRowErrorsUrl), nullptr, /*allow_exceptions=*/false);
  if (!list.is_array()) return errors;
  for (const json& item : list) errors.push_back({item.at("row"), item.at("message")});
  return errors;
}

}  // namespace hakobu
