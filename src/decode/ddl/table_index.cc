// Indexes: their names, and what they make of the columns.
#include <fmt/format.h>

#include <algorithm>

#include "decode/ddl/collation.h"
#include "decode/ddl/table_editor.h"
#include "row/name_fold.h"

namespace hakobu::ddl {
namespace {

constexpr uint64_t kLongestKeyBytes = 3072;  // InnoDB's

const SourceColumn* FindColumn(const TableDefinition& table, std::string_view name) {
  for (const SourceColumn& column : table.table.columns) {
    if (SameName(column.name, name)) return &column;
  }
  return nullptr;
}

bool HasIndex(const TableDefinition& table, std::string_view name) {
  return std::any_of(table.indexes.begin(), table.indexes.end(),
                     [&](const TableIndex& index) { return SameName(index.name, name); });
}

// The first column's name, then with _2, _3 … (make_unique_key_name in sql_table.cc).
std::string FreeName(const TableDefinition& table, std::string_view first) {
  const std::string base = first.empty() ? "functional_index" : std::string(first);
  if (!HasIndex(table, base) && !SameName(base, "PRIMARY")) return base;
  for (int number = 2; number < 100; ++number) {
    std::string name = fmt::format("{}_{}", base, number);
    if (!HasIndex(table, name)) return name;
  }
  return base;
}

bool IsText(const SourceColumn& column) {
  return column.type == SourceType::kText || column.type == SourceType::kJson ||
         column.type == SourceType::kBlob;
}

bool TakesPrefix(const SourceColumn& column) {
  return IsText(column) || column.type == SourceType::kChar || column.type == SourceType::kVarchar ||
         column.type == SourceType::kBinary || column.type == SourceType::kVarbinary;
}

// The prefix that MariaDB gives a geometry in an index that states none; 0: the column is none.
uint64_t GeometryPrefix(const SourceColumn& column) {
  if (column.type != SourceType::kGeometry) return 0;
  return column.geometry == "point" ? 25 : 8;
}

// MariaDB makes unique indexes over what is too long for a tree out of hashes. A geometry is, unless it is a
// point, until the next ALTER TABLE: by then it has a prefix.
bool IsHashed(const TableDefinition& table, const TableIndex& index, bool is_new) {
  uint64_t bytes = 0;
  for (const IndexPart& part : index.parts) {
    const SourceColumn* column = FindColumn(table, part.column);
    if (column != nullptr && is_new && GeometryPrefix(*column) == 8) return true;
    if (column == nullptr || !TakesPrefix(*column)) continue;
    if (IsText(*column) && part.prefix == 0) return true;
    const uint64_t characters = part.prefix != 0 ? part.prefix : column->length;
    bytes += characters * BytesPerCharacter(column->charset).most;
  }
  return bytes > kLongestKeyBytes;
}

// The server's index for a foreign key is not made where another begins with its columns.
bool IsCovered(const TableDefinition& table, const KeyDefinition& key) {
  return std::any_of(table.indexes.begin(), table.indexes.end(), [&](const TableIndex& index) {
    if (index.parts.size() < key.parts.size()) return false;
    for (size_t i = 0; i < key.parts.size(); ++i) {
      if (!SameName(index.parts[i].column, key.parts[i].column)) return false;
    }
    return true;
  });
}

}  // namespace

void AddIndex(const KeyDefinition& key, const DdlContext& context, TableDefinition* table) {
  if (key.type == KeyDefinition::Type::kForeign && IsCovered(*table, key)) return;
  if (key.parts.empty()) return;
  TableIndex index;
  index.unique = key.type == KeyDefinition::Type::kPrimary || key.type == KeyDefinition::Type::kUnique;
  index.visible = key.visible;
  for (const KeyPart& part : key.parts) {
    const SourceColumn* column = FindColumn(*table, part.column);
    IndexPart& made = index.parts.emplace_back();
    if (column == nullptr) continue;
    made.column = column->name;
    const bool shorter = part.prefix && (IsText(*column) || *part.prefix < column->length);
    if (shorter && TakesPrefix(*column)) made.prefix = *part.prefix;
    if (context.dialect == Dialect::kMariaDb && made.prefix == 0) made.prefix = GeometryPrefix(*column);
  }
  index.name = key.type == KeyDefinition::Type::kPrimary ? "PRIMARY"
               : key.name.empty()                        ? FreeName(*table, index.parts[0].column)
                                                         : key.name;
  if (key.if_not_exists && HasIndex(*table, index.name)) return;
  index.hash = HashesKey(*table, index, context, true);
  table->indexes.push_back(std::move(index));
}

bool HashesKey(const TableDefinition& table, const TableIndex& index, const DdlContext& context,
               bool is_new) {
  return context.dialect == Dialect::kMariaDb && index.unique && !index.primary() &&
         IsHashed(table, index, is_new);
}

void SettleKeys(TableDefinition* table) {
  for (const TableIndex& index : table->indexes) {
    if (!index.primary()) continue;
    for (const IndexPart& part : index.parts) {
      for (SourceColumn& column : table->table.columns) {
        if (column.name == part.column) column.nullable = false;
      }
    }
  }
  table->table.key = ChooseKey(table->table, table->indexes);
}

}  // namespace hakobu::ddl
