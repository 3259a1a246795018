// Health, readiness and metrics over HTTP, for a supervisor and for Prometheus.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "delivery/stream/stream.h"

namespace hakobu {

// Prometheus' text format, version 0.0.4. A value that is not known is left out.
std::string PrometheusText(const StreamStatus& status, absl::Time now);

// GET /healthz (200 or 503 while not alive), /readyz (200 or 503 while not ready), /metrics. Runs its own
// thread until it is destroyed.
class MetricsServer {
 public:
  using Snapshot = std::function<StreamStatus()>;  // called from the server's threads
  // Port 0: a free one. Unavailable when the address cannot be bound.
  static absl::StatusOr<std::unique_ptr<MetricsServer>> Start(const std::string& host, uint16_t port,
                                                              Snapshot snapshot);
  virtual ~MetricsServer() = default;
  virtual uint16_t port() const = 0;
};

}  // namespace hakobu
