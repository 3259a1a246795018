// What a stream shows to the outside at one moment. Filled by the engine, printed by whoever asks.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace hakobu {

// An absent value is one that is not known: it is left out, never shown as 0.
struct TableSnapshot {
  std::string source, table;  // "shop", "shop.orders"
  std::string destination;    // "project.dataset.table"
  std::string state;          // "copying", "following", "stopped"
  // Every change committed before this is in the destination, proven by an event or heartbeat of the source
  // and by the destination's acknowledgement. Freshness is `now` minus this, so it grows until there is new
  // proof.
  std::optional<absl::Time> whole_until;
  uint64_t inserts = 0, updates = 0, deletes = 0;
  uint64_t copied_rows = 0;
  uint64_t sent_bytes = 0;
  uint64_t quarantined = 0;
  uint64_t open_gaps = 0;
};

struct SourceSnapshot {
  std::string source;
  std::string state;  // "connecting", "following", "waiting", "stopped"
  std::string file;   // of what is acknowledged
  uint64_t offset = 0;
  std::string gtid_set;
  std::optional<absl::Time> whole_until;   // as above, for all tables
  std::optional<uint64_t> lag_bytes;       // of log between what is acknowledged and the log's end
  std::optional<absl::Duration> headroom;  // against retention; infinite is left out
  std::optional<absl::Time> last_heard;
  uint64_t events = 0, transactions = 0, read_bytes = 0;
  uint64_t reconnects = 0, retries = 0, open_gaps = 0;
  std::optional<uint64_t> spool_bytes, spool_limit_bytes;
};

struct StreamSnapshot {
  absl::Time now;
  bool alive = true;   // false: restart it
  bool ready = false;  // connected to sources and destination, and following
  std::string reason;  // of not being alive or ready
  uint64_t memory_bytes = 0;
  std::vector<SourceSnapshot> sources;
  std::vector<TableSnapshot> tables;
};

}  // namespace hakobu
