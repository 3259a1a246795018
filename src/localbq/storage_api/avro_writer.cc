#include "localbq/storage_api/avro_writer.h"

#include <fmt/format.h>

#include <cstring>
#include <nlohmann/json.hpp>

#include "localbq/storage_api/numeric.h"
#include "localbq/storage_api/temporal.h"

namespace hakobu::localbq {
namespace {

using nlohmann::json;

json FieldSchema(const Column& column, int* records);

json RecordSchema(const std::vector<Column>& fields, const std::string& name, int* records) {
  json record = {{"type", "record"}, {"name", name}, {"fields", json::array()}};
  for (const Column& field : fields) {
    record["fields"].push_back({{"name", field.name}, {"type", FieldSchema(field, records)}});
  }
  return record;
}

json ElementSchema(const Column& column, int* records) {
  switch (column.type) {
    case Type::kInt64:
      return "long";
    case Type::kFloat64:
      return "double";
    case Type::kBool:
      return "boolean";
    case Type::kBytes:
      return "bytes";
    case Type::kNumeric:
      return {{"type", "bytes"}, {"logicalType", "decimal"}, {"precision", 38}, {"scale", 9}};
    case Type::kBigNumeric:
      return {{"type", "bytes"}, {"logicalType", "decimal"}, {"precision", 77}, {"scale", 38}};
    case Type::kDate:
      return {{"type", "int"}, {"logicalType", "date"}};
    case Type::kTime:
      return {{"type", "long"}, {"logicalType", "time-micros"}};
    case Type::kTimestamp:
      return {{"type", "long"}, {"logicalType", "timestamp-micros"}};
    case Type::kDateTime:
      return {{"type", "string"}, {"logicalType", "datetime"}};
    case Type::kJson:
      return {{"type", "string"}, {"sqlType", "JSON"}};
    case Type::kGeography:
      return {{"type", "string"}, {"sqlType", "GEOGRAPHY"}};
    case Type::kInterval:
      return {{"type", "string"}, {"sqlType", "INTERVAL"}};
    case Type::kRange:
      return RecordSchema({RangeBound(column, "start"), RangeBound(column, "end")},
                          fmt::format("__s_{}", (*records)++), records);
    case Type::kRecord:
      return RecordSchema(column.fields, fmt::format("__s_{}", (*records)++), records);
    case Type::kString:
      return "string";
  }
  return "string";
}

json FieldSchema(const Column& column, int* records) {
  if (column.mode == Mode::kRepeated) return {{"type", "array"}, {"items", ElementSchema(column, records)}};
  if (column.mode == Mode::kRequired) return ElementSchema(column, records);
  return json::array({"null", ElementSchema(column, records)});
}

void PutLong(int64_t value, std::string* out) {
  uint64_t zigzag = static_cast<uint64_t>(value) << 1 ^ static_cast<uint64_t>(value >> 63);
  for (; zigzag >= 0x80; zigzag >>= 7) *out += static_cast<char>(zigzag | 0x80);
  *out += static_cast<char>(zigzag);
}
void PutBytes(std::string_view bytes, std::string* out) {
  PutLong(static_cast<int64_t>(bytes.size()), out);
  out->append(bytes);
}

// Two's complement, most significant byte first, as few bytes as hold it.
void PutDecimal(const ScaledInteger& value, std::string* out) {
  char little[33];
  ToLittleEndian(value, 32, little);
  size_t size = 32;
  const char sign = value < 0 ? '\xff' : '\0';
  while (size > 1 && little[size - 1] == sign && ((little[size - 2] ^ sign) & 0x80) == 0) --size;
  PutLong(static_cast<int64_t>(size), out);
  while (size > 0) *out += little[--size];
}

std::string DateTimeText(int64_t micros) {
  int64_t days = micros / kMicrosPerDay, time = micros % kMicrosPerDay;
  if (time < 0) {
    time += kMicrosPerDay;
    --days;
  }
  const CivilDate date = CivilFromDays(static_cast<int32_t>(days));
  const int64_t seconds = time / kMicrosPerSecond, fraction = time % kMicrosPerSecond;
  std::string text = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", date.year, date.month, date.day,
                                 seconds / 3600, seconds / 60 % 60, seconds % 60);
  if (fraction != 0) text += fmt::format(".{:06}", fraction);
  return text;
}

std::string IntervalText(const duckdb_interval& interval) {
  const int64_t seconds = std::abs(interval.micros) / kMicrosPerSecond;
  std::string text =
      fmt::format("{}{}-{} {} {}{}:{}:{}", interval.months < 0 ? "-" : "", std::abs(interval.months) / 12,
                  std::abs(interval.months) % 12, interval.days, interval.micros < 0 ? "-" : "",
                  seconds / 3600, seconds / 60 % 60, seconds % 60);
  if (const int64_t fraction = std::abs(interval.micros) % kMicrosPerSecond; fraction != 0) {
    text += fmt::format(".{:06}", fraction);
  }
  return text;
}

void PutField(const Column& column, duckdb_vector vector, idx_t row, std::string* out);

void PutElement(const Column& column, duckdb_vector vector, idx_t row, std::string* out) {
  void* data = duckdb_vector_get_data(vector);
  const auto text = [&] {
    auto* value = static_cast<duckdb_string_t*>(data) + row;
    return std::string_view(duckdb_string_t_data(value), duckdb_string_t_length(*value));
  };
  switch (column.type) {
    case Type::kInt64:
    case Type::kTime:
    case Type::kTimestamp:
      return PutLong(static_cast<int64_t*>(data)[row], out);
    case Type::kDate:
      return PutLong(static_cast<int32_t*>(data)[row], out);
    case Type::kFloat64:
      out->append(reinterpret_cast<const char*>(static_cast<double*>(data) + row), 8);
      return;
    case Type::kBool:
      *out += static_cast<bool*>(data)[row] ? '\1' : '\0';
      return;
    case Type::kNumeric: {
      const duckdb_hugeint value = static_cast<duckdb_hugeint*>(data)[row];
      return PutDecimal(FromInt128(static_cast<__int128>(value.upper) << 64 | value.lower), out);
    }
    case Type::kBigNumeric: {
      ScaledInteger value;
      FromDuckDbBignum(text(), &value);
      return PutDecimal(value, out);
    }
    case Type::kDateTime:
      return PutBytes(DateTimeText(static_cast<int64_t*>(data)[row]), out);
    case Type::kInterval:
      return PutBytes(IntervalText(static_cast<duckdb_interval*>(data)[row]), out);
    case Type::kRecord:
      for (size_t i = 0; i < column.fields.size(); ++i) {
        PutField(column.fields[i], duckdb_struct_vector_get_child(vector, i), row, out);
      }
      return;
    case Type::kRange:
      PutField(RangeBound(column, "start"), duckdb_struct_vector_get_child(vector, 0), row, out);
      return PutField(RangeBound(column, "end"), duckdb_struct_vector_get_child(vector, 1), row, out);
    default:
      return PutBytes(text(), out);
  }
}

void PutField(const Column& column, duckdb_vector vector, idx_t row, std::string* out) {
  uint64_t* validity = duckdb_vector_get_validity(vector);
  const bool is_valid = validity == nullptr || duckdb_validity_row_is_valid(validity, row);
  if (column.mode == Mode::kRepeated) {
    const duckdb_list_entry entry = static_cast<duckdb_list_entry*>(duckdb_vector_get_data(vector))[row];
    const duckdb_vector elements = duckdb_list_vector_get_child(vector);
    if (is_valid && entry.length > 0) {
      PutLong(static_cast<int64_t>(entry.length), out);
      for (idx_t i = 0; i < entry.length; ++i) PutElement(column, elements, entry.offset + i, out);
    }
    return PutLong(0, out);
  }
  if (column.mode == Mode::kNullable) PutLong(is_valid ? 1 : 0, out);
  if (is_valid) PutElement(column, vector, row, out);
}

}  // namespace

std::string AvroSchemaOf(const Schema& schema) {
  int records = 0;
  return RecordSchema(schema, "__root__", &records)
      .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void AppendAvroRows(const Schema& schema, const Chunk& chunk, std::string* rows) {
  for (idx_t row = 0; row < chunk.rows(); ++row) {
    for (size_t i = 0; i < schema.size(); ++i) PutField(schema[i], chunk.column(i), row, rows);
  }
}

}  // namespace hakobu::localbq
