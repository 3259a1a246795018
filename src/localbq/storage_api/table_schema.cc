#include "localbq/storage_api/table_schema.h"

#include "google/cloud/bigquery/storage/v1/table.pb.h"

namespace hakobu::localbq {
namespace {

using Field = google::cloud::bigquery::storage::v1::TableFieldSchema;

Field::Type FieldType(Type type) {
  switch (type) {
    case Type::kInt64:
      return Field::INT64;
    case Type::kFloat64:
      return Field::DOUBLE;
    case Type::kBool:
      return Field::BOOL;
    case Type::kString:
      return Field::STRING;
    case Type::kBytes:
      return Field::BYTES;
    case Type::kNumeric:
      return Field::NUMERIC;
    case Type::kBigNumeric:
      return Field::BIGNUMERIC;
    case Type::kDate:
      return Field::DATE;
    case Type::kDateTime:
      return Field::DATETIME;
    case Type::kTime:
      return Field::TIME;
    case Type::kTimestamp:
      return Field::TIMESTAMP;
    case Type::kJson:
      return Field::JSON;
    case Type::kGeography:
      return Field::GEOGRAPHY;
    case Type::kInterval:
      return Field::INTERVAL;
    case Type::kRange:
      return Field::RANGE;
    case Type::kRecord:
      return Field::STRUCT;
  }
  return Field::TYPE_UNSPECIFIED;
}

void ToField(const Column& column, Field* field) {
  field->set_name(column.name);
  field->set_type(FieldType(column.type));
  field->set_mode(column.mode == Mode::kRepeated   ? Field::REPEATED
                  : column.mode == Mode::kRequired ? Field::REQUIRED
                                                   : Field::NULLABLE);
  field->set_description(column.description);
  field->set_max_length(column.max_length);
  field->set_precision(column.precision);
  field->set_scale(column.scale);
  field->set_default_value_expression(column.default_expression);
  if (column.type == Type::kRange)
    field->mutable_range_element_type()->set_type(FieldType(column.range_element));
  for (const Column& child : column.fields) ToField(child, field->add_fields());
}

}  // namespace

void ToTableSchema(const Schema& schema, google::cloud::bigquery::storage::v1::TableSchema* result) {
  for (const Column& column : schema) ToField(column, result->add_fields());
}

}  // namespace hakobu::localbq
