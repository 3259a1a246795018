// What a writer's connection knows of its table, which is not always what the table is: Google's service
// tells open connections of changes late, and takes rows for a table that is not there any more.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "localbq/catalog/catalog.h"
#include "localbq/faults/faults.h"
#include "localbq/storage_api/resource_name.h"
#include "localbq/storage_api/write_streams.h"

namespace hakobu::localbq {

// Not thread-safe.
class TableWatch {
 public:
  // `stream`: null for the default stream. NotFound and PermissionDenied in Google's words.
  static absl::StatusOr<TableWatch> Open(Catalog* catalog, Faults* faults, const StreamName& name,
                                         std::string_view path, const WriteStreamPtr& stream);

  // Looks again, before each request. Not OK: the connection ends with it.
  absl::Status Refresh();

  const TablePtr& table() const { return table_; }
  // The table with the columns that appends still go by; null: the table's own.
  const TablePtr& stale() const { return stale_; }
  // The table's columns with the modes that still hold here.
  const Schema& columns() const { return columns_; }
  // Columns that are gone, whose values are taken and lost.
  const Schema& lost_columns() const { return lost_columns_; }
  // Rows are acknowledged and go nowhere: the table was replaced.
  bool loses_rows() const { return loses_rows_; }
  // Another number means that the writer's schema is to be compiled again.
  int64_t version() const { return version_; }

 private:
  TableWatch(Catalog* catalog, Faults* faults, StreamName name, std::string path)
      : catalog_(catalog), faults_(faults), name_(std::move(name)), path_(std::move(path)) {}
  absl::Status OnReplaced();
  void Follow(TablePtr now);

  Catalog* catalog_;
  Faults* faults_;
  StreamName name_;
  std::string path_;
  int64_t generation_ = 0, incarnation_ = 0, opened_version_ = 0;
  TablePtr table_, stale_;
  Schema columns_, lost_columns_;
  bool loses_rows_ = false;
  bool is_settled_ = false;  // what is known is what is
  int64_t version_ = 0;
};

// "Permission '…' denied on resource '…' (or it may not exist).", which is also what a table is told by that
// is there.
absl::Status WriteDenied(std::string_view permission, const TableId& table);

// The table for the Write API's `method`; denied or NotFound in Google's words. `entity`: what the caller
// named.
absl::StatusOr<TablePtr> FindWriteTable(Catalog& catalog, Faults& faults, const TableId& id,
                                        std::string_view method, std::string_view entity);

}  // namespace hakobu::localbq
