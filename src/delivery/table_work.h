// Everything known of one table before its first row is read: what the source has, what BigQuery has, and
// what the configuration wants done.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "config/config.h"
#include "delivery/delivery.h"
#include "destination/destination.h"
#include "row/field.h"
#include "row/source_table.h"
#include "source/source.h"

namespace hakobu {

// Incremental, when all rows are read anew: what becomes of those of the target that the source has not.
enum class OtherRows : uint8_t {
  kStay,    // as in every run
  kRefuse,  // they cannot come in the form that is wanted now: where there are any, nothing is published
  kGo,      // somebody has decided
};

struct TableWork {
  std::string name;  // "shop.members"
  SourceTable source;
  std::vector<size_t> columns;  // read by the SELECT: places in source.columns
  TableOptions options;
  WriteMode mode = WriteMode::kReplace;
  WriteBy write = WriteBy::kStorage;
  TableName target;
  TableSchema schema;
  std::optional<std::string> existing;  // BigQuery's Table resource of the target; absent: there is none
  std::vector<SchemaChange> changes;
  std::vector<std::string> ddl;  // brings the target to this schema before rows are written or merged
  // Replace only. What is left to do once the new rows are there, where the target's own schema is kept; and
  // why it cannot be kept, where it cannot.
  std::vector<std::string> ddl_after;
  bool replaces_schema = false;
  absl::Status cannot_alter;
  bool from_start = false;  // incremental: every row is read, whatever the cursor remembers
  OtherRows others = OtherRows::kStay;
  bool anew_was_asked = false;  // by `hakobu repair --recopy`
  bool new_key = false;         // with from_start: the target's rows were merged by another key
  std::vector<std::string> notes;
  std::string where;             // the configuration's filter and the cursor's window
  std::optional<uint64_t> rows;  // that are delivered, where that is known before
};

// Problems of several tables at once, in one status. The gravest kind names it: DataLoss (a refusal) only
// when there is nothing else.
class Problems {
 public:
  // `table`: whose trouble it is, and no other's; empty: nothing can be delivered.
  void Add(const absl::Status& status, std::string table = "") {
    if (!status.ok()) list_.push_back({std::move(table), status});
  }
  bool empty() const { return list_.empty(); }
  absl::Status Status() const;

  struct Problem {
    std::string table;
    absl::Status status;
  };
  const std::vector<Problem>& list() const { return list_; }

 private:
  std::vector<Problem> list_;
};

// The source's tables that the configuration names and `wanted` picks ("members", "shop.members", globs;
// empty: all), in the order of the configuration: those that `hakobu run` delivers, or those of mode: stream.
// What matches nothing is a problem.
enum class DeliveredBy : uint8_t { kRun, kStream };
std::vector<TableWork> SelectTables(const Config& config, const std::vector<std::string>& wanted,
                                    Connection* source, Problems* problems,
                                    DeliveredBy delivered_by = DeliveredBy::kRun);

// Fills columns, schema, mode and target from source and options.
absl::Status MapTable(const Config& config, TableWork* work);

// A digest of all that decides the delivered bytes: a run may continue another only when it is equal.
std::string Fingerprint(const Config& config, const std::vector<TableWork>& tables);

// The delivered columns as the ledger keeps them: name, type, source column, its declared type and place.
std::string SchemaJson(const TableWork& work);

}  // namespace hakobu
