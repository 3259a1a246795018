#include "encode/read_back.h"

#include <avro.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/dynamic_message.h>
#include <gtest/gtest.h>
#include <stdio.h>

#include <algorithm>
#include <charconv>

#include "absl/strings/numbers.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "base/status.h"
#include "google/cloud/bigquery/storage/v1/annotations.pb.h"
#include "google/cloud/bigquery/storage/v1/protobuf.pb.h"
#include "row/type_map.h"

namespace hakobu::testing {
namespace {

namespace pb = google::protobuf;

std::string RealText(double value) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof(text), value).ptr};
}

std::string HexText(std::string_view bytes) {
  std::string hex = "0x";
  for (const char byte : bytes) {
    char two[3];
    snprintf(two, sizeof(two), "%02x", static_cast<unsigned char>(byte));
    hex += two;
  }
  return hex;
}

// Big-endian two's complement by schoolbook arithmetic on decimal digits.
std::string DecimalText(std::string big_endian, size_t scale) {
  const bool negative = !big_endian.empty() && (big_endian[0] & 0x80) != 0;
  if (negative) {
    for (char& byte : big_endian) byte = static_cast<char>(~byte);
  }
  std::vector<int> digits{0};  // the last one first
  const auto multiply_add = [&](int factor, int add) {
    int carry = add;
    for (int& digit : digits) {
      carry += digit * factor;
      digit = carry % 10;
      carry /= 10;
    }
    for (; carry > 0; carry /= 10) digits.push_back(carry % 10);
  };
  for (const char byte : big_endian) multiply_add(256, static_cast<unsigned char>(byte));
  if (negative) multiply_add(1, 1);
  while (digits.size() <= scale) digits.push_back(0);
  std::string text;
  for (size_t i = digits.size(); i-- > 0;) {
    text += static_cast<char>('0' + digits[i]);
    if (i == scale && scale > 0) text += '.';
  }
  while (text.starts_with('0') && text.size() > 1 && text[1] != '.') text.erase(0, 1);
  while (text.ends_with('0')) text.pop_back();
  if (text.ends_with('.')) text.pop_back();
  return negative ? "-" + text : text;
}

std::string Padded(int64_t value, int width) {
  char text[32];
  snprintf(text, sizeof(text), "%0*lld", width, static_cast<long long>(value));
  return text;
}

std::string DateText(int64_t days) {
  return absl::FormatTime("%E4Y-%m-%d",
                          absl::FromCivil(absl::CivilDay(1970, 1, 1) + days, absl::UTCTimeZone()),
                          absl::UTCTimeZone());
}

std::string MicrosText(int64_t micros) {
  const absl::Time time = absl::FromUnixMicros(micros);
  const std::string text = absl::FormatTime("%E4Y-%m-%d %H:%M:%E6S", time, absl::UTCTimeZone());
  return text;
}

std::string ClockText(int64_t hour, int64_t minute, int64_t second, int64_t micros) {
  return Padded(hour, 2) + ":" + Padded(minute, 2) + ":" + Padded(second, 2) + "." + Padded(micros, 6);
}

std::string PackedTimeText(int64_t packed) {
  const int64_t seconds = packed >> 20;
  EXPECT_EQ(seconds >> 17, 0) << "stray bits";
  return ClockText(seconds >> 12, seconds >> 6 & 63, seconds & 63, packed & 0xfffff);
}

std::string PackedDateTimeText(int64_t packed) {
  const int64_t date = packed >> 37;
  EXPECT_LE(date >> 9, 9999) << "stray bits";
  return Padded(date >> 9, 4) + "-" + Padded(date >> 5 & 15, 2) + "-" + Padded(date & 31, 2) + " " +
         PackedTimeText(packed & ((int64_t{1} << 37) - 1));
}

std::string Joined(const std::vector<std::string>& items) {
  std::string text = "[";
  for (const std::string& item : items) text += (text.size() > 1 ? "," : "") + item;
  return text + "]";
}

