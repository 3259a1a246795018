// A table's contract: what it was delivered from, as and to. One record for each target, kept in the ledger,
// so that a later start can tell what has changed since, at the source, in the configuration or in BigQuery.
// No I/O.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "config/config.h"
#include "row/field.h"
#include "row/source_table.h"

namespace hakobu {

// What one row of the source becomes.
enum class ContractMode : uint8_t {
  kReplace,      // a whole new version with every run
  kAppend,       // rows are added, none is ever changed
  kIncremental,  // rows are upserted, none is deleted
  kUpsert,       // stream: one row a key
  kSoft,         // stream: one row a key, deleted ones stay
  kHistory,      // stream: a row a change
};
std::string_view ContractModeName(ContractMode mode);

// How one delivered column's values are made: equal forms make equal values of equal rows.
struct ColumnForm {
  std::string name;              // in BigQuery
  std::string type;              // GoogleSQL's: "INT64", "ARRAY<STRING>"
  std::string source;            // the source's column
  std::string conversion;        // "plain", "hex", "zoned" …
  std::string zone;              // IANA name, for "zoned"
  std::string mask;              // "none", "sha256", "null", "first_n(4)"
  std::string salt;              // a digest of the mask's salt, never the salt; empty: no salt
  bool invalid_as_text = false;  // values that the type cannot hold come as text
  bool operator==(const ColumnForm&) const = default;
};

// A column of the source's table, delivered or not.
struct SourceShape {
  std::string name;
  std::string declared;  // "varchar(20)"
  bool operator==(const SourceShape&) const = default;
};

struct TargetColumn {
  std::string name;
  std::string type;  // GoogleSQL's
  bool operator==(const TargetColumn&) const = default;
};

// Who a table of BigQuery is.
struct TargetIdentity {
  std::string kind;          // "TABLE", "VIEW" …
  int64_t created_ms = 0;    // since the epoch; 0: not known
  std::string partitioning;  // "none", "DAY of created_at", "0..100 by 10 of id"
  std::vector<std::string> clustering;
  std::vector<std::string> key;
  std::vector<TargetColumn> columns;
  bool operator==(const TargetIdentity&) const = default;
};

struct TableContract {
  std::string source;  // "shop.members"
  std::string target;  // "project.dataset.members"
  ContractMode mode = ContractMode::kReplace;
  // A history because the table had no key, not because the configuration asks for one.
  bool history_without_key = false;
  // Incremental: rows are being put in place anew in another form than this record's; some may be there.
  bool underway = false;
  std::string filter;  // a digest of the rows' condition; empty: all rows
  std::string cursor;  // incremental: the source's column that windows are made by
  // Streams, one row a key: how old a query's answer may be. Absent: not recorded.
  std::optional<int64_t> staleness_seconds;
  // Append: `found` held so many rows when this run had ended; what later runs added comes on top. Empty: it
  // held what runs have added and nothing else.
  std::string counted_run;
  uint64_t counted_rows = 0;
  std::vector<std::string> source_key;      // the source's columns that stand for a row
  std::vector<SourceShape> source_columns;  // all of them, in order
  std::vector<std::string> key;             // of the target, as delivered; empty: none
  std::vector<ColumnForm> columns;          // without the mode's own (`_hakobu_…`)
  std::optional<TargetIdentity> found;      // the target as it was when this was recorded
  bool operator==(const TableContract&) const = default;
};

std::string ContractToJson(const TableContract& contract);
// DataLoss when the text is no contract.
absl::StatusOr<TableContract> ContractFromJson(std::string_view json);

// The contract that the configuration and the source's definition make together. `schema`: the delivered
// fields; those whose source column is behind the table's are the mode's own and no part of it.
TableContract MakeContract(const SourceTable& source, const TableOptions& options, const TableSchema& schema,
                           ContractMode mode, std::string_view target);

// From BigQuery's Table resource. DataLoss when it is no JSON object.
absl::StatusOr<TargetIdentity> ReadTargetIdentity(std::string_view table_resource);

// What of a table is nobody's but the customer's, and would go with its object, in words: "labels team,
// cost", "policy tags on mail". From the Table resource alone: labels and words that the configuration itself
// gives do not count.
std::vector<std::string> WhatHangsOn(std::string_view table_resource, const TableOptions& options,
                                     std::string_view source_comment);

// What `ALTER COLUMN … SET DATA TYPE` takes [data-definition-language: alter_column_set_data_type_statement].
bool WidensType(std::string_view from, std::string_view to);

// The same text has the same digest, and no digest tells its text: 16 hex digits; empty for an empty text.
std::string ContractDigest(std::string_view text);

}  // namespace hakobu
