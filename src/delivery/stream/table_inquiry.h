// What the server itself says of tables, for where the log's statements do not tell.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "decode/ddl/ddl.h"
#include "delivery/stream/stream_context.h"
#include "source/source.h"

namespace hakobu {

// Whether the configuration may want to stream tables of the database.
bool MayStream(const Config& config, std::string_view database);

struct TableAnswer {
  std::optional<TableDefinition> definition;  // none: there is no such table
  LogPoint place;                             // of the server's log, where that is so
};
// Unavailable: the table changes faster than it can be read.
absl::StatusOr<TableAnswer> AskForTable(Connection* source, const std::string& database,
                                        const std::string& name);

// Which tables the server has, with a place of its log at which it had them, or had just dropped them.
struct TableList {
  std::vector<ddl::TableName> tables;
  LogPoint place;
};

// A thread that lists the tables that the configuration wants at the start, now and then, and when it is
// asked to: a table that the log's statements did not tell of is found so. Thread-safe.
class TableWatch {
 public:
  explicit TableWatch(StreamContext* context) : context_(context) {}
  // Until the context's `stop`.
  void Run();
  // A list is made soon.
  void Ask();
  // Whether the tables have been listed at all, or could not be.
  bool has_looked() const { return has_looked_.load(std::memory_order_relaxed); }
  bool has_list() const { return has_list_.load(std::memory_order_relaxed); }
  // The newest list, once, where the stream has come to its place.
  std::optional<TableList> Take(const std::function<bool(const LogPoint&)>& has_come);

 private:
  absl::StatusOr<TableList> List();

  StreamContext* context_;
  absl::Mutex mutex_;
  std::atomic<bool> has_list_{false}, has_looked_{false};
  bool asked_ ABSL_GUARDED_BY(mutex_) = true;
  std::optional<TableList> list_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hakobu
