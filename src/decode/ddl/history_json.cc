// A history as JSON, for the ledger.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "decode/ddl/schema_history.h"

namespace hakobu::ddl {
namespace {

using Json = nlohmann::json;

constexpr int kFormat = 1;

Json ColumnJson(const SourceColumn& column) {
  Json json = {{"name", column.name},
               {"type", static_cast<int>(column.type)},
               {"declared", column.declared},
               {"nullable", column.nullable}};
  if (column.is_unsigned) json["unsigned"] = true;
  if (column.precision != 0) json["precision"] = column.precision;
  if (column.scale != 0) json["scale"] = column.scale;
  if (column.fraction != 0) json["fraction"] = column.fraction;
  if (column.length != 0) json["length"] = column.length;
  if (!column.charset.empty()) json["charset"] = column.charset;
  if (!column.collation.empty()) json["collation"] = column.collation;
  if (!column.labels.empty()) json["labels"] = column.labels;
  if (!column.geometry.empty()) json["geometry"] = column.geometry;
  if (column.srid) json["srid"] = *column.srid;
  if (column.generated != Generated::kNo) json["generated"] = static_cast<int>(column.generated);
  if (column.invisible) json["invisible"] = true;
  if (!column.comment.empty()) json["comment"] = column.comment;
  return json;
}

SourceColumn ColumnFrom(const Json& json) {
  SourceColumn column;
  column.name = json.at("name");
  const int type = json.at("type");
  if (type < 0 || type > static_cast<int>(SourceType::kVector)) throw std::out_of_range("a column's type");
  column.type = static_cast<SourceType>(type);
  column.declared = json.at("declared");
  column.nullable = json.at("nullable");
  column.is_unsigned = json.value("unsigned", false);
  column.precision = json.value("precision", 0u);
  column.scale = json.value("scale", 0u);
  column.fraction = json.value("fraction", 0u);
  column.length = json.value("length", uint64_t{0});
  column.charset = json.value("charset", "");
  column.collation = json.value("collation", "");
  column.labels = json.value("labels", std::vector<std::string>());
  column.geometry = json.value("geometry", "");
  if (json.contains("srid")) column.srid = json.at("srid").get<uint32_t>();
  const int generated = json.value("generated", 0);
  if (generated < 0 || generated > 2) throw std::out_of_range("a generated column's kind");
  column.generated = static_cast<Generated>(generated);
  column.invisible = json.value("invisible", false);
  column.comment = json.value("comment", "");
  return column;
}

Json IndexJson(const TableIndex& index) {
  Json json = {{"name", index.name}, {"parts", Json::array()}};
  for (const IndexPart& part : index.parts) json["parts"].push_back({part.column, part.prefix});
  if (index.unique) json["unique"] = true;
  if (!index.visible) json["invisible"] = true;
  if (index.hash) json["hash"] = true;
  return json;
}

TableIndex IndexFrom(const Json& json) {
  TableIndex index;
  index.name = json.at("name");
  for (const Json& part : json.at("parts")) {
    index.parts.push_back({part.at(0).get<std::string>(), part.at(1).get<uint64_t>()});
  }
  index.unique = json.value("unique", false);
  index.visible = !json.value("invisible", false);
  index.hash = json.value("hash", false);
  return index;
}

Json TableJson(const TableDefinition& definition) {
  const SourceTable& table = definition.table;
  Json json = {{"database", table.database}, {"name", table.name}, {"columns", Json::array()}};
  for (const SourceColumn& column : table.columns) json["columns"].push_back(ColumnJson(column));
  for (const TableIndex& index : definition.indexes) json["indexes"].push_back(IndexJson(index));
  if (!definition.collation.empty()) json["collation"] = definition.collation;
  if (!table.row_end.empty()) json["row_end"] = table.row_end;
  if (!table.comment.empty()) json["comment"] = table.comment;
  if (table.estimated_rows != 0) json["estimated_rows"] = table.estimated_rows;
  if (table.data_bytes != 0) json["data_bytes"] = table.data_bytes;
  return json;
}

TableDefinition TableFrom(const Json& json) {
  TableDefinition definition;
  definition.table.database = json.at("database");
  definition.table.name = json.at("name");
  for (const Json& column : json.at("columns")) definition.table.columns.push_back(ColumnFrom(column));
  if (json.contains("indexes")) {
    for (const Json& index : json.at("indexes")) definition.indexes.push_back(IndexFrom(index));
  }
  definition.collation = json.value("collation", "");
  definition.table.row_end = json.value("row_end", "");
  definition.table.comment = json.value("comment", "");
  definition.table.estimated_rows = json.value("estimated_rows", uint64_t{0});
  definition.table.data_bytes = json.value("data_bytes", uint64_t{0});
  definition.table.key = ChooseKey(definition.table, definition.indexes);
  return definition;
}

}  // namespace

std::string SchemaHistory::ToJson() const {
  Json json = {{"format", kFormat},
               {"dialect", dialect_ == Dialect::kMySql ? "mysql" : "mariadb"},
               {"lower_case_names", lower_case_names_},
               {"databases", database_collations_},
               {"tables", Json::array()}};
  for (const auto& [name, entry] : tables_) {
    Json table = TableJson(entry.definition);
    if (!entry.complete) table["incomplete"] = true;
    if (!entry.uncertain.empty()) table["uncertain"] = entry.uncertain;
    json["tables"].push_back(std::move(table));
  }
  // Names and labels were text to the server; what is not UTF-8 must not end a stream.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

absl::StatusOr<SchemaHistory> SchemaHistory::FromJson(std::string_view text) {
  try {
    const Json json = Json::parse(text);
    if (json.at("format") != kFormat) {
      return absl::DataLossError(fmt::format("read the schema history: expected format {}, found {}", kFormat,
                                             json.at("format").dump()));
    }
    SchemaHistory history(json.at("dialect") == "mariadb" ? Dialect::kMariaDb : Dialect::kMySql,
                          json.at("lower_case_names"));
    history.database_collations_ = json.at("databases").get<std::map<std::string, std::string>>();
    for (const Json& table : json.at("tables")) {
      Entry entry{TableFrom(table), !table.value("incomplete", false), table.value("uncertain", "")};
      const TableName key{entry.definition.table.database, entry.definition.table.name};
      history.tables_[key] = std::move(entry);
    }
    return history;
  } catch (const std::exception& error) {
    return absl::DataLossError(fmt::format("read the schema history: {}", error.what()));
  }
}

}  // namespace hakobu::ddl
