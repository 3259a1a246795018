#include "source/schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "absl/container/flat_hash_map.h"

namespace hakobu {
namespace {

using Row = std::vector<std::optional<std::string>>;
using TableMap = absl::flat_hash_map<std::string, TableDefinition*>;

constexpr size_t kNamesPerQuery = 500;
// MariaDB looks tables up in a folder's list of files, where one that an ALTER is just giving its new file is
// missing for a moment. One that is asked for by its whole name is waited for.
constexpr size_t kNamesPerMariadbQuery = 1;
constexpr int kReadings = 20;

std::string_view Text(const std::optional<std::string>& value) {
  return value ? *value : std::string_view();
}

uint64_t Number(const std::optional<std::string>& value) {
  uint64_t number = 0;
  if (value) std::from_chars(value->data(), value->data() + value->size(), number);
  return number;
}

// ` AND <column> IN ('a', 'b')`
std::string NameFilter(std::string_view column, const std::vector<std::string>& names) {
  if (names.size() == 1) return fmt::format(" AND {} = {}", column, QuoteText(names[0]));
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ", ") + QuoteText(name);
  return fmt::format(" AND {} IN ({})", column, list);
}

TableDefinition* FindDefinition(const TableMap& tables, const std::optional<std::string>& name) {
  const auto found = tables.find(std::string(Text(name)));  // exact: the server's comparison ignores case
  return found == tables.end() ? nullptr : found->second;
}

SourceTable* Find(const TableMap& tables, const std::optional<std::string>& name) {
  TableDefinition* definition = FindDefinition(tables, name);
  return definition == nullptr ? nullptr : &definition->table;
}

SourceColumn* FindColumn(SourceTable* table, std::string_view name) {
  for (SourceColumn& column : table->columns) {
    if (column.name == name) return &column;
  }
  return nullptr;
}

// What information_schema says of some tables, statement by statement.
struct Answers {
  std::vector<Row> tables;
  std::vector<Row> columns;
  std::vector<Row> checks;
  std::vector<Row> references;
  std::vector<Row> keys;
  friend bool operator==(const Answers&, const Answers&) = default;
};

constexpr size_t kTableRows = 1;  // places in Answers::tables
constexpr size_t kDataLength = 2;

class SchemaReader {
 public:
  SchemaReader(Connection* connection, std::string_view database)
      : connection_(connection), database_(database), quoted_database_(QuoteText(database)) {}

  // Fills what is in `names`, a part of the tables.
  absl::Status Read(const std::vector<std::string>& names, const TableMap& tables) {
    HAKOBU_ASSIGN_OR_RETURN(const Answers answers, AskForOneMoment(names));
    TakeTables(answers.tables, tables);
    TakeColumns(answers.columns, tables);
    TakeJsonChecks(answers.checks, tables);
    TakeSpatialReferences(answers.references, tables);
    TakeKeys(answers.keys, tables);
    return absl::OkStatus();
  }
  std::vector<std::string> unknown_types;  // "table.column type"

