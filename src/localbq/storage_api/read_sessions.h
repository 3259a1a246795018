// Sessions of the Storage Read API. A session's rows are copied when it is made, so every stream and every
// retry at an offset sees the table of that moment; the copy goes when the session expires, or with the next
// start.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "localbq/catalog/catalog.h"
#include "localbq/catalog/warehouse.h"

namespace hakobu::localbq {

class ChangeLog;
class Faults;

struct ReadStreamPlan {
  std::string name;
  int64_t first_row = 0, rows = 0;  // in the session's copy
};
struct ReadSessionPlan {
  int64_t id = 0;
  std::string name;
  TableId table;  // what it was made of
  bool is_avro = false;
  Schema schema;  // the selected columns
  int64_t rows = 0, bytes = 0;
  int64_t expires_us = 0;
  std::vector<ReadStreamPlan> streams;
  std::string member;  // who made it, and alone may read it; empty: nobody was asked
};
using ReadSessionPtr = std::shared_ptr<const ReadSessionPlan>;

struct ReadRequest {
  TableId table;
  bool is_avro = false;
  std::vector<std::string> selected_fields;  // empty: all
  std::string row_restriction;               // GoogleSQL; empty: none
  std::string row_condition;                 // DuckDB: what the member may see; empty: all
  std::string member;
  int max_streams = 0, min_streams = 0;  // 0: the server's choice
};

// Thread-safe.
class ReadSessions {
 public:
  static absl::StatusOr<std::unique_ptr<ReadSessions>> Open(Catalog* catalog, ChangeLog* changes,
                                                            Faults* faults);

  // Errors: NotFound, InvalidArgument in Google's words.
  absl::StatusOr<ReadSessionPtr> Create(const ReadRequest& request);
  // The stream's session. NotFound for an unknown or expired one.
  absl::StatusOr<ReadSessionPtr> FindByStream(std::string_view stream, ReadStreamPlan* plan);
  // The rows of a stream from `offset` on, chunk by chunk, until `sink` answers false.
  absl::Status Read(const ReadSessionPlan& session, const ReadStreamPlan& stream, int64_t offset,
                    absl::FunctionRef<bool(const Chunk&)> sink);

 private:
  ReadSessions(Catalog* catalog, ChangeLog* changes, Faults* faults)
      : catalog_(catalog), changes_(changes), faults_(faults) {}
  absl::Status CheckFields(const ReadRequest& request, const Table& table) const;
  absl::Status Expire();

  Catalog* const catalog_;
  ChangeLog* const changes_;
  Faults* const faults_;
  absl::Mutex mutex_;
  int64_t last_id_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::flat_hash_map<std::string, ReadSessionPtr> by_stream_ ABSL_GUARDED_BY(mutex_);
  std::vector<ReadSessionPtr> sessions_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hakobu::localbq
