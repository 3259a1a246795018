// BigQuery change data capture: rows with `_CHANGE_TYPE` wait in a log beside their table, and are merged
// into it by key in the background or before a read. Of changes to one key the one with the larger sequence
// number wins, of equals the later to arrive, whatever order they came in; deletes are remembered for two
// days. Source: https://cloud.google.com/bigquery/docs/change-data-capture
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "localbq/catalog/catalog.h"
#include "localbq/catalog/warehouse.h"

namespace hakobu::localbq {

// Thread-safe.
class ChangeLog {
 public:
  // Reads back which tables are active, and what waits for them. The background thread runs until the end.
  static absl::StatusOr<std::unique_ptr<ChangeLog>> Open(Catalog* catalog);
  ~ChangeLog();

  // Rows of the schema's columns, then BOOLEAN (is a DELETE) and BLOB (32 bytes of sequence number, 8 of
  // arrival). Durable when it returns. FailedPrecondition: the table's columns are not those of
  // `schema_version` any more.
  absl::Status Append(const TablePtr& table, int64_t schema_version, std::span<Chunk* const> chunks);

  // Whether the table has taken changes since it was made, emptied or replaced: no UPDATE, DELETE or MERGE
  // then.
  bool IsActive(const Table& table) const;
  // Every change before this moment is in the table; now, when none waits. 0: the table is not active.
  int64_t WatermarkMicros(const Table& table) const;
  // Before a read: merges what waits, unless the table's max_staleness allows the watermark as it is.
  absl::Status PrepareRead(const Table& table);
  // Merges everything that waits.
  absl::Status Apply(const Table& table);
  // For Catalog::OnAlter: what waits is merged in the transaction that alters the table, and the keys follow
  // it.
  Catalog::Alteration BeginAlter(const TableId& id);
  // Lets go of a table's log and keys in the transaction that drops or empties it.
  absl::Status Forget(Connection& connection, const Table& table);

 private:
  struct Part;
  struct Active;
  using ActivePtr = std::shared_ptr<Active>;

  explicit ChangeLog(Catalog* catalog) : catalog_(catalog) {}
  absl::Status Load();
  ActivePtr Find(const Table& table) const;
  absl::StatusOr<ActivePtr> Activate(const TablePtr& table);
  absl::Status NewPart(Active& active, const Table& table);
  absl::Status ApplyPart(Active& active, Part& part);
  absl::Status MergeForAlter(Active& active, const Table& table);
  absl::Status Merge(Connection& connection, const Table& table, const Part& part);
  absl::Status ApplyLocked(Active& active, bool with_current);
  void Background();

  Catalog* const catalog_;
  mutable absl::Mutex mutex_;
  absl::flat_hash_map<int64_t, ActivePtr> active_ ABSL_GUARDED_BY(mutex_);  // by the table's generation
  bool is_stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread background_;
};

// "0-0 0 0:10:0" in microseconds, a month as 30 days; 0 for an empty or unreadable text.
int64_t StalenessMicros(std::string_view interval);

}  // namespace hakobu::localbq
