// AppendRows' rows from any bytes: proto rows against a descriptor of every type or against one from the
// input, and Arrow messages. Never a crash; what was decoded can be read to its end.
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/stubs/logging.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "localbq/catalog/warehouse.h"
#include "localbq/storage_api/arrow_rows.h"
#include "localbq/storage_api/logical_type.h"
#include "localbq/storage_api/proto_rows.h"

namespace {

using namespace hakobu::localbq;
namespace pb = google::protobuf;

Schema EveryType() {
  Schema schema;
  for (int i = 0; i <= static_cast<int>(Type::kRange); ++i) {
    Column column;
    column.name = "c" + std::to_string(i);
    column.type = static_cast<Type>(i);
    if (i % 5 == 1) column.mode = Mode::kRepeated;
    schema.push_back(column);
  }
  Column record;
  record.name = "r";
  record.type = Type::kRecord;
  record.fields = schema;
  schema.push_back(record);
  record.name = "rs";
  record.mode = Mode::kRepeated;
  schema.push_back(record);
  schema[0].mode = Mode::kRequired;
  return schema;
}

// The forms that values take on the wire, in turn: numbers, texts, packed lists, messages.
pb::DescriptorProto Describe(const Schema& schema, bool texts) {
  pb::DescriptorProto message;
  message.set_name("Row");
  int number = 0;
  for (const Column& column : schema) {
    pb::FieldDescriptorProto& field = *message.add_field();
    field.set_name(column.name);
    field.set_number(++number);
    field.set_label(column.mode == Mode::kRepeated ? pb::FieldDescriptorProto::LABEL_REPEATED
                                                   : pb::FieldDescriptorProto::LABEL_OPTIONAL);
    if (column.type == Type::kRecord || column.type == Type::kRange) {
      Schema fields = column.fields;
      if (column.type == Type::kRange) {
        fields.resize(2);
        fields[0].name = "start";
        fields[1].name = "end";
        fields[0].type = fields[1].type = column.range_element;
      }
      pb::DescriptorProto inner = Describe(fields, texts);
      inner.set_name("M" + std::to_string(number));
      *message.add_nested_type() = inner;
      field.set_type(pb::FieldDescriptorProto::TYPE_MESSAGE);
      field.set_type_name(inner.name());
      continue;
    }
    const bool only_text = column.type == Type::kString || column.type == Type::kJson ||
                           column.type == Type::kGeography || column.type == Type::kInterval;
    const bool only_number =
        column.type == Type::kInt64 || column.type == Type::kBool || column.type == Type::kTimestamp;
    field.set_type(column.type == Type::kFloat64          ? pb::FieldDescriptorProto::TYPE_DOUBLE
                   : column.type == Type::kBytes          ? pb::FieldDescriptorProto::TYPE_BYTES
                   : only_text || (texts && !only_number) ? pb::FieldDescriptorProto::TYPE_STRING
                                                          : pb::FieldDescriptorProto::TYPE_INT64);
  }
  return message;
}

// Takes a piece of at most 65,535 bytes from the front, after its length in two.
std::string_view Take(std::string_view* rest) {
  if (rest->size() < 2) return {};
  const size_t size = static_cast<uint8_t>((*rest)[0]) | static_cast<size_t>(static_cast<uint8_t>((*rest)[1]))
                                                             << 8;
  rest->remove_prefix(2);
  const std::string_view piece = rest->substr(0, size);
  rest->remove_prefix(piece.size());
  return piece;
}

// Every byte of every text that the chunk points to.
void ReadOver(duckdb_vector vector, const Column& column, idx_t count) {
  static volatile unsigned sum = 0;
  uint64_t* validity = duckdb_vector_get_validity(vector);
  const auto valid = [&](idx_t row) {
    return validity == nullptr || duckdb_validity_row_is_valid(validity, row);
  };
  if (column.mode == Mode::kRepeated) {
    const auto* entries = static_cast<duckdb_list_entry*>(duckdb_vector_get_data(vector));
    const idx_t size = duckdb_list_vector_get_size(vector);
    for (idx_t row = 0; row < count; ++row) {
      if (valid(row) && (entries[row].offset > size || entries[row].length > size - entries[row].offset))
        std::abort();
    }
    Column element = column;
    element.mode = Mode::kNullable;
    return ReadOver(duckdb_list_vector_get_child(vector), element, size);
  }
  for (size_t i = 0; i < column.fields.size(); ++i) {
    ReadOver(duckdb_struct_vector_get_child(vector, i), column.fields[i], count);
  }
  const bool text = column.type == Type::kString || column.type == Type::kBytes ||
                    column.type == Type::kJson || column.type == Type::kGeography ||
                    column.type == Type::kBigNumeric;
  if (!text) return;
  auto* texts = static_cast<duckdb_string_t*>(duckdb_vector_get_data(vector));
  for (idx_t row = 0; row < count; ++row) {
    if (!valid(row)) continue;
    const char* bytes = duckdb_string_t_data(&texts[row]);
    for (uint32_t i = 0; i < duckdb_string_t_length(texts[row]); ++i)
      sum = sum + static_cast<unsigned char>(bytes[i]);
  }
}

void ReadGoodRows(const Chunk& chunk, const Schema& schema, idx_t rows, const std::vector<RowError>& errors) {
  if (!errors.empty()) return;  // rows with an error are left half filled, and never stored
  for (size_t i = 0; i < schema.size(); ++i) ReadOver(chunk.column(i), schema[i], rows);
}

void Proto(const std::string& descriptor, std::string_view rest, const Schema& schema) {
  const auto plan = CompileProtoPlan(descriptor, schema);
  if (!plan.ok()) return;
  ProtoRowDecoder decoder(*plan, DecodeOptions{.defaulted = {}, .key = {0}, .max_row_errors = 3});
  std::vector<std::string_view> rows;
  while (!rest.empty() && rows.size() < 64) rows.push_back(Take(&rest));
  std::vector<duckdb_type> more;
  if (ChangeModeOf(**plan) == ChangeMode::kChange) more = {DUCKDB_TYPE_BOOLEAN, DUCKDB_TYPE_BLOB};
  const Chunk chunk = MakeChunk(schema, more);
  std::vector<RowError> errors;
  decoder.Decode(rows, 0, chunk.get(), &errors);
  ReadGoodRows(chunk, schema, rows.size(), errors);
  decoder.Release();
}

void Arrow(std::string_view message, std::string_view batch, const Schema& schema) {
  const auto plan = CompileArrowPlan(message, schema);
  if (!plan.ok()) return;
  ArrowRowDecoder decoder(*plan, DecodeOptions{.defaulted = {}, .key = {}, .max_row_errors = 3});
  const absl::StatusOr<int64_t> rows = decoder.Open(batch);
  if (!rows.ok() || *rows <= 0) return;
  const int64_t count = std::min<int64_t>(*rows, static_cast<int64_t>(duckdb_vector_size()));
  const Chunk chunk = MakeChunk(schema, {});
  std::vector<RowError> errors;
  decoder.Decode(0, count, chunk.get(), &errors);
  ReadGoodRows(chunk, schema, static_cast<idx_t>(count), errors);
  decoder.Release();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Schema& schema = *new Schema(EveryType());
  static const std::string& numbers = *new std::string(Describe(schema, false).SerializeAsString());
  static const std::string& texts = *new std::string(Describe(schema, true).SerializeAsString());
  [[maybe_unused]] static const bool silenced = (pb::SetLogHandler(nullptr), true);
  if (size == 0 || size > 65536) return 0;
  std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 4) {
    case 0:
      Proto(numbers, rest, schema);
      break;
    case 1:
      Proto(texts, rest, schema);
      break;
    case 2:
      Proto(std::string(Take(&rest)), rest, schema);
      break;
    default: {
      const std::string_view message = Take(&rest);
      Arrow(message, rest, schema);
    }
  }
  return 0;
}
