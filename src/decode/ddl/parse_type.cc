// Column types of MySQL 5.7 to 9.7 and MariaDB 10.11, with their synonyms.
#include "base/status.h"
#include "decode/ddl/cursor.h"

namespace hakobu::ddl {
namespace {

struct Synonym {
  std::string_view written;
  std::string_view type;
};
constexpr Synonym kSimpleTypes[] = {
    {"int", "int"},
    {"integer", "int"},
    {"int4", "int"},
    {"tinyint", "tinyint"},
    {"int1", "tinyint"},
    {"smallint", "smallint"},
    {"int2", "smallint"},
    {"mediumint", "mediumint"},
    {"middleint", "mediumint"},
    {"int3", "mediumint"},
    {"bigint", "bigint"},
    {"int8", "bigint"},
    {"decimal", "decimal"},
    {"dec", "decimal"},
    {"numeric", "decimal"},
    {"fixed", "decimal"},
    {"float", "float"},
    {"float4", "float"},
    {"float8", "double"},
    {"bit", "bit"},
    {"year", "year"},
    {"date", "date"},
    {"time", "time"},
    {"datetime", "datetime"},
    {"timestamp", "timestamp"},
    {"varchar", "varchar"},
    {"varcharacter", "varchar"},
    {"varchar2", "varchar"},
    {"nvarchar", "nvarchar"},
    {"binary", "binary"},
    {"varbinary", "varbinary"},
    {"raw", "varbinary"},
    {"tinytext", "tinytext"},
    {"text", "text"},
    {"mediumtext", "mediumtext"},
    {"longtext", "longtext"},
    {"clob", "longtext"},
    {"tinyblob", "tinyblob"},
    {"blob", "blob"},
    {"mediumblob", "mediumblob"},
    {"longblob", "longblob"},
    {"enum", "enum"},
    {"set", "set"},
    {"json", "json"},
    {"vector", "vector"},
    {"geometry", "geometry"},
    {"point", "point"},
    {"linestring", "linestring"},
    {"polygon", "polygon"},
    {"multipoint", "multipoint"},
    {"multilinestring", "multilinestring"},
    {"multipolygon", "multipolygon"},
    {"geometrycollection", "geomcollection"},
    {"geomcollection", "geomcollection"},
    {"uuid", "uuid"},
    {"inet4", "inet4"},
    {"inet6", "inet6"},
};

absl::Status ParseNumbers(Cursor* cursor, ColumnDefinition* column) {
  if (!cursor->AcceptSymbol('(')) return absl::OkStatus();
  HAKOBU_ASSIGN_OR_RETURN(column->length, cursor->TakeLength());
  if (cursor->AcceptSymbol(',')) {
    HAKOBU_ASSIGN_OR_RETURN(column->scale, cursor->TakeNumber());
  }
  if (cursor->context().oracle) cursor->AcceptAny({"CHAR", "BYTE"});  // VARCHAR2(10 CHAR)
  return cursor->ExpectSymbol(')');
}

absl::Status ParseLabelList(Cursor* cursor, ColumnDefinition* column) {
  HAKOBU_RETURN_IF_ERROR(cursor->ExpectSymbol('('));
  do {
    if (cursor->Peek().kind != TokenKind::kString && cursor->Peek().kind != TokenKind::kHex) {
      return cursor->Unexpected("a label");
    }
    column->labels.push_back(cursor->Peek().text);
    cursor->Next();
  } while (cursor->AcceptSymbol(','));
  return cursor->ExpectSymbol(')');
}

// Types of more than one word, and those that say more than a type. Empty when none is written here.
std::string TakeCompoundType(Cursor* cursor, ColumnDefinition* column) {
  if (cursor->AcceptAny({"BOOL", "BOOLEAN"})) {
    column->length = 1;
    return "tinyint";
  }
  if (cursor->Accept("SERIAL")) {
    column->is_unsigned = true;
    column->nullable = Tristate::kNo;
    column->auto_increment = column->unique = column->serial = true;
    return "bigint";
  }
  if (cursor->Accept("DOUBLE")) {
    cursor->Accept("PRECISION");
    return "double";
  }
  if (cursor->Accept("REAL")) return cursor->context().real_as_float ? "float" : "double";
  if (cursor->Accept("LONG")) {
    if (cursor->Accept("VARBINARY")) return "mediumblob";
    if (cursor->AcceptAny({"CHAR", "CHARACTER"})) {
      cursor->Accept("VARYING");
    } else {
      cursor->AcceptAny({"VARCHAR", "VARCHARACTER"});
    }
    return "mediumtext";
  }
  const bool national = cursor->Accept("NATIONAL");
  if (national && cursor->AcceptAny({"VARCHAR", "VARCHARACTER"})) return "nvarchar";
  if (cursor->AcceptAny({"CHAR", "CHARACTER"})) {
    const bool varying = cursor->AcceptAny({"VARYING"});
    if (national) return varying ? "nvarchar" : "nchar";
    return varying ? "varchar" : "char";
  }
  if (cursor->Accept("NCHAR")) {
    return cursor->AcceptAny({"VARCHAR", "VARCHARACTER", "VARYING"}) ? "nvarchar" : "nchar";
  }
  return {};
}

}  // namespace

absl::Status ParseTypeAttributes(Cursor* cursor, ColumnDefinition* column) {
  for (;;) {
    if (cursor->Accept("UNSIGNED")) {
      column->is_unsigned = true;
    } else if (cursor->Accept("SIGNED")) {
      continue;
    } else if (cursor->Accept("ZEROFILL")) {
      column->zerofill = column->is_unsigned = true;
    } else if (cursor->Accept("ASCII")) {
      column->charset = "latin1";
    } else if (cursor->Accept("UNICODE")) {
      column->charset = "ucs2";
    } else if (cursor->Accept("BYTE")) {
      column->charset = "binary";
    } else if (cursor->Accept("BINARY")) {
      column->binary_collation = true;
    } else if (cursor->Accept("COMPRESSED")) {
      column->compressed = true;
      if (cursor->AcceptSymbol('=')) cursor->Next();
    } else if (cursor->Accept("CHARSET") || cursor->AcceptAll({"CHARACTER", "SET"}) ||
               cursor->AcceptAll({"CHAR", "SET"})) {
      HAKOBU_ASSIGN_OR_RETURN(column->charset, cursor->TakeOptionValue("a character set"));
    } else {
      return absl::OkStatus();
    }
  }
}

absl::Status ParseColumnType(Cursor* cursor, ColumnDefinition* column) {
  const size_t begin = cursor->place();
  column->type = TakeCompoundType(cursor, column);
  if (column->type.empty()) {
    cursor->MoveTo(begin);
    // MariaDB lets a schema be named: mariadb_schema.date, oracle_schema.date.
    std::string_view schema;
    if (cursor->IsSymbol('.', 1)) {
      schema = cursor->Peek().text;
      cursor->Next();
      cursor->Next();
    }
    if (!cursor->IsName()) return cursor->Unexpected("a type");
    const std::string word = LowerCase(cursor->Peek().text);
    for (const Synonym& synonym : kSimpleTypes) {
      if (synonym.written == word) column->type = synonym.type;
    }
    const bool oracle = schema.empty() ? cursor->context().oracle : EqualsIgnoreCase(schema, "oracle_schema");
    if (oracle && word == "date") column->type = "datetime";
    const bool maxdb = schema.empty() ? cursor->context().maxdb : EqualsIgnoreCase(schema, "maxdb_schema");
    if (maxdb && word == "timestamp") column->type = "datetime";
    if (oracle && word == "blob") column->type = "longblob";
    if (oracle && word == "number") column->type = cursor->IsSymbol('(', 1) ? "decimal" : "double";
    if (column->type.empty()) return cursor->Unexpected("a type that is known");
    cursor->Next();
  }
  if (column->type == "enum" || column->type == "set") {
    HAKOBU_RETURN_IF_ERROR(ParseLabelList(cursor, column));
  } else if (!column->auto_increment) {
    HAKOBU_RETURN_IF_ERROR(ParseNumbers(cursor, column));
  }
  return ParseTypeAttributes(cursor, column);
}

}  // namespace hakobu::ddl
