// A REST call and its answer, apart from the web server that carries them.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace hakobu::localbq::rest {

struct Request {
  std::string method;                 // "GET" …
  std::string path;                   // as sent, decoded
  std::vector<std::string> segments;  // after the prefix: {"projects", "p", "datasets", "d"}
  std::string verb;                   // "getIamPolicy" of "tables/t:getIamPolicy"
  std::multimap<std::string, std::string> query;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string body;
  std::string identity;             // "user:a@b" or "serviceAccount:…"; empty: nobody asked (no --auth)
  std::vector<std::string> scopes;  // of the caller's token; empty: all
  bool is_authenticated = false;    // identity and scopes are set

  std::string_view Query(std::string_view name) const;   // empty: not given
  std::string_view Header(std::string_view name) const;  // lower case name; empty: not given
  bool QueryFlag(std::string_view name) const;
  const std::string& Segment(size_t index) const { return segments[index]; }
  // The body as a JSON object ({} when empty), or InvalidArgument in Google's words. Without keys that begin
  // with ~, which are the server's own.
  absl::StatusOr<nlohmann::json> Json() const;
};

// As REST's parameters and bodies write booleans; Google's Python client writes True.
bool IsTrue(std::string_view text);
// Deeper than any value of BigQuery's: not to be parsed, for what walks it afterwards would run out of stack.
bool IsTooDeep(std::string_view json_text);

struct Reply {
  int status = 200;
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string content_type = "application/json; charset=UTF-8";
  // By a fault: nothing is sent, or so many bytes of the body, and the connection ends.
  bool is_dropped = false;
  int64_t truncated_at = -1;
};

Reply JsonReply(const nlohmann::json& body);

// The reason (notFound, invalidQuery …) and the place that an error says, beside its code and text.
absl::Status WithReason(absl::Status status, std::string_view reason, std::string_view location = "");
std::string ReasonOf(const absl::Status& status);
// HTTP status for an error; a job's reasons have none of their own.
int HttpStatusOf(const absl::Status& status);
// {"reason":…,"message":…[,"location":…]}: an entry of errors[], and a job's errorResult.
nlohmann::json ErrorProto(const absl::Status& status);
// {"error":{"code":…,"message":…,"errors":[…],"status":…}}
Reply ErrorReply(const absl::Status& status);

// Values out of JSON, whatever way a client wrote them ("10" and 10, "true" and true); the fallback
// otherwise.
std::string Text(const nlohmann::json& object, const char* key, std::string_view fallback = "");
int64_t Integer(const nlohmann::json& object, const char* key, int64_t fallback = 0);
bool Flag(const nlohmann::json& object, const char* key, bool fallback = false);
// The object under `key`; an empty one when absent or null.
const nlohmann::json& Child(const nlohmann::json& object, const char* key);
int64_t ParseInteger(std::string_view text, int64_t fallback);
// PATCH: absent fields stay, null takes away, objects other than labels and lists are replaced.
nlohmann::json Patched(nlohmann::json resource, const nlohmann::json& patch);

}  // namespace hakobu::localbq::rest