std::string ProtoText(const pb::Message& message, const pb::FieldDescriptor* field, const Field& wanted) {
  const pb::Reflection& reflection = *message.GetReflection();
  if (field->is_repeated()) {
    std::vector<std::string> items;
    for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
      items.push_back(RealText(reflection.GetRepeatedDouble(message, field, i)));
    }
    return Joined(items);
  }
  if (!reflection.HasField(message, field)) return "NULL";
  std::string scratch;
  switch (wanted.type) {
    case FieldType::kInt64:
      return std::to_string(reflection.GetInt64(message, field));
    case FieldType::kFloat64:
      return RealText(reflection.GetDouble(message, field));
    case FieldType::kBool:
      return reflection.GetBool(message, field) ? "true" : "false";
    case FieldType::kDate:
      return DateText(reflection.GetInt32(message, field));
    case FieldType::kDateTime:
      return PackedDateTimeText(reflection.GetInt64(message, field));
    case FieldType::kTime:
      return PackedTimeText(reflection.GetInt64(message, field));
    case FieldType::kTimestamp:
      return MicrosText(reflection.GetInt64(message, field)) + "Z";
    case FieldType::kNumeric:
    case FieldType::kBigNumeric: {
      std::string bytes = reflection.GetString(message, field);
      EXPECT_GE(bytes.size(), 1u);
      std::reverse(bytes.begin(), bytes.end());
      return DecimalText(bytes, wanted.type == FieldType::kNumeric ? 9 : 38);
    }
    case FieldType::kBytes:
      return HexText(reflection.GetString(message, field));
    default:
      return reflection.GetString(message, field);
  }
}

class AvroReader {
 public:
  explicit AvroReader(std::string_view file) : bytes_(file) {
    FILE* stream = fmemopen(bytes_.data(), bytes_.size(), "rb");
    const int failed = avro_file_reader_fp(stream, "memory", 1, &reader_);
    EXPECT_EQ(failed, 0) << avro_strerror();
    if (failed != 0) return;
    schema_ = avro_file_reader_get_writer_schema(reader_);
    class_ = avro_generic_class_from_schema(schema_);
    avro_generic_value_new(class_, &value_);
  }
  ~AvroReader() {
    if (reader_ == nullptr) return;
    avro_value_decref(&value_);
    avro_value_iface_decref(class_);
    avro_schema_decref(schema_);
    avro_file_reader_close(reader_);
  }
  avro_value_t* Next() {
    if (reader_ == nullptr) return nullptr;
    avro_value_reset(&value_);
    return avro_file_reader_read_value(reader_, &value_) == 0 ? &value_ : nullptr;
  }

 private:
  std::string bytes_;
  avro_file_reader_t reader_ = nullptr;
  avro_schema_t schema_ = nullptr;
  avro_value_iface_t* class_ = nullptr;
  avro_value_t value_{};
};

int64_t AvroInteger(avro_value_t* value) {
  int64_t number = 0;
  if (avro_value_get_type(value) == AVRO_INT32) {
    int32_t narrow = 0;
    avro_value_get_int(value, &narrow);
    return narrow;
  }
  EXPECT_EQ(avro_value_get_long(value, &number), 0);
  return number;
}

std::string AvroString(avro_value_t* value) {
  const char* text = nullptr;
  size_t size = 0;
  EXPECT_EQ(avro_value_get_string(value, &text, &size), 0);
  return {text, size - 1};
}

std::string AvroBytes(avro_value_t* value) {
  const void* bytes = nullptr;
  size_t size = 0;
  EXPECT_EQ(avro_value_get_bytes(value, &bytes, &size), 0);
  return {static_cast<const char*>(bytes), size};
}

double AvroReal(avro_value_t* value) {
  double real = 0;
  EXPECT_EQ(avro_value_get_double(value, &real), 0);
  return real;
}

std::string AvroArray(avro_value_t* value) {
  size_t size = 0;
  avro_value_get_size(value, &size);
  std::vector<std::string> items;
  for (size_t i = 0; i < size; ++i) {
    avro_value_t item;
    avro_value_get_by_index(value, i, &item, nullptr);
    items.push_back(RealText(AvroReal(&item)));
  }
  return Joined(items);
}

