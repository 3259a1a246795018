// What happened to tables lately, as far as behaviours go by it: made, altered, replaced, streamed to.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "localbq/catalog/catalog.h"
#include "localbq/faults/behaviours.h"

namespace hakobu::localbq {

enum class StreamKind : uint8_t { kDefault, kExplicit };

// Thread-safe. What is random goes by the table's name and generation, so that the same calls meet the same.
class TableHistory {
 public:
  explicit TableHistory(const Behaviours* behaviours) : behaviours_(behaviours) {}

  // The catalog's changes. `before`, `after`: null for none.
  void OnTableChanged(const TablePtr& before, const TablePtr& after);
  // A DDL statement made or altered the table.
  void OnDdl(const TableId& id);
  // Rows of Storage Write became visible in it.
  void OnStreamed(const Table& table, StreamKind kind, int64_t rows);

  // Whether this call is denied as if the table, which is there, might not be. At most twice for each table
  // and `method`.
  bool DeniesWrite(const Table& table, std::string_view method);
  // Whether tables.get does not find it.
  bool Hides(const TableId& id);
  // The rows streamed last that copies do not see, and that numRows does not count.
  int64_t BufferedRows(const Table& table);
  int64_t UncountedRows(const Table& table);
  // When the oldest of the buffered rows came; InfiniteFuture: there is none.
  absl::Time OldestBuffered(const Table& table);
  // Whether the table was streamed to so lately that it cannot be renamed or retyped.
  bool IsStreamedTo(const Table& table);

  // The change of columns that was less than `age` ago: the table as it was before; null: none.
  TablePtr ChangedWithin(const Table& table, absl::Duration age);
  // When the table of this name was replaced or made anew; InfinitePast: never, that is known.
  absl::Time Replaced(const TableId& id);
  // Whether new writers to a replaced table are refused still.
  bool RefusesWriters(const Table& table);

  // One of the table's updates: `cost` of its burst of 40. ResourceExhausted when it is used up.
  absl::Status ChargeUpdate(const TableId& id, int cost);

 private:
  struct Streamed {
    absl::Time at;
    int64_t rows;
    StreamKind kind;
  };
  struct Entry {
    int64_t generation = 0;
    absl::Time made = absl::InfinitePast(), ddl = absl::InfinitePast(), changed = absl::InfinitePast(),
               replaced = absl::InfinitePast(), streamed = absl::InfinitePast();
    bool was_dropped = false;
    TablePtr before;  // the columns before `changed`
    absl::flat_hash_map<std::string, int> denied;
    int hidden = 0;
    std::deque<Streamed> rows;
    double tokens = 0;  // of the burst of updates
    absl::Time refilled = absl::InfinitePast();
  };
  int64_t RowsWithin(const Table& table, absl::Duration by_default, absl::Duration by_stream);
  void Prune() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Behaviours* const behaviours_;
  absl::Mutex mutex_;
  absl::flat_hash_map<TableId, Entry> tables_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hakobu::localbq
