#include "tests/wire/ddl_script.h"

#include <array>
#include <string_view>

namespace hakobu::testing {
namespace {

constexpr std::array kNames = {"id",     "a",   "b",   "c",  "Total", "é",  "予約",
                               "select", "x y", "q`q", "_9", "9x",    "key"};

constexpr std::array kTypes = {
    "int",
    "INTEGER(7)",
    "int unsigned",
    "bigint(20) unsigned",
    "tinyint",
    "tinyint(1)",
    "TINYINT(1) UNSIGNED",
    "bool",
    "smallint zerofill",
    "mediumint",
    "int4",
    "int8",
    "decimal",
    "decimal(20,4)",
    "numeric(7)",
    "dec(5,5) unsigned",
    "FIXED(9,2)",
    "float",
    "float(20)",
    "float(30)",
    "float(7,3)",
    "double",
    "double precision",
    "real",
    "double(10,2)",
    "bit",
    "bit(17)",
    "year",
    "YEAR(4)",
    "date",
    "time",
    "time(3)",
    "datetime",
    "datetime(6)",
    "timestamp null",
    "timestamp(2) null",
    "char",
    "char(10)",
    "CHARACTER(4)",
    "char varying(9)",
    "varchar(20)",
    "character varying (30)",
    "VARCHAR(200)",
    "nchar(5)",
    "national varchar(6)",
    "nvarchar(7)",
    "varchar(10) binary",
    "char(6) byte",
    "char(7) ascii",
    "varchar(8) unicode",
    "text",
    "tinytext",
    "text(200)",
    "text(40)",
    "text(20000)",
    "MEDIUMTEXT",
    "longtext",
    "long",
    "long varchar",
    "long varbinary",
    "blob",
    "blob(100)",
    "blob(70000)",
    "tinyblob",
    "longblob",
    "binary",
    "binary(16)",
    "varbinary(30)",
    "enum('a','b')",
    "ENUM('x ','it''s', 'あ', \"d\\\"q\", 'c,d)')",
    "set('x','y','z')",
    "json",
    "geometry",
    "point",
    "geometrycollection",
    "multipolygon",
    "enum(_latin1'n\\'o', N'p')",
};

constexpr std::array kCharsets = {"utf8mb4", "utf8mb3", "utf8",  "latin1", "cp932", "ujis",  "sjis",
                                  "gbk",     "utf16",   "ascii", "binary", "ucs2",  "euckr", "latin2"};
constexpr std::array kCollations = {"utf8mb4_bin",       "utf8mb4_unicode_ci", "utf8_general_ci",
                                    "latin1_bin",        "latin1_swedish_ci",  "cp932_bin",
                                    "utf8mb4_general_ci"};
constexpr std::array kDefaults = {"1",  "-1", "'x'",  "NULL", "0",   "'2020-01-01'",
                                  "''", "+3", "0x41", "b'1'", "TRUE"};

template <typename List>
std::string Joined(const List& list, std::string_view separator = ", ") {
  std::string joined;
  for (const auto& each : list) {
    if (!joined.empty()) joined += separator;
    joined += each;
  }
  return joined;
}

bool IsWord(std::string_view name) {
  for (const char c : name) {
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<uint8_t>(c) >= 0x80 || c == '_' ||
          (c >= '0' && c <= '9'))) {
      return false;
    }
  }
  return name != "select" && name != "key" && name[0] != '_';
}

}  // namespace

DdlScript::DdlScript(uint32_t seed, bool mariadb, std::string database, ColumnsOf columns_of)
    : random_(seed), mariadb_(mariadb), database_(std::move(database)), columns_of_(std::move(columns_of)) {}

const std::vector<std::string>& DdlScript::Tables() {
  static const std::vector<std::string> tables = {"t1", "t2", "T3", "予約表", "t 5", "_t6_new"};
  return tables;
}

std::string DdlScript::Quoted(const std::string& name) {
  if (IsWord(name) && Chance(50)) return name;
  std::string quoted = "`";
  for (const char c : name) quoted += c == '`' ? "``" : std::string(1, c);
  return quoted + "`";
}

std::string DdlScript::TableRef(const std::string& database, const std::string& table) {
  if (database == databases()[0] && Chance(50)) return Quoted(table);  // the session's database
  return Quoted(database) + (Chance(10) ? " . " : ".") + Quoted(table);
}

std::string DdlScript::Table() {
  const std::string database = Chance(75) ? databases()[0] : databases()[1];
  const std::string table = Any(Tables());
  columns_ = columns_of_(database, table);
  return TableRef(database, table);
}