 private:
  // Each statement speaks of a moment of its own: a table that is altered would have the columns of before
  // and the keys of after.
  absl::StatusOr<Answers> AskForOneMoment(const std::vector<std::string>& names) {
    // MariaDB's statements each wait for the ALTER that they meet, so that they fall between two of them.
    if (connection_->flavor() == ServerFlavor::kMariaDb && names.size() == 1) {
      const absl::Status held = Hold(names[0]);
      if (held.ok()) {
        absl::StatusOr<Answers> answers = Ask(names);
        HAKOBU_RETURN_IF_ERROR(connection_->Execute("COMMIT"));
        return answers;
      }
      HAKOBU_RETURN_IF_ERROR(connection_->Execute("COMMIT"));  // no such table, no right, locked by somebody
    }
    return AskUntilTheSame(names);
  }
  // Begins a transaction that has opened the table, as any reader does: nobody alters it before its end.
  absl::Status Hold(const std::string& name) {
    HAKOBU_RETURN_IF_ERROR(connection_->Execute("START TRANSACTION READ ONLY"));
    return connection_
        ->Query(fmt::format("SET STATEMENT lock_wait_timeout = 1 FOR SELECT 1 FROM {}.{} LIMIT 0",
                            QuoteIdentifier(database_), QuoteIdentifier(name)))
        .status();
  }
  absl::StatusOr<Answers> AskUntilTheSame(const std::vector<std::string>& names) {
    HAKOBU_ASSIGN_OR_RETURN(Answers before, Ask(names));
    for (int reading = 1; reading < kReadings; ++reading) {
      HAKOBU_ASSIGN_OR_RETURN(Answers after, Ask(names));
      for (size_t i = 0; i < std::min(before.tables.size(), after.tables.size()); ++i) {
        before.tables[i][kTableRows] = after.tables[i][kTableRows];  // guesses, which change at any time
        before.tables[i][kDataLength] = after.tables[i][kDataLength];
      }
      if (before == after) return after;
      before = std::move(after);
    }
    return absl::UnavailableError(
        fmt::format("{} changed between any two of {} readings", fmt::join(names, ", "), kReadings));
  }
  absl::StatusOr<std::vector<Row>> Rows(const std::string& sql, size_t columns) {
    HAKOBU_ASSIGN_OR_RETURN(QueryResult result, connection_->Query(sql, columns));
    return std::move(result.rows);
  }
  absl::StatusOr<Answers> Ask(const std::vector<std::string>& names);
  absl::StatusOr<std::vector<Row>> AskTables(const std::vector<std::string>& names);
  absl::StatusOr<std::vector<Row>> AskColumns(const std::vector<std::string>& names);
  absl::StatusOr<std::vector<Row>> AskJsonChecks(const std::vector<std::string>& names);
  absl::StatusOr<std::vector<Row>> AskSpatialReferences(const std::vector<std::string>& names);
  absl::StatusOr<std::vector<Row>> AskKeys(const std::vector<std::string>& names);
  static void TakeTables(const std::vector<Row>& rows, const TableMap& tables);
  void TakeColumns(const std::vector<Row>& rows, const TableMap& tables);
  static void TakeJsonChecks(const std::vector<Row>& rows, const TableMap& tables);
  static void TakeSpatialReferences(const std::vector<Row>& rows, const TableMap& tables);
  static void TakeKeys(const std::vector<Row>& rows, const TableMap& tables);