std::string AvroText(avro_value_t value, const Field& wanted) {
  if (avro_value_get_type(&value) == AVRO_UNION) {
    avro_value_t branch;
    avro_value_get_current_branch(&value, &branch);
    value = branch;
  }
  if (avro_value_get_type(&value) == AVRO_NULL) return "NULL";
  if (wanted.mode == FieldMode::kRepeated) return AvroArray(&value);
  switch (wanted.type) {
    case FieldType::kInt64:
      return std::to_string(AvroInteger(&value));
    case FieldType::kFloat64:
      return RealText(AvroReal(&value));
    case FieldType::kBool: {
      int truth = 0;
      EXPECT_EQ(avro_value_get_boolean(&value, &truth), 0);
      return truth != 0 ? "true" : "false";
    }
    case FieldType::kDate:
      return DateText(AvroInteger(&value));
    case FieldType::kDateTime:
      return MicrosText(AvroInteger(&value));
    case FieldType::kTimestamp:
      return MicrosText(AvroInteger(&value)) + "Z";
    case FieldType::kTime: {
      const int64_t micros = AvroInteger(&value);
      const int64_t seconds = micros / 1'000'000;
      return ClockText(seconds / 3600, seconds / 60 % 60, seconds % 60, micros % 1'000'000);
    }
    case FieldType::kNumeric:
      return DecimalText(AvroBytes(&value), 9);
    case FieldType::kBigNumeric:
      return DecimalText(AvroBytes(&value), 38);
    case FieldType::kBytes:
      return HexText(AvroBytes(&value));
    default:
      return AvroString(&value);
  }
}

std::string AvroFileOf(const SourceTable& table, const TableSchema& schema, const Batch& batch,
                       Quarantine* quarantine) {
  AvroOptions options;
  options.codec = AvroCodec::kNull;
  options.sync_marker.fill('s');
  options.block_bytes = 200;  // many blocks
  absl::StatusOr<AvroEncoder> encoder = AvroEncoder::Create(table, schema, options);
  EXPECT_TRUE(encoder.ok()) << encoder.status();
  if (!encoder.ok()) return "";
  ByteBuffer out;
  encoder->Header(&out);
  const absl::StatusOr<size_t> rows = encoder->Append(batch, 0, SIZE_MAX, &out, quarantine);
  EXPECT_TRUE(rows.ok()) << rows.status();
  EXPECT_TRUE(encoder->Finish(&out).ok());
  return std::string(out.bytes());
}

}  // namespace

std::vector<ReadRow> ReadProto(std::string_view descriptor, std::string_view proto_rows,
                               const TableSchema& schema) {
  pb::FileDescriptorProto file;
  file.set_name("row.proto");
  EXPECT_TRUE(
      file.add_message_type()->ParseFromArray(descriptor.data(), static_cast<int>(descriptor.size())));
  pb::DescriptorPool pool;
  const pb::FileDescriptor* built = pool.BuildFile(file);
  EXPECT_NE(built, nullptr) << file.DebugString();
  if (built == nullptr) return {};
  const pb::Descriptor* type = built->message_type(0);
  std::map<std::string, const pb::FieldDescriptor*> by_name;
  for (int i = 0; i < type->field_count(); ++i) {
    const pb::FieldDescriptor* field = type->field(i);
    const auto& annotation = google::cloud::bigquery::storage::v1::column_name;
    const pb::FieldOptions& options = field->options();
    by_name[options.HasExtension(annotation) ? options.GetExtension(annotation) : field->name()] = field;
  }
  google::cloud::bigquery::storage::v1::ProtoRows rows;
  EXPECT_TRUE(rows.ParseFromArray(proto_rows.data(), static_cast<int>(proto_rows.size())));
  pb::DynamicMessageFactory factory(&pool);
  std::vector<ReadRow> read;
  for (const std::string& bytes : rows.serialized_rows()) {
    std::unique_ptr<pb::Message> message(factory.GetPrototype(type)->New());
    EXPECT_TRUE(message->ParseFromString(bytes));
    EXPECT_TRUE(message->GetReflection()->GetUnknownFields(*message).empty());
    ReadRow& row = read.emplace_back();
    for (const Field& field : schema.fields) {
      EXPECT_TRUE(by_name.contains(field.name)) << field.name;
      if (by_name.contains(field.name)) row[field.name] = ProtoText(*message, by_name[field.name], field);
    }
    for (const char* name : {"_CHANGE_TYPE", "_CHANGE_SEQUENCE_NUMBER"}) {
      if (by_name.contains(name)) row[name] = message->GetReflection()->GetString(*message, by_name[name]);
    }
  }
  return read;
}

