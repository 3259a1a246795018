// A table with all that later DDL depends on: what a SourceTable has, and its default collation and indexes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "row/source_table.h"

namespace hakobu {

struct IndexPart {
  std::string column;   // "": an expression
  uint64_t prefix = 0;  // only so many of the column's first characters or bytes; 0: all of it
  friend bool operator==(const IndexPart&, const IndexPart&) = default;
};

struct TableIndex {
  std::string name;  // "PRIMARY" for the primary key
  std::vector<IndexPart> parts;
  bool unique = false;
  bool visible = true;  // false: the optimizer must not use it
  bool hash = false;    // MariaDB's unique indexes over whole texts, MEMORY's: cannot be ranged over
  bool primary() const { return name == "PRIMARY"; }
  friend bool operator==(const TableIndex&, const TableIndex&) = default;
};

struct TableDefinition {
  SourceTable table;
  std::string collation;  // the table's default, for columns added without one
  std::vector<TableIndex> indexes;
};

// A database's default collation, for tables created without one.
struct DatabaseDefault {
  std::string database;
  std::string collation;
};

// The index that stands for a row: the primary key, else of the unique ones whose parts are all whole columns
// that are NOT NULL the one with the fewest columns, those that begin with an integer first, then by name.
std::optional<SourceKey> ChooseKey(const SourceTable& table, const std::vector<TableIndex>& indexes);

}  // namespace hakobu
