// Health, readiness and metrics of a stream over HTTP, for a supervisor and for Prometheus.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "delivery/stream/stream.h"

namespace hakobu {

// Keeps the last status a stream told. Thread-safe.
class StatusBoard : public StreamObserver {
 public:
  struct Seen {
    StreamStatus status;
    absl::Time at;
  };
  void OnStatus(const StreamStatus& status) override;
  std::optional<Seen> Last() const;

 private:
  mutable absl::Mutex mutex_;
  std::optional<Seen> last_ ABSL_GUARDED_BY(mutex_);
};

// Prometheus' text format, version 0.0.4. A value that is not known is left out, never shown as 0.
std::string PrometheusText(const StreamStatus& status, absl::Time now);

struct Health {
  bool alive = false;  // false: it has failed or hangs, restart it
  bool ready = false;  // it follows the log
  std::string reason;  // of what is not so
};
// A stream tells its status about once a second: one that has told nothing for a minute hangs.
Health HealthOf(const std::optional<StatusBoard::Seen>& seen, absl::Time now);

// GET /healthz (200, or 503 when not alive), /readyz (200, or 503 when not ready), /metrics. Has threads of
// its own until it is destroyed.
class MetricsServer {
 public:
  using Read = std::function<std::optional<StatusBoard::Seen>()>;  // called from the server's threads
  // `address`: "127.0.0.1:9464"; port 0 takes a free one. InvalidArgument when it cannot be had.
  static absl::StatusOr<std::unique_ptr<MetricsServer>> Start(std::string_view address, Read read);
  virtual ~MetricsServer() = default;
  virtual uint16_t port() const = 0;
  virtual std::string address() const = 0;
};

}  // namespace hakobu
