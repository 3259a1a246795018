// A table's definition made and changed by statements, apart from all other tables.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "decode/ddl/schema_history.h"
#include "decode/ddl/statement.h"
#include "row/table_definition.h"

namespace hakobu::ddl {

// CREATE TABLE with a list of columns. FailedPrecondition, Unimplemented: it cannot be told what the server
// made of it.
absl::StatusOr<TableDefinition> MakeTable(const DdlChange& change, std::string_view database_collation,
                                          const DdlContext& context);

struct EditedTable {
  TableDefinition definition;
  std::vector<ColumnEffect> columns;
  bool key_changed = false;
};
// All actions of one ALTER TABLE but renames of the table and partition data.
absl::StatusOr<EditedTable> EditTable(const TableDefinition& before, const std::vector<AlterAction>& actions,
                                      std::string_view database_collation, const DdlContext& context);

// Columns that come to be, with where they come from; what differs is told by column.
struct ColumnOrigin {
  std::optional<size_t> before;  // place in the old table
  DefaultKind fill = DefaultKind::kNull;
  std::string constant;
  bool recomputed = false;  // its generating expression was given again
};
std::vector<ColumnEffect> CompareColumns(const std::vector<SourceColumn>& before,
                                         const std::vector<SourceColumn>& after,
                                         const std::vector<ColumnOrigin>& origins);

// Shared by both: primary keys make NOT NULL, and the key that stands for a row is chosen.
void AddIndex(const KeyDefinition& key, const DdlContext& context, TableDefinition* table);
// Whether MariaDB makes the unique index out of hashes, because a tree cannot hold it. `is_new`: by the
// statement that makes it, not by a later one that makes the table again.
bool HashesKey(const TableDefinition& table, const TableIndex& index, const DdlContext& context, bool is_new);
void SettleKeys(TableDefinition* table);

}  // namespace hakobu::ddl
