#include "destination/rest.h"

#include <fmt/format.h>

namespace hakobu {
namespace {

bool IsLoopback(std::string_view url) {
  for (const std::string_view host : {"http://127.0.0.1", "http://localhost", "http://[::1]"}) {
    if (url.substr(0, host.size()) == host) {
      const std::string_view rest = url.substr(host.size());
      if (rest.empty() || rest[0] == ':' || rest[0] == '/') return true;
    }
  }
  return false;
}

}  // namespace

Endpoint Endpoint::Local(int rest_port, int grpc_port) {
  return {fmt::format("http://127.0.0.1:{}", rest_port), fmt::format("127.0.0.1:{}", grpc_port), true};
}

Rest::Rest(RestOptions options) : options_(std::move(options)), http_(options_.user_agent) {}
Rest::~Rest() = default;

absl::StatusOr<HttpResponse> Rest::Send(HttpRequest request) {
  HAKOBU_ASSIGN_OR_RETURN(const std::string token, options_.credentials->Token());
  if (!token.empty()) {
    if (request.url.substr(0, 7) == "http://" && !IsLoopback(request.url)) {
      return WithHint(absl::InvalidArgumentError(
                          fmt::format("send a token to {}: expected https", options_.endpoint.rest)),
                      "plain http is only for a BigQuery on this machine");
    }
    request.headers.push_back("Authorization: Bearer " + token);
  }
  const std::string quota_project = options_.credentials->QuotaProject();
  if (!quota_project.empty()) request.headers.push_back("x-goog-user-project: " + quota_project);
  HAKOBU_ASSIGN_OR_RETURN(HttpResponse response, http_.Send(request, options_.context.cancellation));
  if (response.status == 401) options_.credentials->Reject(token);
  return response;
}

absl::StatusOr<std::string> Rest::CallOnce(const RestCallSpec& spec) {
  HttpRequest request;
  request.method = spec.method;
  request.url = options_.endpoint.rest + "/bigquery/v2" + spec.path;
  if (!spec.query.empty()) request.url += "?" + FormEncode(spec.query);
  request.body = spec.body;
  request.timeout = spec.timeout > absl::ZeroDuration() ? spec.timeout : options_.timeout;
  if (!spec.body.empty()) request.headers.push_back("Content-Type: application/json; charset=UTF-8");
  if (!spec.if_match.empty()) request.headers.push_back("If-Match: " + spec.if_match);
  HAKOBU_ASSIGN_OR_RETURN(HttpResponse response, Send(std::move(request)));
  if (response.status / 100 != 2) return RestError(spec.what, response.status, response.body);
  return std::move(response.body);
}

absl::StatusOr<std::string> Rest::Call(const RestCallSpec& spec) {
  bool renewed = false;  // a token can be refused once, for having been revoked or for clocks that differ
  return Retry(options_.retry, options_.context, spec.idempotency, [&]() -> absl::StatusOr<std::string> {
    absl::StatusOr<std::string> body = CallOnce(spec);
    if (HttpStatus(body.status()) == 401 && !renewed) {
      renewed = true;
      body = CallOnce(spec);
    }
    if (body.ok() || HttpStatus(body.status()) != 0) return body;
    return Annotate(body.status(), spec.what);
  });
}

std::string ResourcePath(const std::vector<std::string_view>& parts) {
  std::string path;
  for (const std::string_view part : parts) path += "/" + PercentEncode(part);
  return path;
}

}  // namespace hakobu
