#include "app/metrics_server.h"

#include <fmt/format.h>

#include <charconv>
#include <nlohmann/json.hpp>

#include "absl/time/clock.h"
#include "base/status.h"
#include "base/web_server.h"

namespace hakobu {
namespace {

constexpr absl::Duration kHangsAfter = absl::Minutes(1);

class HttpMetricsServer : public MetricsServer {
 public:
  HttpMetricsServer(Read read, std::string host) : read_(std::move(read)), host_(std::move(host)) {}

  absl::Status Listen(uint16_t port) {
    WebServerOptions options;
    options.host = host_;
    options.port = port;
    options.most_header_bytes = 16 * 1024;
    options.most_connections = 64;
    options.most_threads = 4;
    options.idle_timeout = absl::Seconds(30);
    absl::StatusOr<std::unique_ptr<WebServer>> http = WebServer::Bind(options);
    if (!http.ok()) return Annotate(http.status(), "metrics");
    http_ = *std::move(http);
    http_->Serve([this](const WebRequest& request, WebBody&) { return Answer(request); });
    return absl::OkStatus();
  }
  uint16_t port() const override { return static_cast<uint16_t>(http_->port()); }
  std::string address() const override { return fmt::format("{}:{}", host_, port()); }

 private:
  WebResponse Answer(const WebRequest& request) const {
    WebResponse response;
    if (request.method != "GET" && request.method != "HEAD") {
      response.status = 405;
    } else if (request.path == "/healthz" || request.path == "/readyz") {
      AnswerHealth(request.path == "/healthz", &response);
    } else if (request.path == "/metrics") {
      const auto seen = read_();
      response.content_type = "text/plain; version=0.0.4; charset=utf-8";
      if (seen) response.body = PrometheusText(seen->status, absl::Now());
    } else {
      response.status = request.path == "/" ? 200 : 404;
      response.content_type = "text/plain; charset=utf-8";
      response.body = "hakobu: /healthz, /readyz and /metrics\n";
    }
    return response;
  }

  void AnswerHealth(bool alive, WebResponse* response) const {
    const auto seen = read_();
    const Health health = HealthOf(seen, absl::Now());
    const bool good = alive ? health.alive : health.ready;
    nlohmann::json body{{"ok", good}, {"state", NameOf(seen ? seen->status.state : StreamPhase::kStarting)}};
    if (!health.reason.empty()) body["reason"] = health.reason;
    response->status = good ? 200 : 503;
    response->content_type = "application/json";
    response->body = body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  }

  const Read read_;
  const std::string host_;
  std::unique_ptr<WebServer> http_;
};

}  // namespace

void StatusBoard::OnStatus(const StreamStatus& status) {
  Seen seen{status, absl::Now()};
  absl::MutexLock lock(&mutex_);
  last_ = std::move(seen);
}

std::optional<StatusBoard::Seen> StatusBoard::Last() const {
  absl::MutexLock lock(&mutex_);
  return last_;
}

Health HealthOf(const std::optional<StatusBoard::Seen>& seen, absl::Time now) {
  if (!seen) return {true, false, "the stream has not started yet"};
  const StreamStatus& status = seen->status;
  if (status.state == StreamPhase::kFailed) return {false, false, status.reason};
  if (now - seen->at > kHangsAfter) {
    return {false, false, fmt::format("no sign of life for {} s", absl::ToInt64Seconds(now - seen->at))};
  }
  std::string reason;
  for (const Outage& outage : status.outages) reason += (reason.empty() ? "" : "; ") + outage.Text();
  if (status.state == StreamPhase::kStreaming) return {true, reason.empty(), reason};
  if (reason.empty()) reason = status.reason;
  return {true, false, fmt::format("{}{}{}", NameOf(status.state), reason.empty() ? "" : ": ", reason)};
}

absl::StatusOr<std::unique_ptr<MetricsServer>> MetricsServer::Start(std::string_view address, Read read) {
  const size_t colon = address.rfind(':');
  uint16_t port = 0;
  const std::string_view digits = colon == std::string_view::npos ? "" : address.substr(colon + 1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc() || end != digits.data() + digits.size()) {
    return absl::InvalidArgumentError(
        fmt::format("listen for metrics on '{}': expected HOST:PORT such as 127.0.0.1:9464", address));
  }
  std::string host(address.substr(0, colon));
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  auto server = std::make_unique<HttpMetricsServer>(std::move(read), std::move(host));
  HAKOBU_RETURN_IF_ERROR(server->Listen(port));
  return server;
}

}  // namespace hakobu