  Connection* connection_;
  std::string database_;
  std::string quoted_database_;
};

absl::StatusOr<Answers> SchemaReader::Ask(const std::vector<std::string>& names) {
  Answers answers;
  HAKOBU_ASSIGN_OR_RETURN(answers.tables, AskTables(names));
  HAKOBU_ASSIGN_OR_RETURN(answers.columns, AskColumns(names));
  if (connection_->flavor() == ServerFlavor::kMariaDb) {
    HAKOBU_ASSIGN_OR_RETURN(answers.checks, AskJsonChecks(names));
    HAKOBU_ASSIGN_OR_RETURN(answers.references, AskSpatialReferences(names));
  }
  HAKOBU_ASSIGN_OR_RETURN(answers.keys, AskKeys(names));
  return answers;
}

absl::StatusOr<std::vector<Row>> SchemaReader::AskTables(const std::vector<std::string>& names) {
  return Rows(
      fmt::format("SELECT TABLE_NAME, TABLE_ROWS, DATA_LENGTH, TABLE_COMMENT, TABLE_COLLATION, TABLE_TYPE "
                  "FROM information_schema.TABLES WHERE TABLE_SCHEMA = {}{} ORDER BY TABLE_NAME",
                  quoted_database_, NameFilter("TABLE_NAME", names)),
      6);
}

void SchemaReader::TakeTables(const std::vector<Row>& rows, const TableMap& tables) {
  for (const Row& row : rows) {
    TableDefinition* definition = FindDefinition(tables, row[0]);
    if (definition == nullptr) continue;
    definition->table.estimated_rows = Number(row[kTableRows]);
    definition->table.data_bytes = Number(row[kDataLength]);
    definition->table.comment = Text(row[3]);
    definition->collation = Text(row[4]);
    if (Text(row[5]) == "SYSTEM VERSIONED") definition->table.row_end = "row_end";  // unless a column says so
  }
}

absl::StatusOr<std::vector<Row>> SchemaReader::AskColumns(const std::vector<std::string>& names) {
  const bool mariadb = connection_->flavor() == ServerFlavor::kMariaDb;
  const bool has_srid = !mariadb && connection_->version_number() >= 80000;
  return Rows(fmt::format("SELECT TABLE_NAME, COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, IS_NULLABLE, "
                          "CHARACTER_MAXIMUM_LENGTH, NUMERIC_PRECISION, NUMERIC_SCALE, DATETIME_PRECISION, "
                          "CHARACTER_SET_NAME, COLLATION_NAME, EXTRA, COLUMN_COMMENT, {}, {} "
                          "FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = {}{} "
                          "ORDER BY TABLE_NAME, ORDINAL_POSITION",
                          has_srid ? "SRS_ID" : "NULL", mariadb ? "GENERATION_EXPRESSION" : "NULL",
                          quoted_database_, NameFilter("TABLE_NAME", names)),
              15);
}

void SchemaReader::TakeColumns(const std::vector<Row>& rows, const TableMap& tables) {
  for (const Row& row : rows) {
    SourceTable* table = Find(tables, row[0]);
    if (table == nullptr) continue;
    SourceColumn& column = table->columns.emplace_back();
    column.name = Text(row[1]);
    column.declared = Text(row[3]);
    column.nullable = Text(row[4]) == "YES";
    column.length = Number(row[5]);
    column.precision = static_cast<uint32_t>(Number(row[6]));
    column.scale = static_cast<uint32_t>(Number(row[7]));
    column.fraction = static_cast<uint32_t>(Number(row[8]));
    column.charset = Text(row[9]);
    column.collation = Text(row[10]);
    column.comment = Text(row[12]);
    if (row[13]) column.srid = static_cast<uint32_t>(Number(row[13]));
    ReadExtra(Text(row[11]), &column);
    if (Text(row[14]) == "ROW END" && !table->row_end.empty()) table->row_end = column.name;
    if (!ReadType(Text(row[2]), &column)) {
      unknown_types.push_back(fmt::format("{}.{} {}", table->name, column.name, column.declared));
    }
  }
}

absl::StatusOr<std::vector<Row>> SchemaReader::AskJsonChecks(const std::vector<std::string>& names) {
  return Rows(fmt::format("SELECT TABLE_NAME, CHECK_CLAUSE FROM information_schema.CHECK_CONSTRAINTS "
                          "WHERE CONSTRAINT_SCHEMA = {}{} ORDER BY TABLE_NAME, CONSTRAINT_NAME, CHECK_CLAUSE",
                          quoted_database_, NameFilter("TABLE_NAME", names)),
              2);
}

// MariaDB's JSON is LONGTEXT with a check on the column that reads json_valid(`name`).
void SchemaReader::TakeJsonChecks(const std::vector<Row>& rows, const TableMap& tables) {
  for (const Row& row : rows) {
    SourceTable* table = Find(tables, row[0]);
    if (table == nullptr) continue;
    for (SourceColumn& column : table->columns) {
      const bool is_json = column.type == SourceType::kText &&
                           Text(row[1]) == fmt::format("json_valid({})", QuoteIdentifier(column.name));
      if (is_json) column.type = SourceType::kJson;
    }
  }
}

absl::StatusOr<std::vector<Row>> SchemaReader::AskSpatialReferences(const std::vector<std::string>& names) {
  return Rows(
      fmt::format("SELECT G_TABLE_NAME, G_GEOMETRY_COLUMN, SRID FROM information_schema.GEOMETRY_COLUMNS "
                  "WHERE G_TABLE_SCHEMA = {}{} ORDER BY G_TABLE_NAME, G_GEOMETRY_COLUMN",
                  quoted_database_, NameFilter("G_TABLE_NAME", names)),
      3);
}

void SchemaReader::TakeSpatialReferences(const std::vector<Row>& rows, const TableMap& tables) {
  for (const Row& row : rows) {
    SourceTable* table = Find(tables, row[0]);
    SourceColumn* column = table == nullptr ? nullptr : FindColumn(table, Text(row[1]));
    // 0 is what a column without a reference system shows there.
    if (column != nullptr && Number(row[2]) != 0) column->srid = static_cast<uint32_t>(Number(row[2]));
  }
}

absl::StatusOr<std::vector<Row>> SchemaReader::AskKeys(const std::vector<std::string>& names) {
  const bool mariadb = connection_->flavor() == ServerFlavor::kMariaDb;
  // An index that the optimizer must not use cannot be forced either.
  const std::string_view visible = mariadb                                  ? "IGNORED = 'NO'"
                                   : connection_->version_number() >= 80000 ? "IS_VISIBLE = 'YES'"
                                                                            : "TRUE";
  return Rows(fmt::format("SELECT TABLE_NAME, INDEX_NAME, COLUMN_NAME, SUB_PART, INDEX_TYPE, NON_UNIQUE, {} "
                          "FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = {}{} "
                          "ORDER BY TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX",
                          visible, quoted_database_, NameFilter("TABLE_NAME", names)),
              7);
}

void SchemaReader::TakeKeys(const std::vector<Row>& rows, const TableMap& tables) {
  for (const Row& row : rows) {
    TableDefinition* definition = FindDefinition(tables, row[0]);
    if (definition == nullptr) continue;
    std::vector<TableIndex>& indexes = definition->indexes;
    if (indexes.empty() || indexes.back().name != Text(row[1])) {
      TableIndex& index = indexes.emplace_back();
      index.name = Text(row[1]);
      index.unique = Text(row[5]) == "0";
      index.visible = Text(row[6]) == "1";
      index.hash = Text(row[4]) == "HASH";
    }
    if (!indexes.back().parts.empty() && Text(row[2]) == definition->table.row_end && row[2]) continue;
    indexes.back().parts.push_back({std::string(Text(row[2])), Number(row[3])});  // NULL: an expression
  }
}

}  // namespace

