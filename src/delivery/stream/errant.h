// Errant transactions: those that a server has in its log before some that were delivered from another
// server, though they were never delivered. Somebody wrote to a replica, which was made the primary later.
// Delivered now, behind what came after them, their older values would win.
#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "base/cancel.h"
#include "delivery/stream/continuity.h"

namespace hakobu {

// Beyond so much log, the errant transactions' tables are not looked for.
constexpr uint64_t kMostErrantLogBytes = uint64_t{1} << 30;

// Of a MySQL server whose history has all of `stored.gtid_set`. Finds the file with the last delivered
// transaction by a binary search over the files' heads and reads the transactions' ids there, on streams of
// its own; reads the files before it too when errant transactions begin there and it is not more than
// `most_bytes` in all.
absl::StatusOr<ErrantTransactions> FindErrant(const ConnectOptions& connect, const DeliveredPoint& stored,
                                              const LogState& state, const Cancellation& cancel,
                                              uint64_t most_bytes = kMostErrantLogBytes);

}  // namespace hakobu
