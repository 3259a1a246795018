#include "destination/rest.h"

#include <fmt/format.h>

#include "base/address.h"
#include "base/status.h"

namespace hakobu {
namespace {

HttpOptions HttpOf(const RestOptions& options) {
  return {options.user_agent, options.endpoint.ca_file, options.endpoint.proxy};
}

}  // namespace

absl::StatusOr<Endpoint> Endpoint::At(std::string_view rest, std::string_view grpc) {
  Endpoint endpoint;
  HAKOBU_ASSIGN_OR_RETURN(const Address address,
                          CheckAddress(rest, "destination.rest_address", PlainHttp::kLoopback));
  if (!address.rest.empty() && address.rest != "/") {
    return absl::InvalidArgumentError(
        fmt::format("destination.rest_address: expected no path after {}", address.Origin()));
  }
  endpoint.rest = address.Origin();
  if (grpc.empty()) return endpoint;  // nobody writes through it
  HAKOBU_ASSIGN_OR_RETURN(const GrpcAddress storage, CheckGrpcAddress(grpc, "destination.grpc_address"));
  endpoint.grpc = storage.target;
  endpoint.grpc_insecure = !storage.tls;
  return endpoint;
}

Endpoint Endpoint::Local(int rest_port, int grpc_port) {
  Endpoint endpoint;
  endpoint.rest = fmt::format("http://127.0.0.1:{}", rest_port);
  endpoint.grpc = fmt::format("127.0.0.1:{}", grpc_port);
  endpoint.grpc_insecure = true;
  return endpoint;
}

Rest::Rest(RestOptions options) : options_(std::move(options)), http_(HttpOf(options_)) {}
Rest::~Rest() = default;

absl::StatusOr<HttpResponse> Rest::Send(HttpRequest request) {
  // Rows are no less secret than tokens.
  HAKOBU_RETURN_IF_ERROR(
      CheckAddress(request.url, "call " + OriginOf(request.url), PlainHttp::kLoopback).status());
  HAKOBU_ASSIGN_OR_RETURN(const std::string token, options_.credentials->Token());
  if (!token.empty()) request.headers.push_back("Authorization: Bearer " + token);
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
  request.outages = options_.context.outages;
  request.work = spec.what;
  request.answer_within = spec.answer_within;
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
    Tell(spec.what, body.status());
    if (body.ok() || HttpStatus(body.status()) != 0) return body;
    return Annotate(body.status(), spec.what);
  });
}

void Rest::Tell(std::string_view what, const absl::Status& outcome) const {
  OutageListener* const outages = options_.context.outages;
  if (outages == nullptr || absl::IsCancelled(outcome)) return;
  if (!outcome.ok() && RemedyFor(outcome) == Remedy::kRetry) {
    outages->OnFailure(what, outcome);
  } else {
    outages->OnSuccess(what);
  }
}

std::string ResourcePath(const std::vector<std::string_view>& parts) {
  std::string path;
  for (const std::string_view part : parts) path += "/" + PercentEncode(part);
  return path;
}

}  // namespace hakobu