absl::StatusOr<std::string> DatabaseSpelling(Connection* connection, std::string_view database) {
  const auto result = connection->Query(fmt::format(
      "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = {}", QuoteText(database)));
  if (!result.ok()) return Annotate(result.status(), fmt::format("look for the database {}", database));
  std::string spelling(database);
  for (const Row& row : result->rows) {
    if (Text(row[0]) == database) return spelling;  // two that differ in case alone: the very one
  }
  if (!result->rows.empty() && result->rows[0][0]) spelling = *result->rows[0][0];
  return spelling;
}

absl::StatusOr<std::vector<SourceTable>> ReadTables(Connection* connection, std::string_view database,
                                                    const std::vector<std::string>& names) {
  HAKOBU_ASSIGN_OR_RETURN(std::vector<TableDefinition> definitions,
                          ReadTableDefinitions(connection, database, names));
  std::vector<SourceTable> tables;
  tables.reserve(definitions.size());
  for (TableDefinition& definition : definitions) tables.push_back(std::move(definition.table));
  return tables;
}

absl::StatusOr<std::vector<DatabaseDefault>> ReadDatabaseDefaults(Connection* connection) {
  auto result = connection->Query(
      "SELECT SCHEMA_NAME, DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA ORDER BY SCHEMA_NAME", 2);
  if (!result.ok()) return Annotate(result.status(), "list the databases");
  std::vector<DatabaseDefault> databases;
  for (const Row& row : result->rows) {
    databases.push_back({std::string(Text(row[0])), std::string(Text(row[1]))});
  }
  return databases;
}

absl::StatusOr<std::vector<TableDefinition>> ReadTableDefinitions(Connection* connection,
                                                                  std::string_view database,
                                                                  const std::vector<std::string>& names) {
  std::vector<std::string> wanted = names;
  if (wanted.empty()) {
    HAKOBU_ASSIGN_OR_RETURN(wanted, ListTables(connection, database));
  }
  std::vector<TableDefinition> tables(wanted.size());
  TableMap by_name;
  for (size_t i = 0; i < wanted.size(); ++i) {
    tables[i].table.database = database;
    tables[i].table.name = wanted[i];
    by_name[wanted[i]] = &tables[i];
  }
  SchemaReader reader(connection, database);
  const size_t per_query =
      connection->flavor() == ServerFlavor::kMariaDb ? kNamesPerMariadbQuery : kNamesPerQuery;
  for (size_t begin = 0; begin < wanted.size(); begin += per_query) {
    const size_t end = std::min(wanted.size(), begin + per_query);
    const absl::Status read = reader.Read({wanted.begin() + static_cast<std::ptrdiff_t>(begin),
                                           wanted.begin() + static_cast<std::ptrdiff_t>(end)},
                                          by_name);
    if (!read.ok()) return Annotate(read, fmt::format("read the schema of {}", database));
  }
  std::string missing;
  for (TableDefinition& definition : tables) {
    definition.table.key = ChooseKey(definition.table, definition.indexes);
    if (definition.table.columns.empty()) missing += (missing.empty() ? "" : ", ") + definition.table.name;
  }
  if (!missing.empty()) {
    return WithHint(absl::NotFoundError(fmt::format("read the schema of {}: no table {}", database, missing)),
                    "check the name's spelling and case, and that the user may SELECT from it");
  }
  if (!reader.unknown_types.empty()) {
    return WithHint(absl::UnimplementedError(fmt::format("read the schema of {}: unknown types: {}", database,
                                                         fmt::join(reader.unknown_types, ", "))),
                    "exclude these columns");
  }
  return tables;
}

absl::StatusOr<SourceTable> ReadTable(Connection* connection, std::string_view database,
                                      std::string_view name) {
  HAKOBU_ASSIGN_OR_RETURN(std::vector<SourceTable> tables,
                          ReadTables(connection, database, {std::string(name)}));
  return std::move(tables[0]);
}

}  // namespace hakobu
