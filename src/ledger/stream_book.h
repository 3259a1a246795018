// What `hakobu stream` knows over restarts: how far the log is delivered, each table's state, its first
// copy's chunks, the schemas at that position, and the gaps. In the ledger's file, as durable as the rest of
// it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ledger/session.h"
#include "ledger/table_life.h"
#include "log/point.h"

namespace hakobu {

// "shop.members" as the stream delivers it.
struct StreamTableRecord {
  std::string source{};
  std::string target{};  // "project.dataset.table"
  std::string mode{};    // "upsert", "soft", "history"
  StreamTableState state = StreamTableState::kNone;
  std::string reason{};
  absl::Time since = absl::InfinitePast();  // of the state
  // Rows of the copy have this _CHANGE_SEQUENCE_NUMBER: below every change that follows them.
  std::string copy_sequence{};
  int64_t whole_epoch = 0;  // the copy is whole once the stream has passed this place
  std::string whole_file{};
  uint64_t whole_offset = 0;
  // History: rows of the log are counted from the table's begin. So many were before the stored position; the
  // write stream's first row is the `write_base`th. What it holds beyond the stored position is not written
  // again.
  uint64_t write_offset = 0;
  std::string write_stream{};
  uint64_t write_base = 0;
  uint64_t copied_rows = 0;
  uint64_t chunks = 0;       // of the copy; read only
  uint64_t chunks_done = 0;  // read only
};

// What becomes true of a table with a stored position, and nothing else of it: others write the rest
// meanwhile. What does not follow on the table's state any more is left out.
struct StreamTableProgress {
  std::string source{};
  std::optional<uint64_t> write_offset{};
  std::optional<StreamTableEvent> event{};
  std::string copy_sequence{};  // of the copy that the event is about; "": of whichever
  std::string reason{};
  absl::Time since = absl::InfinitePast();
};

// How the stream stood when it last looked at the source's log.
struct StreamHealth {
  absl::Time looked = absl::InfinitePast();
  absl::Time fresh_until = absl::InfinitePast();  // everything committed until then is in BigQuery
  int64_t lag_bytes = -1;                         // of log behind the stored position; -1: not known
  // Until the source may purge what is still needed, at the present rate and if the stream stalled; infinity:
  // it does not; -1: not known.
  double headroom_seconds = -1;
  double stalled_seconds = -1;
  std::string headroom{};  // the same in words
};

struct StreamChunkRecord {
  uint64_t number = 0;
  std::string bounds_json{};
  bool done = false;
  uint64_t rows = 0;
  std::string write_stream{};  // history: the pending stream that is committed with the chunk
};

enum class GapState : uint8_t { kOpen, kRepaired };
inline constexpr std::string_view kGapStateNames[] = {"open", "repaired"};
constexpr std::span<const std::string_view> NamesOf(GapState) {
  return kGapStateNames;
}

// An interval of the log that was not, or may not have been, delivered.
struct StreamGapRecord {
  int64_t id = 0;           // 1, 2, …; given by OpenGap
  std::string from_gtid{};  // executed sets: all in `to` and not in `from` is concerned
  std::string to_gtid{};
  std::string from_file{};
  uint64_t from_offset = 0;
  std::string to_file{};
  uint64_t to_offset = 0;
  absl::Time from_time = absl::InfinitePast();
  absl::Time to_time = absl::InfinitePast();
  std::string cause{};        // "purged", "reset", "fork", "crash_tail", "snapshot" …
  std::string detail_json{};  // whatever the cause is proven by
  std::string tables_json{};  // [{"table","concern":"certain"|"possible"|"none","why"}]
  GapState state = GapState::kOpen;
  absl::Time opened = absl::InfinitePast();
  absl::Time closed = absl::InfinitePast();
  std::string proof_json{};
};

// Thread-safe.
class StreamBook {
 public:
  explicit StreamBook(LedgerFile* file) : file_(file) {}

  absl::StatusOr<std::optional<DeliveredPoint>> Position();
  // One transaction: the position, what it makes of tables, and the schemas as they are at it
  // (SchemaHistory::ToJson; absent: as they were).
  absl::Status StorePosition(const DeliveredPoint& position, const std::vector<StreamTableProgress>& tables,
                             const std::optional<std::string>& schemas_json);
  absl::StatusOr<std::string> Schemas();  // "" when none were stored

  absl::StatusOr<std::vector<StreamTableRecord>> Tables();
  // None: the stream has never seen it.
  absl::StatusOr<std::optional<StreamTableRecord>> Find(const std::string& source);
  // Takes the table from the state that the ledger holds to the one that follows on `event`, with what
  // `change` makes of the rest of its record; in one transaction, so that no other process's or thread's
  // change is lost. FailedPrecondition, and nothing is changed, when the event does not follow on that state.
  // A copy that begins forgets the chunks of earlier ones. Returns the record as it is then.
  absl::StatusOr<StreamTableRecord> Advance(const std::string& source, StreamTableEvent event,
                                            absl::FunctionRef<void(StreamTableRecord*)> change);
  // The same without an event: the state stays.
  absl::StatusOr<StreamTableRecord> Change(const std::string& source,
                                           absl::FunctionRef<void(StreamTableRecord*)> change);
  // The chunks of the copy that is under way. FailedPrecondition when none is, or another one
  // (StreamTableRecord::copy_sequence) than they were planned for.
  absl::Status PlanCopy(const std::string& source, const std::string& copy_sequence,
                        const std::vector<StreamChunkRecord>& chunks);
  absl::StatusOr<std::vector<StreamChunkRecord>> Chunks(const std::string& source);
  absl::Status StoreChunk(const std::string& source, const StreamChunkRecord& chunk);

  absl::Status StoreHealth(const StreamHealth& health);
  absl::StatusOr<std::optional<StreamHealth>> Health();

  absl::StatusOr<int64_t> OpenGap(const StreamGapRecord& gap);
  absl::StatusOr<std::vector<StreamGapRecord>> Gaps();  // oldest first
  absl::Status UpdateGapTables(int64_t id, const std::string& tables_json);
  absl::Status CloseGap(int64_t id, absl::Time closed, const std::string& proof_json);

 private:
  LedgerFile* file_;
};

}  // namespace hakobu
