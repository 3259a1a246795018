#include "localbq/storage_api/logical_type.h"

namespace hakobu::localbq {
namespace {

duckdb_type ScalarType(Type type) {
  switch (type) {
    case Type::kInt64:
      return DUCKDB_TYPE_BIGINT;
    case Type::kFloat64:
      return DUCKDB_TYPE_DOUBLE;
    case Type::kBool:
      return DUCKDB_TYPE_BOOLEAN;
    case Type::kBytes:
      return DUCKDB_TYPE_BLOB;
    case Type::kBigNumeric:
      return DUCKDB_TYPE_BIGNUM;
    case Type::kDate:
      return DUCKDB_TYPE_DATE;
    case Type::kDateTime:
      return DUCKDB_TYPE_TIMESTAMP;
    case Type::kTime:
      return DUCKDB_TYPE_TIME;
    case Type::kTimestamp:
      return DUCKDB_TYPE_TIMESTAMP_TZ;
    case Type::kInterval:
      return DUCKDB_TYPE_INTERVAL;
    default:
      return DUCKDB_TYPE_VARCHAR;
  }
}

duckdb_logical_type StructOf(const std::vector<Column>& fields) {
  std::vector<duckdb_logical_type> types;
  std::vector<const char*> names;
  for (const Column& field : fields) {
    types.push_back(LogicalTypeOf(field));
    names.push_back(field.name.c_str());
  }
  duckdb_logical_type result = duckdb_create_struct_type(types.data(), names.data(), types.size());
  for (duckdb_logical_type& type : types) duckdb_destroy_logical_type(&type);
  return result;
}

duckdb_logical_type ElementType(const Column& column) {
  if (column.type == Type::kRecord) return StructOf(column.fields);
  if (column.type == Type::kNumeric) return duckdb_create_decimal_type(38, 9);
  if (column.type == Type::kRange) {
    Column start, end;
    start.name = "start";
    end.name = "end";
    start.type = end.type = column.range_element;
    return StructOf({start, end});
  }
  duckdb_logical_type type = duckdb_create_logical_type(ScalarType(column.type));
  if (column.type == Type::kJson) duckdb_logical_type_set_alias(type, "JSON");
  return type;
}

}  // namespace

duckdb_logical_type LogicalTypeOf(const Column& column) {
  duckdb_logical_type element = ElementType(column);
  if (column.mode != Mode::kRepeated) return element;
  duckdb_logical_type list = duckdb_create_list_type(element);
  duckdb_destroy_logical_type(&element);
  return list;
}

Chunk MakeChunk(const Schema& schema, const std::vector<duckdb_type>& more) {
  std::vector<duckdb_logical_type> types;
  for (const Column& column : schema) types.push_back(LogicalTypeOf(column));
  for (const duckdb_type type : more) types.push_back(duckdb_create_logical_type(type));
  Chunk chunk(duckdb_create_data_chunk(types.data(), types.size()));
  for (duckdb_logical_type& type : types) duckdb_destroy_logical_type(&type);
  return chunk;
}

}  // namespace hakobu::localbq
