#include "localbq/rest/door.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "absl/strings/ascii.h"
#include "base/status.h"
#include "localbq/auth/loopback.h"
#include "localbq/rest/access.h"

namespace hakobu::localbq::rest {
namespace {

// What a page may send anywhere without asking [Fetch, "CORS-safelisted request-header"].
constexpr std::array<std::string_view, 3> kSimpleTypes = {"text/plain", "multipart/form-data",
                                                          "application/x-www-form-urlencoded"};

Reply Refused(int status, std::string_view reason, const std::string& message) {
  Reply reply = ErrorReply(WithReason(absl::PermissionDeniedError(message), reason));
  reply.status = status;
  return reply;
}

std::optional<Reply> CheckType(const Request& request) {
  if (request.method != "POST") return std::nullopt;  // a page must ask before it sends any other
  const std::string_view header = request.Header("content-type");
  const std::string type(absl::StripAsciiWhitespace(View(header.substr(0, header.find(';')))));
  if (std::ranges::find(kSimpleTypes, absl::AsciiStrToLower(type)) == kSimpleTypes.end()) return std::nullopt;
  return Refused(415, "badContent",
                 fmt::format("Unsupported content with type: {}: expected application/json", type));
}

}  // namespace

std::optional<Reply> StopAtDoor(const Service& service, Request* request) {
  const std::string_view host = request->Header("host"), origin = request->Header("origin");
  // With --auth a page has no token, and the server may be there for other machines.
  if (service.authority == nullptr && !host.empty() && !auth::IsLoopback(auth::HostOf(host))) {
    return Refused(403, "forbidden", fmt::format("The local BigQuery answers on loopback, not as {}", host));
  }
  if (!origin.empty() && !auth::IsLoopbackUrl(origin)) {
    return Refused(403, "forbidden", fmt::format("The local BigQuery does not answer pages of {}", origin));
  }
  if (IsCredentialPath(request->path)) return std::nullopt;
  if (std::optional<Reply> refused = CheckType(*request)) return refused;
  return Authenticate(service, request);
}

bool IsCredentialPath(std::string_view path) {
  return path == "/token" || path == "/oauth2/v4/token" || path == "/v1/token" || path == "/tokeninfo" ||
         path.starts_with("/computeMetadata/") || path == "/" || path.ends_with(":generateAccessToken") ||
         path.starts_with("/$discovery/") || path.starts_with("/discovery/");
}

bool IsUploadPath(std::string_view path) {
  return path.starts_with("/upload/") || path.starts_with("/bigquery/v2/upload/");
}

Reply BodyTooLong(uint64_t limit_bytes) {
  Reply reply = ErrorReply(WithReason(absl::InvalidArgumentError(fmt::format(
                                          "Request payload size exceeds the limit: {} bytes.", limit_bytes)),
                                      "uploadTooLarge"));
  reply.status = 413;
  return reply;
}

}  // namespace hakobu::localbq::rest