std::string DdlScript::Column() {
  if (columns_.empty() || Chance(3)) return Quoted(Any(kNames));
  std::string name = Any(columns_);
  if (Chance(5) && name[0] >= 'a' && name[0] <= 'z') name[0] = static_cast<char>(name[0] - 32);
  return Quoted(name);
}

std::string DdlScript::NewColumn() {
  if (Chance(50)) return Quoted(Any(kNames));
  return Quoted("n" + std::to_string(++serial_));
}

std::string DdlScript::Charset() {
  const char* word = Chance(50) ? "CHARACTER SET " : "charset ";
  if (Chance(70)) return word + Any(kCharsets);
  const std::string collation = Any(kCollations);
  if (Chance(50)) return "COLLATE " + collation;
  return word + collation.substr(0, collation.find('_')) + " collate '" + collation + "'";
}

std::string DdlScript::Type() {
  std::string type = Any(kTypes);
  // MariaDB makes '?' of labels that a later character set lacks; the history keeps what was written.
  if (const size_t label = type.find("あ"); mariadb_ && label != type.npos) type.replace(label, 3, "zz");
  const bool text =
      type.find("char") != type.npos || type.find("text") != type.npos || type.starts_with("enum");
  const bool plain = type.find("nchar") == type.npos && type.find("binary") == type.npos &&
                     type.find("byte") == type.npos && type.find("ascii") == type.npos &&
                     type.find("nvar") == type.npos && type.find("unicode") == type.npos &&
                     type.find("national") == type.npos && type.find("_latin1") == type.npos;
  if (text && plain && Chance(30)) {
    const std::string charset = Charset();
    // information_schema itself cannot show the labels of ENUMs in these.
    const bool wide = charset.find("ucs2") != charset.npos || charset.find("utf16") != charset.npos;
    if (!wide || !type.starts_with("enum")) type += " " + charset;
  }
  if (mariadb_ && Chance(3)) return Any(std::array{"uuid", "inet6", "inet4"});
  if (!mariadb_ && Chance(3)) return Any(std::array{"vector(3)", "geometry srid 4326", "geomcollection"});
  return type;
}

std::string DdlScript::Attributes() {
  std::string attributes;
  if (Chance(40)) attributes += " NOT NULL";
  if (Chance(15)) attributes += " DEFAULT " + Any(kDefaults);
  if (Chance(4)) attributes += " DEFAULT (1 + length('a)'))";
  if (Chance(4)) attributes += " UNIQUE";
  if (Chance(3)) attributes += " /* c */ COMMENT 'it''s, (a) `c`'";
  if (Chance(4)) attributes += " INVISIBLE";
  if (Chance(2)) attributes += " primary key";
  if (Chance(2)) attributes += " CHECK (1 > 0)";
  return attributes;
}

std::string DdlScript::Definition() {
  if (Chance(2)) return "SERIAL";
  if (Chance(2)) return "int AUTO_INCREMENT UNIQUE";
  if (Chance(5))
    return "int GENERATED ALWAYS AS (length('(a,b)') + 1) " + Any(std::array{"VIRTUAL", "STORED", ""}) +
           (Chance(30) && !mariadb_ ? " NOT NULL" : "");
  if (Chance(3))
    return "timestamp" +
           Any(std::array{"", " DEFAULT CURRENT_TIMESTAMP", "(3) DEFAULT now(3) ON UPDATE now(3)"});
  return Type() + Attributes();
}

std::string DdlScript::KeyParts() {
  std::string parts;
  const size_t count = 1 + Pick(3);
  for (size_t i = 0; i < count; ++i) {
    parts += (i == 0 ? "" : ", ") + Column();
    if (Chance(25)) parts += "(" + std::to_string(1 + Pick(20)) + ")";
    if (Chance(10)) parts += " DESC";
  }
  if (!mariadb_ && Chance(3)) parts += ", (" + std::to_string(Pick(9)) + " + 1)";
  return "(" + parts + ")";
}

std::string DdlScript::Element() {
  const std::string name = Chance(50) ? "k" + std::to_string(Pick(9)) : "";
  switch (Pick(6)) {
    case 0:
      return "PRIMARY KEY " + KeyParts();
    case 1:
    case 2:
      return "UNIQUE " + Any(std::array{"", "KEY", "index"}) + " " + name + " " + KeyParts();
    case 3:
      return Any(std::array{"KEY", "INDEX"}) + " " + name + Any(std::array{"", " USING BTREE"}) + KeyParts();
    case 4:
      return "CONSTRAINT " + name + " UNIQUE " + KeyParts();
    default:
      return "CHECK (1 = 1)";
  }
}

