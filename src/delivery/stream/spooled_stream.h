// A live log that goes through a spool on disk: the source is read as fast as it writes, however slowly the
// events are taken.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "delivery/stream/spool.h"
#include "source/log_stream.h"

namespace hakobu {

// What an earlier process left is thrown away: the source is read again from what the destination has.
absl::StatusOr<std::unique_ptr<Spool>> OpenEmptySpool(const std::string& folder, uint64_t max_bytes);

// Empties the spool and reads `live` into it on a thread of its own. When `live` breaks, what was read before
// is returned first, then its error. `spool` outlives the result.
absl::StatusOr<std::unique_ptr<LogStream>> ReadThroughSpool(std::unique_ptr<LogStream> live, Spool* spool);

}  // namespace hakobu
