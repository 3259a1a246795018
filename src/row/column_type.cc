#include "row/column_type.h"

#include <algorithm>
#include <iterator>

namespace hakobu {
namespace {

struct NamedType {
  std::string_view name;
  SourceType type;
};

constexpr NamedType kTypes[] = {
    {"tinyint", SourceType::kTinyInt},
    {"smallint", SourceType::kSmallInt},
    {"mediumint", SourceType::kMediumInt},
    {"int", SourceType::kInt},
    {"bigint", SourceType::kBigInt},
    {"decimal", SourceType::kDecimal},
    {"float", SourceType::kFloat},
    {"double", SourceType::kDouble},
    {"bit", SourceType::kBit},
    {"year", SourceType::kYear},
    {"char", SourceType::kChar},
    {"varchar", SourceType::kVarchar},
    {"tinytext", SourceType::kText},
    {"text", SourceType::kText},
    {"mediumtext", SourceType::kText},
    {"longtext", SourceType::kText},
    {"enum", SourceType::kEnum},
    {"set", SourceType::kSet},
    {"binary", SourceType::kBinary},
    {"varbinary", SourceType::kVarbinary},
    {"tinyblob", SourceType::kBlob},
    {"blob", SourceType::kBlob},
    {"mediumblob", SourceType::kBlob},
    {"longblob", SourceType::kBlob},
    {"date", SourceType::kDate},
    {"datetime", SourceType::kDateTime},
    {"timestamp", SourceType::kTimestamp},
    {"time", SourceType::kTime},
    {"json", SourceType::kJson},
    {"vector", SourceType::kVector},
    {"geometry", SourceType::kGeometry},
    {"point", SourceType::kGeometry},
    {"linestring", SourceType::kGeometry},
    {"polygon", SourceType::kGeometry},
    {"multipoint", SourceType::kGeometry},
    {"multilinestring", SourceType::kGeometry},
    {"multipolygon", SourceType::kGeometry},
    {"geomcollection", SourceType::kGeometry},
    {"geometrycollection", SourceType::kGeometry},
};

// MariaDB's types that a client sees as text, and how long it can be.
struct TextLike {
  std::string_view name;
  uint64_t characters;
};
constexpr TextLike kTextLike[] = {{"uuid", 36}, {"inet6", 39}, {"inet4", 15}};

bool ReadTextLike(std::string_view data_type, SourceColumn* column) {
  for (const TextLike& type : kTextLike) {
    if (type.name != data_type) continue;
    column->type = SourceType::kChar;
    column->length = type.characters;
    column->charset = "utf8mb4";
    return true;
  }
  return false;
}

// What the server writes with a backslash in COLUMN_TYPE.
char Unescaped(char character) {
  switch (character) {
    case '0':
      return '\0';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    default:
      return character;
  }
}

}  // namespace

bool ReadType(std::string_view data_type, SourceColumn* column) {
  const auto* found = std::find_if(std::begin(kTypes), std::end(kTypes),
                                   [data_type](const NamedType& type) { return type.name == data_type; });
  if (found == std::end(kTypes)) return ReadTextLike(data_type, column);
  column->type = found->type;
  if (column->type <= SourceType::kDouble) {
    column->is_unsigned = column->declared.find("unsigned") != std::string::npos;
  }
  if (column->type == SourceType::kBit) column->length = column->precision;
  if (column->type != SourceType::kDecimal) column->precision = column->scale = 0;
  if (column->type == SourceType::kEnum || column->type == SourceType::kSet) {
    column->labels = ParseLabels(column->declared);
  }
  if (column->type == SourceType::kGeometry) column->geometry = data_type;
  return true;
}

void ReadExtra(std::string_view extra, SourceColumn* column) {
  // "DEFAULT_GENERATED" is a default's expression, no generated column.
  if (extra.find("VIRTUAL GENERATED") != extra.npos) column->generated = Generated::kVirtual;
  if (extra.find("STORED GENERATED") != extra.npos || extra.find("PERSISTENT GENERATED") != extra.npos) {
    column->generated = Generated::kStored;
  }
  column->invisible = extra.find("INVISIBLE") != extra.npos;
}

std::vector<std::string> ParseLabels(std::string_view declared) {
  std::vector<std::string> labels;
  const size_t open = declared.find('(');
  const std::string_view kind = declared.substr(0, open);
  if (open == declared.npos || (kind != "enum" && kind != "set")) return labels;
  for (size_t i = open + 1; i < declared.size() && declared[i] == '\'';) {
    std::string label;
    for (++i; i < declared.size(); ++i) {
      if (declared[i] == '\'') {
        if (i + 1 >= declared.size() || declared[i + 1] != '\'') break;
        ++i;  // a quote is doubled
      }
      const bool escaped = declared[i] == '\\' && i + 1 < declared.size();
      label += escaped ? Unescaped(declared[++i]) : declared[i];
    }
    labels.push_back(std::move(label));
    i += 2;  // the closing quote and the comma
  }
  return labels;
}

}  // namespace hakobu