std::vector<ReadRow> ReadAvro(std::string_view file, const TableSchema& schema) {
  std::vector<ReadRow> read;
  AvroReader reader(file);
  while (avro_value_t* value = reader.Next()) {
    ReadRow& row = read.emplace_back();
    for (const Field& field : schema.fields) {
      avro_value_t member;
      EXPECT_EQ(avro_value_get_by_name(value, field.name.c_str(), &member, nullptr), 0) << field.name;
      row[field.name] = AvroText(member, field);
    }
  }
  return read;
}

SourceTable TableOf(std::vector<SourceColumn> columns) {
  SourceTable table;
  table.database = "shop";
  table.name = "items";
  table.columns = std::move(columns);
  return table;
}

SourceColumn ColumnOf(std::string name, SourceType type, std::string declared) {
  SourceColumn column;
  column.name = std::move(name);
  column.type = type;
  column.declared = std::move(declared);
  return column;
}

TableSchema SchemaOf(const SourceTable& table) {
  TableSchema schema;
  for (size_t i = 0; i < table.columns.size(); ++i) {
    absl::StatusOr<Field> field = MapColumn(table, i, {}, {});
    EXPECT_TRUE(field.ok()) << field.status();
    if (field.ok()) schema.fields.push_back(*std::move(field));
  }
  if (table.key.has_value()) schema.key = table.key->columns;
  return schema;
}

std::vector<ReadRow> EncodeBothWays(const SourceTable& table, const TableSchema& schema, const Batch& batch,
                                    Quarantine* quarantine) {
  absl::StatusOr<ProtoEncoder> encoder = ProtoEncoder::Create(table, schema);
  EXPECT_TRUE(encoder.ok()) << encoder.status();
  if (!encoder.ok()) return {};
  EncodedRows rows;
  const absl::StatusOr<size_t> taken = encoder->Append(batch, 0, SIZE_MAX, &rows, quarantine);
  EXPECT_TRUE(taken.ok()) << taken.status();
  std::vector<ReadRow> proto = ReadProto(encoder->descriptor(), rows.bytes(), schema);
  Quarantine counted;
  const std::string file = AvroFileOf(table, schema, batch, &counted);
  EXPECT_EQ(counted.values(), quarantine->values());
  std::vector<ReadRow> avro = ReadAvro(file, schema);
  EXPECT_EQ(avro.size(), proto.size());
  for (size_t i = 0; i < std::min(avro.size(), proto.size()); ++i)
    EXPECT_EQ(avro[i], proto[i]) << "row " << i;
  return proto;
}

TEST(ReadBack, ReadsDecimalsAndDatesByItself) {
  EXPECT_EQ(DecimalText(std::string("\x00", 1), 9), "0");
  EXPECT_EQ(DecimalText("\xff", 9), "-0.000000001");
  EXPECT_EQ(DecimalText("\x3b\x9a\xca" + std::string(1, '\0'), 9), "1");
  EXPECT_EQ(PackedDateTimeText(142439222844801599), "2024-02-29 23:59:59.999999");
  EXPECT_EQ(PackedTimeText(53880818196), "12:34:56.789012");
  EXPECT_EQ(MicrosText(-62'135'596'800'000'000), "0001-01-01 00:00:00.000000");
}

}  // namespace hakobu::testing
