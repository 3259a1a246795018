#include "localbq/storage_api/arrow_ipc.h"

#include <flatbuffers/flatbuffers.h>
#include <fmt/format.h>

#include <cstring>

#include "base/status.h"

namespace hakobu::localbq {
namespace {

using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;
using ArrowTable = flatbuffers::Table;
using flatbuffers::uoffset_t;
using flatbuffers::voffset_t;

constexpr voffset_t Slot(int id) {
  return static_cast<voffset_t>(4 + 2 * id);
}
constexpr uint8_t kSchemaHeader = 1, kBatchHeader = 3;
constexpr int16_t kVersion5 = 4;
constexpr int kMaxDepth = 20;

struct FieldNode {
  int64_t length, null_count;
};
struct BufferSpan {
  int64_t offset, length;
};

uoffset_t BuildType(FlatBufferBuilder& builder, const ArrowField& field) {
  uoffset_t timezone = 0;
  if (!field.timezone.empty()) timezone = builder.CreateString(field.timezone).o;
  const uoffset_t start = builder.StartTable();
  switch (field.type) {
    case ArrowType::kInt:
      builder.AddElement<int32_t>(Slot(0), field.bit_width, 0);
      builder.AddElement<uint8_t>(Slot(1), field.is_signed, 0);
      break;
    case ArrowType::kFloat:
      builder.AddElement<int16_t>(Slot(0), field.precision, 0);
      break;
    case ArrowType::kDecimal:
      builder.AddElement<int32_t>(Slot(0), field.digits, 0);
      builder.AddElement<int32_t>(Slot(1), field.scale, 0);
      builder.AddElement<int32_t>(Slot(2), field.bit_width, 128);
      break;
    case ArrowType::kDate:
      builder.AddElement<int16_t>(Slot(0), field.unit, 1);
      break;
    case ArrowType::kTime:
      builder.AddElement<int16_t>(Slot(0), field.unit, 1);
      builder.AddElement<int32_t>(Slot(1), field.bit_width, 32);
      break;
    case ArrowType::kTimestamp:
      builder.AddElement<int16_t>(Slot(0), field.unit, 0);
      if (timezone != 0) builder.AddOffset(Slot(1), Offset<void>(timezone));
      break;
    case ArrowType::kInterval:
      builder.AddElement<int16_t>(Slot(0), field.unit, 0);
      break;
    default:
      break;
  }
  return builder.EndTable(start);
}

Offset<ArrowTable> BuildField(FlatBufferBuilder& builder, const ArrowField& field) {
  std::vector<Offset<ArrowTable>> children;
  for (const ArrowField& child : field.children) children.push_back(BuildField(builder, child));
  const auto name = builder.CreateString(field.name);
  const uoffset_t type = BuildType(builder, field);
  const auto child_vector = builder.CreateVector(children);
  const uoffset_t start = builder.StartTable();
  builder.AddOffset(Slot(0), name);
  builder.AddElement<uint8_t>(Slot(1), field.is_nullable, 0);
  builder.AddElement<uint8_t>(Slot(2), static_cast<uint8_t>(field.type), 0);
  builder.AddOffset(Slot(3), Offset<void>(type));
  builder.AddOffset(Slot(5), child_vector);
  return {builder.EndTable(start)};
}

std::string Encapsulate(FlatBufferBuilder& builder, uint8_t header_type, uoffset_t header,
                        std::string_view body) {
  const uoffset_t start = builder.StartTable();
  builder.AddElement<int64_t>(Slot(3), static_cast<int64_t>(body.size()), 0);
  builder.AddOffset(Slot(2), Offset<void>(header));
  builder.AddElement<int16_t>(Slot(0), kVersion5, 0);
  builder.AddElement<uint8_t>(Slot(1), header_type, 0);
  builder.Finish(Offset<ArrowTable>(builder.EndTable(start)));
  const size_t size = (builder.GetSize() + 7) / 8 * 8;
  std::string message;
  message.reserve(8 + size + body.size());
  message.append("\xff\xff\xff\xff", 4);
  const auto little = static_cast<uint32_t>(size);
  message.append(reinterpret_cast<const char*>(&little), 4);
  message.append(reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize());
  message.resize(8 + size, '\0');
  return message.append(body);
}

// Tables begun are never ended here, so the verifier's depth counts them all; ReadField bounds the real one.
constexpr flatbuffers::uoffset_t kMaxTables = 1'000'000;

// The message's table and body. The flatbuffer is verified field by field below, with `verifier`.
struct Message {
  std::vector<uint64_t>
      aligned;  // the metadata: flatbuffers are read in place, and a request's bytes lie anywhere
  const ArrowTable* table;
  std::string_view metadata, body;
};

absl::StatusOr<Message> Open(std::string_view bytes, uint8_t header_type) {
  const auto number = [&](size_t at) {
    uint32_t value = 0;
    std::memcpy(&value, bytes.data() + at, 4);
    return value;
  };
  size_t at = 0;
  if (bytes.size() >= 8 && number(0) == 0xffffffff) at = 4;  // older writers have no such mark
  if (bytes.size() < at + 4 || number(at) > bytes.size() - at - 4 || number(at) < 8) {
    return absl::InvalidArgumentError("Invalid Arrow data: the IPC message is cut short");
  }
  const std::string_view metadata = bytes.substr(at + 4, number(at));
  Message message{
      std::vector<uint64_t>(metadata.size() / 8 + 1), nullptr, {}, bytes.substr(at + 4 + number(at))};
  std::memcpy(message.aligned.data(), metadata.data(), metadata.size());
  message.metadata = {reinterpret_cast<const char*>(message.aligned.data()), metadata.size()};
  message.table = flatbuffers::GetRoot<ArrowTable>(message.metadata.data());
  flatbuffers::Verifier verifier(reinterpret_cast<const uint8_t*>(message.metadata.data()),
                                 message.metadata.size(), kMaxTables, kMaxTables, /*check_alignment=*/true);
  const bool good = verifier.VerifyOffset(0) != 0 && message.table->VerifyTableStart(verifier) &&
                    message.table->VerifyField<uint8_t>(verifier, Slot(1), sizeof(uint8_t)) &&
                    message.table->VerifyOffsetRequired(verifier, Slot(2));
  if (!good || message.table->GetField<uint8_t>(Slot(1), 0) != header_type) {
    return absl::InvalidArgumentError(fmt::format("Invalid Arrow data: the IPC message is not a {}",
                                                  header_type == kSchemaHeader ? "Schema" : "RecordBatch"));
  }
  return message;
}

absl::Status Malformed() {
  return absl::InvalidArgumentError("Invalid Arrow data: the IPC message is malformed");
}

bool ReadType(flatbuffers::Verifier& verifier, const ArrowTable& type, ArrowField* field) {
  if (!type.VerifyTableStart(verifier)) return false;
  const auto short_at = [&](int id, int16_t otherwise) {
    return type.VerifyField<int16_t>(verifier, Slot(id), sizeof(int16_t))
               ? type.GetField<int16_t>(Slot(id), otherwise)
               : otherwise;
  };
  const auto int_at = [&](int id, int32_t otherwise) {
    return type.VerifyField<int32_t>(verifier, Slot(id), sizeof(int32_t))
               ? type.GetField<int32_t>(Slot(id), otherwise)
               : otherwise;
  };
  switch (field->type) {
    case ArrowType::kInt:
      field->bit_width = int_at(0, 0);
      field->is_signed = type.VerifyField<uint8_t>(verifier, Slot(1), sizeof(uint8_t)) &&
                         type.GetField<uint8_t>(Slot(1), 0) != 0;
      break;
    case ArrowType::kFloat:
      field->precision = short_at(0, 0);
      break;
    case ArrowType::kDecimal:
      field->digits = int_at(0, 0);
      field->scale = int_at(1, 0);
      field->bit_width = int_at(2, 128);
      break;
    case ArrowType::kDate:
      field->unit = short_at(0, 1);
      break;
    case ArrowType::kTime:
      field->unit = short_at(0, 1);
      field->bit_width = int_at(1, 32);
      break;
    case ArrowType::kTimestamp: {
      field->unit = short_at(0, 0);
      if (!type.VerifyOffset(verifier, Slot(1))) return false;
      const auto* zone = type.GetPointer<const flatbuffers::String*>(Slot(1));
      if (zone != nullptr && !verifier.VerifyString(zone)) return false;
      if (zone != nullptr) field->timezone = zone->str();
      break;
    }
    default:
      break;
  }
  return true;
}

bool ReadField(flatbuffers::Verifier& verifier, const ArrowTable& table, int depth, ArrowField* field) {
  if (depth > kMaxDepth || !table.VerifyTableStart(verifier) || !table.VerifyOffset(verifier, Slot(0)) ||
      !table.VerifyField<uint8_t>(verifier, Slot(1), sizeof(uint8_t)) ||
      !table.VerifyField<uint8_t>(verifier, Slot(2), sizeof(uint8_t)) ||
      !table.VerifyOffsetRequired(verifier, Slot(3)) || !table.VerifyOffset(verifier, Slot(4)) ||
      !table.VerifyOffset(verifier, Slot(5))) {
    return false;
  }
  const auto* name = table.GetPointer<const flatbuffers::String*>(Slot(0));
  if (name != nullptr && !verifier.VerifyString(name)) return false;
  if (name != nullptr) field->name = name->str();
  field->is_nullable = table.GetField<uint8_t>(Slot(1), 0) != 0;
  field->type = static_cast<ArrowType>(table.GetField<uint8_t>(Slot(2), 0));
  if (table.GetPointer<const ArrowTable*>(Slot(4)) != nullptr) return false;  // dictionary-encoded
  if (!ReadType(verifier, *table.GetPointer<const ArrowTable*>(Slot(3)), field)) return false;
  const auto* children = table.GetPointer<const flatbuffers::Vector<Offset<ArrowTable>>*>(Slot(5));
  if (children == nullptr) return true;
  if (!verifier.VerifyVector(children)) return false;
  for (uoffset_t i = 0; i < children->size(); ++i) {
    if (!ReadField(verifier, *children->Get(i), depth + 1, &field->children.emplace_back())) return false;
  }
  return true;
}

ArrowField Make(std::string name, ArrowType type) {
  ArrowField field;
  field.name = std::move(name);
  field.type = type;
  return field;
}

ArrowField ElementField(const Column& column);

ArrowField FieldOf(const Column& column) {
  if (column.mode != Mode::kRepeated) {
    ArrowField field = ElementField(column);
    field.is_nullable = column.mode != Mode::kRequired;
    return field;
  }
  ArrowField list = Make(column.name, ArrowType::kList);
  list.is_nullable = false;
  list.children.push_back(ElementField(column));
  list.children[0].name = "item";
  list.children[0].is_nullable = false;
  return list;
}

ArrowField MakeDecimal(std::string name, int32_t digits, int32_t scale, int32_t bit_width) {
  ArrowField field = Make(std::move(name), ArrowType::kDecimal);
  field.digits = digits;
  field.scale = scale;
  field.bit_width = bit_width;
  return field;
}

ArrowField MakeTemporal(std::string name, ArrowType type, int16_t unit, std::string timezone = "") {
  ArrowField field = Make(std::move(name), type);
  field.unit = unit;
  field.bit_width = 64;
  field.timezone = std::move(timezone);
  return field;
}

ArrowField ElementField(const Column& column) {
  constexpr auto kMicro = static_cast<int16_t>(ArrowUnit::kMicrosecond);
  switch (column.type) {
    case Type::kInt64: {
      ArrowField field = Make(column.name, ArrowType::kInt);
      field.bit_width = 64;
      return field;
    }
    case Type::kFloat64: {
      ArrowField field = Make(column.name, ArrowType::kFloat);
      field.precision = 2;
      return field;
    }
    case Type::kBool:
      return Make(column.name, ArrowType::kBool);
    case Type::kBytes:
      return Make(column.name, ArrowType::kBinary);
    case Type::kNumeric:
      return MakeDecimal(column.name, 38, 9, 128);
    case Type::kBigNumeric:
      return MakeDecimal(column.name, 76, 38, 256);
    case Type::kDate:
      return MakeTemporal(column.name, ArrowType::kDate, 0);
    case Type::kDateTime:
      return MakeTemporal(column.name, ArrowType::kTimestamp, kMicro);
    case Type::kTime:
      return MakeTemporal(column.name, ArrowType::kTime, kMicro);
    case Type::kTimestamp:
      return MakeTemporal(column.name, ArrowType::kTimestamp, kMicro, "UTC");
    case Type::kInterval:
      return MakeTemporal(column.name, ArrowType::kInterval, 2);
    case Type::kRecord:
    case Type::kRange: {
      ArrowField field = Make(column.name, ArrowType::kStruct);
      if (column.type == Type::kRecord) {
        for (const Column& child : column.fields) field.children.push_back(FieldOf(child));
        return field;
      }
      Column bound;
      bound.type = column.range_element;
      for (const char* name : {"start", "end"}) {
        bound.name = name;
        field.children.push_back(FieldOf(bound));
      }
      return field;
    }
    default:
      return Make(column.name, ArrowType::kUtf8);
  }
}

}  // namespace

std::vector<ArrowField> ArrowFieldsOf(const Schema& schema) {
  std::vector<ArrowField> fields;
  for (const Column& column : schema) fields.push_back(FieldOf(column));
  return fields;
}

std::string SerializeArrowSchema(const std::vector<ArrowField>& fields) {
  FlatBufferBuilder builder;
  std::vector<Offset<ArrowTable>> built;
  for (const ArrowField& field : fields) built.push_back(BuildField(builder, field));
  const auto vector = builder.CreateVector(built);
  const uoffset_t start = builder.StartTable();
  builder.AddOffset(Slot(1), vector);
  return Encapsulate(builder, kSchemaHeader, builder.EndTable(start), "");
}

std::string SerializeArrowBatch(const ArrowBatchLayout& layout, std::string_view body) {
  FlatBufferBuilder builder;
  static_assert(sizeof(ArrowBatchLayout::Node) == 16 && sizeof(ArrowBatchLayout::Buffer) == 16);
  const auto structs = [&](const void* data, size_t count) {
    builder.StartVector(count * 16 / 8, 8);
    builder.PushBytes(static_cast<const uint8_t*>(data), count * 16);
    return builder.EndVector(count);
  };
  const uoffset_t buffers = structs(layout.buffers.data(), layout.buffers.size());
  const uoffset_t nodes = structs(layout.nodes.data(), layout.nodes.size());
  const uoffset_t start = builder.StartTable();
  builder.AddElement<int64_t>(Slot(0), layout.rows, 0);
  builder.AddOffset(Slot(1), Offset<void>(nodes));
  builder.AddOffset(Slot(2), Offset<void>(buffers));
  return Encapsulate(builder, kBatchHeader, builder.EndTable(start), body);
}

absl::StatusOr<std::vector<ArrowField>> ParseArrowSchema(std::string_view bytes) {
  HAKOBU_ASSIGN_OR_RETURN(const Message message, Open(bytes, kSchemaHeader));
  flatbuffers::Verifier verifier(reinterpret_cast<const uint8_t*>(message.metadata.data()),
                                 message.metadata.size(), kMaxTables, kMaxTables, /*check_alignment=*/true);
  const auto* schema = message.table->GetPointer<const ArrowTable*>(Slot(2));
  if (!schema->VerifyTableStart(verifier) || !schema->VerifyOffset(verifier, Slot(1))) return Malformed();
  const auto* fields = schema->GetPointer<const flatbuffers::Vector<Offset<ArrowTable>>*>(Slot(1));
  if (fields == nullptr || !verifier.VerifyVector(fields)) return Malformed();
  std::vector<ArrowField> result;
  for (uoffset_t i = 0; i < fields->size(); ++i) {
    if (!ReadField(verifier, *fields->Get(i), 0, &result.emplace_back())) return Malformed();
  }
  return result;
}

absl::StatusOr<ArrowBatchLayout> ParseArrowBatch(std::string_view bytes, std::string_view* body) {
  HAKOBU_ASSIGN_OR_RETURN(const Message message, Open(bytes, kBatchHeader));
  flatbuffers::Verifier verifier(reinterpret_cast<const uint8_t*>(message.metadata.data()),
                                 message.metadata.size(), kMaxTables, kMaxTables, /*check_alignment=*/true);
  const auto* batch = message.table->GetPointer<const ArrowTable*>(Slot(2));
  if (!batch->VerifyTableStart(verifier) ||
      !batch->VerifyField<int64_t>(verifier, Slot(0), sizeof(int64_t)) ||
      !batch->VerifyOffset(verifier, Slot(1)) || !batch->VerifyOffset(verifier, Slot(2)) ||
      !batch->VerifyOffset(verifier, Slot(3))) {
    return Malformed();
  }
  if (batch->GetPointer<const ArrowTable*>(Slot(3)) != nullptr) {
    return absl::InvalidArgumentError("Invalid Arrow data: compressed record batches are not supported");
  }
  ArrowBatchLayout layout;
  layout.rows = batch->GetField<int64_t>(Slot(0), 0);
  const auto* nodes = batch->GetPointer<const flatbuffers::Vector<const FieldNode*>*>(Slot(1));
  const auto* buffers = batch->GetPointer<const flatbuffers::Vector<const BufferSpan*>*>(Slot(2));
  const auto read = [&](const auto* vector, auto* result) {
    if (vector == nullptr) return true;
    if (!verifier.VerifyVectorOrString(reinterpret_cast<const uint8_t*>(vector), 16)) return false;
    if (vector->size() == 0) return true;
    result->resize(vector->size());
    std::memcpy(static_cast<void*>(result->data()), vector->Data(), vector->size() * size_t{16});
    return true;
  };
  if (!read(nodes, &layout.nodes) || !read(buffers, &layout.buffers)) return Malformed();
  *body = message.body;
  return layout;
}

}  // namespace hakobu::localbq
