// What a source shows of its load, each second, for next to nothing: one statement of status counters, and
// only where they are wanted, the undo history and how far a replica is behind.
#pragma once

#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "source/connection.h"

namespace hakobu {

struct LoadSignalsWanted {
  bool history_length = false;
  bool replica_lag = false;
};

struct LoadSignals {
  uint64_t data_reads = 0;       // Innodb_data_reads, since the server started
  uint64_t threads_running = 0;  // this connection's own not counted
  std::optional<uint64_t> history_length;
  std::optional<double> replica_lag;  // seconds; none: the server does not know (its replication is stopped)
};

// FailedPrecondition when lag is wanted and the server is no replica; PermissionDenied names what is missing.
absl::StatusOr<LoadSignals> ReadLoadSignals(Connection* connection, const LoadSignalsWanted& wanted);

}  // namespace hakobu
