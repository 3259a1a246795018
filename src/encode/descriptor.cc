#include "encode/descriptor.h"

#include <fmt/format.h>
#include <google/protobuf/descriptor.pb.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "encode/proto_sink.h"
#include "google/cloud/bigquery/storage/v1/annotations.pb.h"

namespace hakobu {
namespace {

using google::protobuf::DescriptorProto;
using google::protobuf::FieldDescriptorProto;

enum WireType : uint32_t { kVarint = 0, kFixed64 = 1, kLengthDelimited = 2 };

struct Wire {
  FieldDescriptorProto::Type type;
  WireType wire;
};

Wire WireOf(const Column& column) {
  switch (column.type) {
    case FieldType::kDate:
      return {FieldDescriptorProto::TYPE_INT32, kVarint};
    case FieldType::kInt64:
    case FieldType::kDateTime:
    case FieldType::kTime:
    case FieldType::kTimestamp:
      return {FieldDescriptorProto::TYPE_INT64, kVarint};
    case FieldType::kBool:
      return {FieldDescriptorProto::TYPE_BOOL, kVarint};
    case FieldType::kFloat64:
      return {FieldDescriptorProto::TYPE_DOUBLE,
              column.mode == FieldMode::kRepeated ? kLengthDelimited : kFixed64};
    case FieldType::kNumeric:
    case FieldType::kBigNumeric:
    case FieldType::kBytes:
      return {FieldDescriptorProto::TYPE_BYTES, kLengthDelimited};
    case FieldType::kString:
    case FieldType::kJson:
    case FieldType::kGeography:
    case FieldType::kInterval:
      return {FieldDescriptorProto::TYPE_STRING, kLengthDelimited};
  }
  return {FieldDescriptorProto::TYPE_STRING, kLengthDelimited};
}

bool IsLetter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool IsIdentifier(std::string_view name) {
  return !name.empty() && IsLetter(name.front()) &&
         std::all_of(name.begin(), name.end(), [](char c) { return IsLetter(c) || (c >= '0' && c <= '9'); });
}

std::string Lower(std::string_view name) {
  std::string lower(name);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

void SetPrefix(uint32_t number, WireType wire, Column* column) {
  char bytes[kMaxVarintBytes] = {};
  const char* end = WriteVarint(static_cast<uint64_t>(number) << 3 | wire, bytes);
  std::memcpy(&column->prefix, bytes, sizeof(column->prefix));
  column->prefix_size = static_cast<uint32_t>(end - bytes);
}

FieldDescriptorProto* AddField(DescriptorProto* message, uint32_t number, FieldDescriptorProto::Type type,
                               std::string name) {
  FieldDescriptorProto* field = message->add_field();
  field->set_name(std::move(name));
  field->set_number(static_cast<int32_t>(number));
  field->set_type(type);
  field->set_label(FieldDescriptorProto::LABEL_OPTIONAL);
  return field;
}

// protobuf keeps 19000 to 19999 for itself.
uint32_t FieldNumber(size_t place) {
  return static_cast<uint32_t>(place < 18'999 ? place + 1 : place + 1'001);
}

Column ChangeColumn(const Columns& columns, size_t place) {
  Column column;
  SetPrefix(FieldNumber(columns.all.size() + place), kLengthDelimited, &column);
  return column;
}

}  // namespace

std::string MakeDescriptor(Columns* columns, ProtoOptions::ChangeFields change_fields) {
  DescriptorProto message;
  message.set_name("Row");
  std::set<std::string> taken;
  for (const Column& column : columns->all) taken.insert(Lower(column.name));
  for (size_t place = 0; place < columns->all.size(); ++place) {
    Column& column = columns->all[place];
    const uint32_t number = FieldNumber(place);
    const Wire wire = WireOf(column);
    SetPrefix(number, wire.wire, &column);
    FieldDescriptorProto* field = AddField(&message, number, wire.type, column.name);
    if (!IsIdentifier(column.name)) {
      std::string placeholder = fmt::format("field_{}", number);
      while (!taken.insert(placeholder).second) placeholder += '_';
      field->set_name(placeholder);
      field->mutable_options()->SetExtension(google::cloud::bigquery::storage::v1::column_name, column.name);
    }
    if (column.mode == FieldMode::kRepeated) {
      field->set_label(FieldDescriptorProto::LABEL_REPEATED);
      field->mutable_options()->set_packed(true);
    }
  }
  if (change_fields == ProtoOptions::ChangeFields::kTypeAndSequence) {
    const size_t columns_count = columns->all.size();
    AddField(&message, FieldNumber(columns_count), FieldDescriptorProto::TYPE_STRING, "_CHANGE_TYPE");
    AddField(&message, FieldNumber(columns_count + 1), FieldDescriptorProto::TYPE_STRING,
             "_CHANGE_SEQUENCE_NUMBER");
  }
  return message.SerializeAsString();
}

Column ChangeTypeColumn(const Columns& columns) {
  return ChangeColumn(columns, 0);
}
Column SequenceNumberColumn(const Columns& columns) {
  return ChangeColumn(columns, 1);
}

}  // namespace hakobu
