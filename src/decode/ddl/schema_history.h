// Tables as they are at one place of the log: begins with what information_schema said at some position and
// follows every statement after it.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "decode/ddl/statement.h"
#include "row/table_definition.h"

namespace hakobu::ddl {

struct ColumnEffect {
  enum class Kind : uint8_t {
    kAdded,
    kDropped,
    kRenamed,  // name is the new one, before the old one
    kRetyped,  // another type, length, sign, list of labels: `declared` differs
    kCharset,  // another character set (a collation alone is none)
    kNullability,
    kMoved,       // another place among the columns that stayed
    kRecomputed,  // a generated column is defined anew: its values may be others, of the same type
  };
  Kind kind = Kind::kAdded;
  std::string name;    // after the change; of a dropped column, its old name
  std::string before;  // kRenamed: the old name
  // kAdded: what the rows that were there hold in it now, with no row event to say so.
  DefaultKind fill = DefaultKind::kNull;  // kExpression: computed, or not known here
  std::string constant;                   // for kConstant, as text: "0", "new"
  friend bool operator==(const ColumnEffect&, const ColumnEffect&) = default;
};

struct TableEffect {
  enum class Kind : uint8_t {
    kCreated,   // new and empty (rows of CREATE … SELECT follow as row events)
    kReplaced,  // CREATE OR REPLACE: dropped and created
    kDropped,
    kRenamed,  // table is the old name, to the new one
    kTruncated,
    kAltered,            // columns and key_changed say what; both may be empty (ENGINE=…)
    kRowsChangedUnseen,  // partition dropped, truncated or exchanged; statement-format changes: rows differ
                         // without row events, so the destination must be compared or copied again
    kUnknown,            // reason; the history no longer vouches for the table
  };
  Kind kind = Kind::kAltered;
  TableName table;
  TableName to;
  std::vector<ColumnEffect> columns;
  bool key_changed = false;  // the key that stands for a row has other columns
  std::string reason;        // for kRowsChangedUnseen and kUnknown: as a phrase
};

enum class Knowledge : uint8_t {
  kKnown,
  kUnknownTable,  // never seen, or dropped
  kUncertain,     // seen, then changed by something that could not be followed
};

// Not thread-safe. Memory: the tables' definitions only; a caller that wants several positions copies it.
class SchemaHistory {
 public:
  SchemaHistory(Dialect dialect, bool lower_case_names)
      : dialect_(dialect), lower_case_names_(lower_case_names) {}

  // The state at some position. Tables given again are replaced.
  void AddDatabase(const DatabaseDefault& database);
  void AddTable(TableDefinition table);
  // For tables whose other indexes and default collation are not known: a later ALTER that depends on them
  // makes the table uncertain rather than guessing.
  void AddTable(SourceTable table);

  // Follows one change. Effects in order; only of tables that exist in the history, or that the change
  // creates (effects of kUnknown and kRowsChangedUnseen also for tables that do not).
  std::vector<TableEffect> Apply(const DdlChange& change, const DdlContext& context);

  // Null unless Known. Valid until the next Apply or AddTable.
  const SourceTable* Find(std::string_view database, std::string_view table) const;
  const TableDefinition* FindDefinition(std::string_view database, std::string_view table) const;
  Knowledge KnowledgeOf(std::string_view database, std::string_view table) const;
  std::string_view DatabaseCollation(std::string_view database) const;  // "" when unknown
  std::vector<TableName> Tables() const;                                // known and uncertain, sorted

  // One JSON object, and back. DataLoss when the text is none that ToJson made.
  std::string ToJson() const;
  static absl::StatusOr<SchemaHistory> FromJson(std::string_view json);

 private:
  friend class Applier;
  struct Entry {
    TableDefinition definition;
    bool complete = true;   // indexes and default collation are known
    std::string uncertain;  // why; "" when known
  };
  TableName Key(std::string_view database, std::string_view table) const;

  Dialect dialect_;
  bool lower_case_names_;
  std::map<TableName, Entry> tables_;
  std::map<std::string, std::string> database_collations_;
};

}  // namespace hakobu::ddl
