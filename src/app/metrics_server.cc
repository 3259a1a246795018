#include "app/metrics_server.h"

#include <fmt/format.h>
#include <httplib.h>

#include <charconv>
#include <nlohmann/json.hpp>
#include <thread>

#include "absl/time/clock.h"
#include "base/status.h"

namespace hakobu {
namespace {

constexpr absl::Duration kHangsAfter = absl::Minutes(1);
constexpr size_t kConnections = 4;

class HttpMetricsServer : public MetricsServer {
 public:
  explicit HttpMetricsServer(Read read) : read_(std::move(read)) {}
  ~HttpMetricsServer() override {
    http_.stop();
    if (thread_.joinable()) thread_.join();
  }

  absl::Status Listen(const std::string& host, uint16_t port) {
    http_.new_task_queue = [] { return new httplib::ThreadPool(kConnections); };
    http_.set_keep_alive_max_count(1);  // nothing is left open that a stop would wait for
    http_.set_read_timeout(5);
    http_.set_write_timeout(5);
    http_.set_payload_max_length(64 * 1024);
    // SO_REUSEPORT, httplib's default, would let a second server take the same port unnoticed.
    http_.set_socket_options([](socket_t socket) {
      const int yes = 1;
      setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, reinterpret_cast<const char*>(&yes), sizeof yes);
    });
    http_.Get("/healthz", [this](const httplib::Request&, httplib::Response& to) { Answer(true, &to); });
    http_.Get("/readyz", [this](const httplib::Request&, httplib::Response& to) { Answer(false, &to); });
    http_.Get("/metrics", [this](const httplib::Request&, httplib::Response& to) {
      const auto seen = read_();
      to.set_content(seen ? PrometheusText(seen->status, absl::Now()) : std::string(),
                     "text/plain; version=0.0.4; charset=utf-8");
    });
    const int bound =
        port == 0 ? http_.bind_to_any_port(host.c_str()) : http_.bind_to_port(host.c_str(), port);
    if (bound <= 0) {
      return absl::InvalidArgumentError(fmt::format(
          "listen for metrics on {}:{}: refused; hint: the port may be in use, 0 picks a free one", host,
          port));
    }
    host_ = host;
    port_ = port == 0 ? static_cast<uint16_t>(bound) : port;
    thread_ = std::thread([this] {
      http_.listen_after_bind();
      ended_ = true;
    });
    // stop() has no effect on a server that does not run yet.
    while (!http_.is_running() && !ended_) absl::SleepFor(absl::Milliseconds(1));
    return absl::OkStatus();
  }
  uint16_t port() const override { return port_; }
  std::string address() const override { return fmt::format("{}:{}", host_, port_); }

 private:
  void Answer(bool alive, httplib::Response* to) const {
    const auto seen = read_();
    const Health health = HealthOf(seen, absl::Now());
    const bool good = alive ? health.alive : health.ready;
    nlohmann::json body{{"ok", good}, {"state", seen ? seen->status.state : "starting"}};
    if (!health.reason.empty()) body["reason"] = health.reason;
    to->status = good ? 200 : 503;
    to->set_content(body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n",
                    "application/json");
  }

  Read read_;
  httplib::Server http_;
  std::thread thread_;
  std::atomic<bool> ended_{false};
  std::string host_;
  uint16_t port_ = 0;
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
  if (status.state == "failed") return {false, false, status.reason};
  if (now - seen->at > kHangsAfter) {
    return {false, false, fmt::format("no sign of life for {} s", absl::ToInt64Seconds(now - seen->at))};
  }
  if (status.state == "streaming") return {true, true, ""};
  return {true, false,
          status.reason.empty() ? status.state : fmt::format("{}: {}", status.state, status.reason)};
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
  auto server = std::make_unique<HttpMetricsServer>(std::move(read));
  std::string host(address.substr(0, colon));
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  HAKOBU_RETURN_IF_ERROR(server->Listen(host, port));
  return server;
}

}  // namespace hakobu
