// What a statement of the log says about tables: the parser's output, before it meets the tables that exist.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace hakobu::ddl {

enum class Dialect : uint8_t { kMySql, kMariaDb };

// What a statement's meaning depends on beside its text.
struct DdlContext {
  std::string database;  // the session's, for names without one
  Dialect dialect = Dialect::kMySql;
  uint32_t version = 90700;       // of the server that wrote the log: 50744, 101106
  bool lower_case_names = false;  // lower_case_table_names is not 0
  bool ansi_quotes = false;
  bool no_backslash_escapes = false;
  bool real_as_float = false;
  bool strict = true;
  bool oracle = false;              // MariaDB's sql_mode=ORACLE
  bool maxdb = false;               // sql_mode=MAXDB of MariaDB and MySQL 5.7
  bool explicit_timestamps = true;  // explicit_defaults_for_timestamp
  uint16_t error_code =
      0;  // the statement failed on the source after it had done a part: that part is logged
  std::string client_charset = "utf8mb4";  // of the statement's text
  std::string server_collation;   // the session's, for CREATE DATABASE; "": the dialect's own default
  std::string utf8mb4_collation;  // default_collation_for_utf8mb4; "": the dialect's own default
};

struct TableName {
  std::string database;
  std::string table;
  friend auto operator<=>(const TableName&, const TableName&) = default;
};

enum class Tristate : uint8_t { kUnstated, kYes, kNo };

// What rows get that are there when the column is added.
enum class DefaultKind : uint8_t { kNone, kNull, kConstant, kExpression };

// A column as a statement defines it. Character sets and collations lower-case, as written ("utf8").
struct ColumnDefinition {
  std::string name;
  std::string type;  // canonical, lower-case: "int", "double", "varchar", "nchar" … "geomcollection"
  std::optional<uint64_t> length;  // the first number in parentheses
  std::optional<uint64_t> scale;   // the second
  std::vector<std::string> labels;
  bool is_unsigned = false;
  bool zerofill = false;
  bool binary_collation = false;  // the BINARY attribute
  bool compressed = false;        // MariaDB's COMPRESSED columns
  std::string charset;
  std::string collation;
  Tristate nullable = Tristate::kUnstated;
  bool auto_increment = false;
  bool serial = false;  // the type SERIAL: its own AUTO_INCREMENT, and MySQL lets it be NULL
  bool primary = false;
  bool unique = false;
  DefaultKind default_kind = DefaultKind::kNone;
  std::string constant;  // for kConstant: "-1", "abc"
  bool generated = false;
  bool stored = false;
  bool row_end = false;     // GENERATED ALWAYS AS ROW END
  bool json_check = false;  // CHECK (json_valid(itself))
  Tristate visible = Tristate::kUnstated;
  std::optional<uint32_t> srid;
  std::string comment;
};

struct KeyPart {
  std::string column;  // "": an expression
  std::optional<uint64_t> prefix;
};

struct KeyDefinition {
  enum class Type : uint8_t { kPrimary, kUnique, kPlain, kForeign };
  Type type = Type::kPlain;
  std::string name;  // "": the server makes one
  std::vector<KeyPart> parts;
  bool visible = true;
  bool btree = false, hash = false;  // USING
  bool if_not_exists = false;
};

struct TableOptions {
  bool has_charset = false;  // CHARSET or COLLATE was given
  std::string charset;
  std::string collation;
  std::optional<std::string> comment;
  std::optional<std::string> engine;  // lower-case
};

// Where ADD and MODIFY put a column.
struct Place {
  enum class Kind : uint8_t { kUnstated, kFirst, kAfter };
  Kind kind = Kind::kUnstated;
  std::string after;
};

struct AddColumn {
  ColumnDefinition column;
  Place place;
  bool if_not_exists = false;
};
struct DropColumn {
  std::string name;
  bool if_exists = false;
};
struct ChangeColumn {  // MODIFY has the same name twice
  std::string name;
  ColumnDefinition column;
  Place place;
  bool if_exists = false;
};
struct RenameColumn {
  std::string from, to;
};
struct SetVisibility {  // ALTER COLUMN … SET VISIBLE
  std::string column;
  bool visible = true;
};
struct AddKey {
  KeyDefinition key;
};
struct DropKey {  // "PRIMARY" for the primary key
  std::string name;
};
struct RenameKey {
  std::string from, to;
};
struct SetKeyVisibility {
  std::string name;
  bool visible = true;
};
struct ConvertCharset {  // of the table and all its columns; both "": to the database's default
  std::string charset, collation;
};
struct SetOptions {
  TableOptions options;
};
struct RenameTo {
  TableName name;
};
// Rows vanish or come without row events.
struct PartitionData {
  enum class Kind : uint8_t { kDrop, kTruncate, kExchange, kConvertOut, kConvertIn, kDiscardOrImport };
  Kind kind = Kind::kDrop;
  TableName other;  // EXCHANGE … WITH TABLE, CONVERT … TABLE
};
struct AddJsonCheck {  // CHECK (json_valid(column))
  std::string column;
};
struct SystemVersioning {
  bool on = true;
};

using AlterAction = std::variant<AddColumn, DropColumn, ChangeColumn, RenameColumn, SetVisibility, AddKey,
                                 DropKey, RenameKey, SetKeyVisibility, ConvertCharset, SetOptions, RenameTo,
                                 PartitionData, AddJsonCheck, SystemVersioning>;

enum class DdlKind : uint8_t {
  kCreateDatabase,  // database, options, if_not_exists, or_replace
  kAlterDatabase,   // database, options
  kDropDatabase,    // database
  kCreateTable,     // table, columns, keys, options; like; as_select; or_replace, if_not_exists, temporary
  kAlterTable,      // table, actions; CREATE INDEX and DROP INDEX too
  kDropTable,       // table (one change per table of the statement), temporary
  kDropView,        // table
  kRenameTable,     // table, to (one change per pair, in order)
  kTruncateTable,   // table
  kDataStatement,   // tables: rows changed in statement format, without row events
  kOther,           // nothing a table's rows or columns could come to know: GRANT, CREATE VIEW …
  kUnknown,         // tables, as far as they can be told: something may have changed, nobody can say what
};

struct DdlChange {
  DdlKind kind = DdlKind::kOther;
  std::string verb;  // the statement's first words, upper-case: "ALTER TABLE"
  std::string database;
  TableName table;
  TableName to;
  std::vector<TableName> tables;
  std::vector<ColumnDefinition> columns;
  std::vector<KeyDefinition> keys;
  std::vector<std::string> json_checks;  // columns that a table's CHECK (json_valid(c)) names
  std::vector<AlterAction> actions;
  TableOptions options;
  std::optional<TableName> like;
  bool as_select = false;  // columns the statement does not list may come from the SELECT
  bool or_replace = false;
  bool if_exists = false;
  bool if_not_exists = false;
  bool temporary = false;
  bool system_versioning = false;
  bool ignore = false;                 // ALTER IGNORE: rows that do not fit are removed
  bool may_concern_any_table = false;  // kUnknown: the tables it names are not all
  std::string text;     // kUnknown, then: lower-case; a table that it does not contain is not meant
  std::string problem;  // kUnknown: what could not be read
};

}  // namespace hakobu::ddl