std::string DdlScript::TableOptions() {
  std::string options;
  if (Chance(30)) options += " DEFAULT " + Charset();
  if (Chance(20)) options += " ENGINE=InnoDB";
  if (Chance(10)) options += " COMMENT='t''s'";
  if (Chance(10))
    options +=
        Any(std::array{" ROW_FORMAT=DYNAMIC", " AUTO_INCREMENT = 7, STATS_PERSISTENT=0", " max_rows 100"});
  if (Chance(6)) options += " PARTITION BY HASH (1 + length('x')) PARTITIONS 3";
  return options;
}

std::string DdlScript::Place() {
  if (Chance(70)) return "";
  if (Chance(40)) return " FIRST";
  return " AFTER " + Column();
}

std::string DdlScript::Space() {
  static constexpr std::array kSpaces = {
      " ", " ", " ", " ", "\n", "\t ", " /* table t9 */ ", " -- x ' y\n", " # `\n", " /*! */ "};
  return Any(kSpaces);
}

std::string DdlScript::CreateTable() {
  const std::string table = Table();
  std::string head = "CREATE" + Space();
  if (mariadb_ && Chance(10)) head += "OR REPLACE ";
  head += (Chance(50) ? "table" : "TABLE") + Space();
  if (Chance(30)) head += "IF NOT EXISTS ";
  head += table + Space();
  if (Chance(12)) {
    const std::string model = TableRef(AnyDatabase(), Any(Tables()));
    return head + (Chance(50) ? "LIKE " + model : "(LIKE " + model + ")");
  }
  if (Chance(8)) {
    const std::string model = TableRef(AnyDatabase(), Any(Tables()));
    return head +
           Any(std::array{"AS SELECT * FROM ", "(extra int) SELECT * FROM ", "IGNORE SELECT * FROM "}) +
           model;
  }
  std::vector<std::string> names;
  for (const char* name : kNames) {
    if (Chance(50)) names.emplace_back(name);
  }
  if (names.empty()) names.emplace_back("id");
  columns_ = names;
  std::vector<std::string> elements;
  for (size_t i = 0; i < names.size(); ++i) {
    elements.push_back(Quoted(names[i]) + Space() + Definition());
    if (i == 0 && Chance(40)) elements.back() = Quoted(names[i]) + " int PRIMARY KEY";
  }
  while (Chance(35)) elements.push_back(Element());
  return head + "(" + Joined(elements, Chance(50) ? "," : ",\n  ") + ")" + TableOptions();
}

std::string DdlScript::AlterAction() {
  const std::string column_word = Any(std::array{"", "COLUMN "});
  switch (Pick(20)) {
    case 0:
    case 1:
    case 2:
    case 3:
      return "ADD " + column_word + (mariadb_ && Chance(10) ? "IF NOT EXISTS " : "") + NewColumn() + " " +
             Definition() + Place();
    case 4:
      return "ADD " + column_word + "(" + NewColumn() + " " + Definition() + ", " + NewColumn() + " " +
             Type() + ")";
    case 5:
    case 6:
      return "DROP " + column_word + (mariadb_ && Chance(10) ? "IF EXISTS " : "") + Column();
    case 7:
    case 8:
    case 9:
      return "MODIFY " + column_word + Column() + " " + Definition() + Place();
    case 10:
    case 11:
      return "CHANGE " + column_word + Column() + " " + (Chance(60) ? NewColumn() : Column()) + " " +
             Definition() + Place();
    case 12:
      return "RENAME COLUMN " + Column() + " TO " + NewColumn();
    case 13:
      return "ALTER " + column_word + Column() +
             Any(std::array{" SET DEFAULT 5", " DROP DEFAULT", " SET DEFAULT 'a, b'"});
    case 14:
      return "ADD " + Element();
    case 15:
      return Any(std::array{"DROP PRIMARY KEY", "DROP KEY k1", "DROP INDEX k2", "DROP INDEX a", "DROP KEY k3",
                            "DROP CONSTRAINT k4"});
    case 16:
      if (Chance(50)) {
        // MySQL 9.7 loses a SET's labels, and its rows' values, on their way to these.
        const std::string charset = Any(kCharsets);
        return "CONVERT TO CHARACTER SET " + (charset == "ucs2" || charset == "utf16" ? "utf8mb4" : charset);
      }
      return "DEFAULT " + Charset();
    case 17:
      return Any(std::array{"ENGINE=InnoDB", "FORCE", "ALGORITHM=COPY", "COMMENT 'x,y'", "LOCK=DEFAULT",
                            "ENABLE KEYS"});
    case 18:
      return mariadb_ ? "RENAME INDEX k5 TO k6"
                      : "ALTER COLUMN " + Column() + Any(std::array{" SET VISIBLE", " SET INVISIBLE"});
    default:
      return mariadb_ ? "ALTER INDEX k1 " + Any(std::array{"IGNORED", "NOT IGNORED"})
                      : "ALTER INDEX k1 " + Any(std::array{"VISIBLE", "INVISIBLE"});
  }
}

