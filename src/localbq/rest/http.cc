#include "localbq/rest/http.h"

#include <fmt/format.h>

#include <charconv>
#include <nlohmann/json.hpp>

#include "base/escape.h"
#include "base/status.h"

namespace hakobu::localbq::rest {
namespace {

using nlohmann::json;

constexpr char kReasonUrl[] = "hakobu/reason";
constexpr char kLocationUrl[] = "hakobu/location";

struct CodeRow {
  absl::StatusCode code;
  int http;
  const char* reason;
  const char* status;
};
constexpr CodeRow kCodes[] = {
    {absl::StatusCode::kInvalidArgument, 400, "invalid", "INVALID_ARGUMENT"},
    {absl::StatusCode::kOutOfRange, 400, "invalid", "INVALID_ARGUMENT"},
    {absl::StatusCode::kUnauthenticated, 401, "authError", "UNAUTHENTICATED"},
    {absl::StatusCode::kPermissionDenied, 403, "accessDenied", "PERMISSION_DENIED"},
    {absl::StatusCode::kResourceExhausted, 403, "rateLimitExceeded", "RESOURCE_EXHAUSTED"},
    {absl::StatusCode::kNotFound, 404, "notFound", "NOT_FOUND"},
    {absl::StatusCode::kAlreadyExists, 409, "duplicate", "ALREADY_EXISTS"},
    {absl::StatusCode::kAborted, 409, "aborted", "ABORTED"},
    {absl::StatusCode::kFailedPrecondition, 412, "conditionNotMet", "FAILED_PRECONDITION"},
    {absl::StatusCode::kCancelled, 499, "stopped", "CANCELLED"},
    // As a client is to give up: bq goes on asking after 501.
    {absl::StatusCode::kUnimplemented, 400, "notImplemented", "UNIMPLEMENTED"},
    {absl::StatusCode::kUnavailable, 503, "backendError", "UNAVAILABLE"},
    {absl::StatusCode::kDeadlineExceeded, 504, "backendError", "DEADLINE_EXCEEDED"},
};
constexpr CodeRow kInternal = {absl::StatusCode::kInternal, 500, "internalError", "INTERNAL"};

const CodeRow& RowOf(absl::StatusCode code) {
  for (const CodeRow& row : kCodes) {
    if (row.code == code) return row;
  }
  return kInternal;
}

std::string Payload(const absl::Status& status, const char* url) {
  const absl::optional<absl::Cord> payload = status.GetPayload(url);
  return payload ? std::string(*payload) : std::string();
}

const json& EmptyObject() {
  static const json empty = json::object();
  return empty;
}

}  // namespace

bool IsTrue(std::string_view text) {
  return text == "true" || text == "True" || text == "TRUE" || text == "1";
}

bool IsTooDeep(std::string_view json_text) {
  // BigQuery's JSON values nest 500 deep, within rows of a request.
  constexpr int kDeepest = 600;
  int depth = 0;
  bool in_text = false;
  for (size_t at = 0; at < json_text.size(); ++at) {
    const char c = json_text[at];
    if (in_text) {
      if (c == '\\') ++at;
      if (c == '"') in_text = false;
    } else if (c == '"') {
      in_text = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kDeepest) return true;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return false;
}

std::string_view Request::Query(std::string_view name) const {
  const auto found = query.find(std::string(name));
  return found == query.end() ? std::string_view() : std::string_view(found->second);
}

bool Request::QueryFlag(std::string_view name) const {
  return IsTrue(Query(name));
}

std::string_view Request::Header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (key == name) return value;
  }
  return {};
}

absl::StatusOr<json> Request::Json() const {
  if (body.empty()) return json::object();
  if (IsTooDeep(body)) {
    return WithReason(absl::InvalidArgumentError("Parse Error: the request's body is nested too deep"),
                      "parseError");
  }
  json parsed = json::parse(body, nullptr, /*allow_exceptions=*/false);
  if (parsed.is_discarded() || !parsed.is_object()) {
    return WithReason(absl::InvalidArgumentError("Parse Error: the request's body is not a JSON object"),
                      "parseError");
  }
  for (auto each = parsed.begin(); each != parsed.end();)
    each = each.key().starts_with('~') ? parsed.erase(each) : ++each;
  return parsed;
}

Reply JsonReply(const json& body) {
  Reply reply;
  reply.body = body.dump(-1, ' ', false, json::error_handler_t::replace);
  return reply;
}

absl::Status WithReason(absl::Status status, std::string_view reason, std::string_view location) {
  if (status.ok()) return status;
  status.SetPayload(kReasonUrl, absl::Cord(View(reason)));
  if (!location.empty()) status.SetPayload(kLocationUrl, absl::Cord(View(location)));
  return status;
}

std::string ReasonOf(const absl::Status& status) {
  std::string reason = Payload(status, kReasonUrl);
  return reason.empty() ? RowOf(status.code()).reason : reason;
}

int HttpStatusOf(const absl::Status& status) {
  return RowOf(status.code()).http;
}

json ErrorProto(const absl::Status& status) {
  // A message may quote whatever bytes somebody sent; a job keeps it as JSON.
  json error = {{"reason", ReasonOf(status)}, {"message", EscapeControlKeepLines(View(status.message()))}};
  if (std::string location = Payload(status, kLocationUrl); !location.empty())
    error["location"] = std::move(location);
  return error;
}

Reply ErrorReply(const absl::Status& status) {
  json entry = ErrorProto(status);
  entry["domain"] = "global";
  if (entry.contains("location"))
    entry["locationType"] = entry["location"] == "If-Match" ? "header" : "parameter";
  const CodeRow& row = RowOf(status.code());
  const std::string message = entry["message"];
  Reply reply = JsonReply({{"error",
                            {{"code", row.http},
                             {"message", message},
                             {"errors", json::array({std::move(entry)})},
                             {"status", row.status}}}});
  reply.status = row.http;
  return reply;
}

std::string Text(const json& object, const char* key, std::string_view fallback) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return std::string(fallback);
  return found->is_string() ? found->get<std::string>() : found->dump();
}

int64_t ParseInteger(std::string_view text, int64_t fallback) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? value : fallback;
}

int64_t Integer(const json& object, const char* key, int64_t fallback) {
  const auto found = object.find(key);
  if (found == object.end()) return fallback;
  if (found->is_number()) return found->get<int64_t>();
  return found->is_string() ? ParseInteger(found->get_ref<const std::string&>(), fallback) : fallback;
}

bool Flag(const json& object, const char* key, bool fallback) {
  const auto found = object.find(key);
  if (found == object.end()) return fallback;
  if (found->is_boolean()) return found->get<bool>();
  return found->is_string() ? IsTrue(found->get_ref<const std::string&>()) : fallback;
}

const json& Child(const json& object, const char* key) {
  if (!object.is_object()) return EmptyObject();
  const auto found = object.find(key);
  return found == object.end() || !found->is_object() ? EmptyObject() : *found;
}

json Patched(json resource, const json& patch) {
  for (const auto& [key, value] : patch.items()) {
    if (key == "labels" && value.is_object()) {
      for (const auto& [label, text] : value.items()) {
        if (text.is_null() && !resource.contains("labels")) continue;  // it has none
        if (text.is_null()) {
          resource["labels"].erase(label);
        } else {
          resource["labels"][label] = text;
        }
      }
    } else if (value.is_null()) {
      resource.erase(key);
    } else {
      resource[key] = value;
    }
  }
  return resource;
}

}  // namespace hakobu::localbq::rest