std::string DdlScript::AlterTable() {
  const std::string table = Table();
  std::string statement = "ALTER" + Space() + "TABLE" + Space() + table + Space() + AlterAction();
  while (Chance(35)) {
    const std::string action = AlterAction();
    // Two character sets in one statement mean different things to different servers: the history gives such
    // a table up.
    const auto sets_charset = [](std::string_view text) {
      return text.find("CONVERT TO ") != text.npos || text.find("DEFAULT c") != text.npos ||
             text.find("DEFAULT C") != text.npos;
    };
    if (!sets_charset(action) || !sets_charset(statement)) statement += "," + Space() + action;
  }

  // MariaDB 10.11 leaves the table where it was as well when its name is not plain and the statement moves it
  // to another database and changes it.
  const bool plain = table.find("t 5") == table.npos && table.find("予約表") == table.npos;
  if (Chance(5) && (plain || !mariadb_))
    statement += ", RENAME " + Any(std::array{"TO ", "AS ", ""}) + TableRef(AnyDatabase(), Any(Tables()));
  if (Chance(5) && !mariadb_) statement += ", ALGORITHM=INPLACE";
  return statement;
}

std::string DdlScript::Insert() {
  return "INSERT IGNORE INTO " + Table() + " () VALUES ()";
}

std::string DdlScript::Other() {
  switch (Pick(10)) {
    case 0:
    case 1: {
      std::string statement = "RENAME TABLE ";
      do {
        const std::string from = Table();
        statement += from + " TO " + TableRef(AnyDatabase(), Any(Tables())) + ", ";
      } while (Chance(40));
      return statement.substr(0, statement.size() - 2);
    }
    case 2: {
      // The swap that migration tools end with.
      const std::string database = databases()[0];
      return "RENAME TABLE `" + database + "`.t1 TO `" + database + "`.old, `" + database + "`.t2 TO `" +
             database + "`.t1, `" + database + "`.old TO `" + database + "`.t2";
    }
    case 3:
      return "DROP TABLE IF EXISTS " + Table() + Any(std::array{"", " CASCADE"}) +
             (Chance(30) ? ", " + Table() : "");
    case 4:
      return "TRUNCATE " + Any(std::array{"", "TABLE "}) + Table();
    case 5: {
      const std::string table = Table();
      return "CREATE UNIQUE INDEX k" + std::to_string(Pick(9)) + " ON " + table + " " + KeyParts();
    }
    case 6:
      return Any(std::array{"DROP INDEX k1 ON ", "DROP INDEX k2 ON ", "DROP INDEX `PRIMARY` ON "}) + Table();
    case 7:
      return "ALTER DATABASE `" + AnyDatabase() + "` " + Any(std::array{"", "DEFAULT "}) + Charset();
    case 8:
      // One that hides a real table would be too much: MariaDB logs what is then done to it as if it were
      // done to the other, MySQL logs CREATE … LIKE it without its character set. Their own replicas go wrong
      // there.
      return "CREATE TEMPORARY TABLE hidden (tmp int)";
    default:
      return Any(std::array{"CREATE OR REPLACE VIEW v1 AS SELECT 1 AS c", "DROP VIEW IF EXISTS v1",
                            "ANALYZE TABLE t1", "DROP TEMPORARY TABLE IF EXISTS t1, t2, T3, hidden",
                            "OPTIMIZE TABLE t2", "CREATE ROLE IF NOT EXISTS r1"});
  }
}

std::string DdlScript::Next() {
  const size_t kind = Pick(100);
  if (kind < 25) return CreateTable();
  if (kind < 70) return AlterTable();
  if (kind < 85) return Insert();
  return Other();
}

}  // namespace hakobu::testing
