#include "localbq/storage_api/proto_rows.h"

#include <fmt/format.h>

#include <bit>

#include "base/arena.h"
#include "localbq/storage_api/proto_plan.h"
#include "localbq/storage_api/wire_reader.h"

namespace hakobu::localbq {
namespace {

constexpr uint32_t kWireTypeOf[] = {0, 0, 0, 0, 0, 0, 5, 1, 2, 2, 2, 2, 2};  // in the order of Wire

// seconds(1), nanos(2), of Timestamp and Duration alike.
bool ReadSecondsAndNanos(std::string_view bytes, Scalar* scalar) {
  WireReader reader(bytes);
  while (!reader.AtEnd()) {
    const uint64_t tag = reader.Varint();
    if (tag == (1 << 3 | 0)) {
      scalar->integer = static_cast<int64_t>(reader.Varint());
    } else if (tag == (2 << 3 | 0)) {
      scalar->nanos = static_cast<int32_t>(reader.Varint());
    } else {
      reader.Skip(tag & 7, static_cast<uint32_t>(tag >> 3));
    }
  }
  return !reader.failed();
}

std::string Suffixed(std::string_view message, std::string_view path) {
  return fmt::format("{} on field {}.", message, path);
}

}  // namespace

struct ProtoRowDecoder::State {
  std::shared_ptr<const ProtoPlan> plan;
  DecodeOptions options;
  std::vector<ColumnSink> sinks;
  Arena arena;
  std::string error;  // of the value or row at hand
  std::string_view change_type;
  std::string_view sequence_number;
  bool has_change_type = false;
  bool has_sequence_number = false;

  ColumnSink& SinkOf(ColumnSink* parent, uint32_t index) {
    return parent == nullptr ? sinks[index] : parent->child(index);
  }
  bool Fail(std::string message) {
    error = std::move(message);
    return false;
  }

  bool ReadScalar(const ProtoField& field, WireReader* reader, Scalar* scalar);
  bool ReadUnwrapped(const ProtoField& field, WireReader* reader, Scalar* scalar);
  bool StoreField(const ProtoField& field, WireReader* reader, idx_t slot, ColumnSink* sink);
  bool StoreValue(const ProtoField& field, WireReader* reader, idx_t slot, ColumnSink* sink);
  bool StorePacked(const ProtoField& field, WireReader* reader, idx_t slot, ColumnSink* sink);
  bool ReadChangeField(const ProtoField& field, WireReader* reader);
  bool Message(const ProtoMessage& message, std::string_view bytes, idx_t slot, ColumnSink* parent);
  bool CheckRequired(const ProtoMessage& message, idx_t slot, ColumnSink* parent);
  bool StoreChange(idx_t slot, duckdb_data_chunk chunk);
  bool Row(std::string_view bytes, idx_t slot, duckdb_data_chunk chunk);
};

bool ProtoRowDecoder::State::ReadUnwrapped(const ProtoField& field, WireReader* reader, Scalar* scalar) {
  switch (field.wire) {
    case Wire::kBool:
      scalar->integer = reader->Varint() != 0;
      break;
    case Wire::kInt32:
      scalar->integer = static_cast<int32_t>(reader->Varint());
      break;
    case Wire::kInt64:
    case Wire::kUint64:
      scalar->integer = static_cast<int64_t>(reader->Varint());
      break;
    case Wire::kUint32:
      scalar->integer = static_cast<uint32_t>(reader->Varint());
      break;
    case Wire::kEnum: {
      scalar->integer = static_cast<int32_t>(reader->Varint());
      const auto label = field.labels.find(static_cast<int32_t>(scalar->integer));
      // An unknown number of a proto2 enum is an unknown field: the value stays missing.
      if (label == field.labels.end()) return false;
      scalar->bytes = label->second;
      break;
    }
    case Wire::kFloat:
      scalar->real = std::bit_cast<float>(reader->Fixed32());
      break;
    case Wire::kDouble:
      scalar->real = std::bit_cast<double>(reader->Fixed64());
      break;
    case Wire::kString:
    case Wire::kBytes:
      scalar->bytes = reader->Bytes();
      break;
    case Wire::kTimestamp:
    case Wire::kDuration:
      if (!ReadSecondsAndNanos(reader->Bytes(), scalar)) error = "The serialized row is malformed";
      break;
    case Wire::kMessage:
      break;
  }
  return true;
}

// False: there is no value to store (an unknown enum number), or `error` says what is wrong.
bool ProtoRowDecoder::State::ReadScalar(const ProtoField& field, WireReader* reader, Scalar* scalar) {
  if (!field.wrapped) return ReadUnwrapped(field, reader, scalar) && error.empty();
  WireReader inner(reader->Bytes());
  while (!inner.AtEnd()) {
    const uint64_t tag = inner.Varint();
    if (tag == (1U << 3 | kWireTypeOf[static_cast<size_t>(field.wire)])) {
      ReadUnwrapped(field, &inner, scalar);
    } else {
      inner.Skip(tag & 7, static_cast<uint32_t>(tag >> 3));
    }
  }
  if (inner.failed()) return Fail("The serialized row is malformed");
  return error.empty();
}

bool ProtoRowDecoder::State::StoreValue(const ProtoField& field, WireReader* reader, idx_t slot,
                                        ColumnSink* sink) {
  if (field.wire == Wire::kMessage) {
    sink->SetValid(slot);
    const std::string_view bytes = reader->Bytes();
    if (reader->failed()) return Fail("The serialized row is malformed");
    return Message(plan->messages[field.message], bytes, slot, sink);
  }
  Scalar scalar;
  if (!ReadScalar(field, reader, &scalar)) return error.empty();
  if (reader->failed()) return Fail("The serialized row is malformed");
  if (field.store(scalar, slot, sink, {&arena, &error, options.refuses_wide_numbers})) [[likely]]
    return true;
  error = Suffixed(error, field.path);
  return false;
}

bool ProtoRowDecoder::State::StorePacked(const ProtoField& field, WireReader* reader, idx_t slot,
                                         ColumnSink* sink) {
  WireReader packed(reader->Bytes());
  if (reader->failed()) return Fail("The serialized row is malformed");
  while (!packed.AtEnd()) {
    if (!StoreValue(field, &packed, sink->PushElement(slot), &sink->child(0))) return false;
  }
  return !packed.failed() || Fail("The serialized row is malformed");
}

bool ProtoRowDecoder::State::StoreField(const ProtoField& field, WireReader* reader, idx_t slot,
                                        ColumnSink* sink) {
  if (!field.repeated) return StoreValue(field, reader, slot, sink);
  return StoreValue(field, reader, sink->PushElement(slot), &sink->child(0));
}

bool ProtoRowDecoder::State::ReadChangeField(const ProtoField& field, WireReader* reader) {
  const std::string_view value = reader->Bytes();
  if (field.role == FieldRole::kChangeType) {
    change_type = value;
    has_change_type = true;
  } else {
    sequence_number = value;
    has_sequence_number = true;
  }
  return !reader->failed() || Fail("The serialized row is malformed");
}

bool ProtoRowDecoder::State::Message(const ProtoMessage& message, std::string_view bytes, idx_t slot,
                                     ColumnSink* parent) {
  WireReader reader(bytes);
  while (!reader.AtEnd()) {
    const uint64_t tag = reader.Varint();
    const auto number = static_cast<uint32_t>(tag >> 3);
    const auto wire_type = static_cast<uint32_t>(tag & 7);
    if (reader.failed() || number == 0 || tag >> 32 != 0) return Fail("The serialized row is malformed");
    const ProtoField* field = message.Find(number);
    const uint32_t expected = field == nullptr ? 8
                              : field->wrapped ? 2
                                               : kWireTypeOf[static_cast<size_t>(field->wire)];
    bool stored = true;
    if (wire_type == expected) [[likely]] {
      stored = field->role == FieldRole::kColumn
                   ? StoreField(*field, &reader, slot, &SinkOf(parent, field->sink))
                   : ReadChangeField(*field, &reader);
    } else if (field != nullptr && field->repeated && wire_type == 2 && expected != 2) {
      stored = StorePacked(*field, &reader, slot, &SinkOf(parent, field->sink));
    } else {
      reader.Skip(wire_type, number);
    }
    if (!stored) [[unlikely]]
      return false;
  }
  if (reader.failed()) return Fail("The serialized row is malformed");
  return parent == nullptr || CheckRequired(message, slot, parent);
}

bool ProtoRowDecoder::State::CheckRequired(const ProtoMessage& message, idx_t slot, ColumnSink* parent) {
  for (size_t i = 0; i < message.required.size(); ++i) {
    const uint32_t column = message.required[i];
    if (SinkOf(parent, column).IsSet(slot)) [[likely]]
      continue;
    if (parent == nullptr && column < options.defaulted.size() && options.defaulted[column]) continue;
    return Fail(fmt::format("Missing required field: {}.", message.required_paths[i]));
  }
  return true;
}

bool ProtoRowDecoder::State::StoreChange(idx_t slot, duckdb_data_chunk chunk) {
  const bool is_delete = change_type == "DELETE";
  if (!is_delete && change_type != "UPSERT") {
    return Fail(fmt::format("The given value is not a valid CHANGE_TYPE: {}", change_type));
  }
  for (const size_t column : options.key) {
    if (!sinks[column].IsSet(slot)) {
      return Fail(fmt::format("Missing a value for the primary key column: {}.", plan->schema[column].name));
    }
  }
  const size_t columns = plan->schema.size();
  const auto deleted =
      static_cast<bool*>(duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, columns)));
  deleted[slot] = is_delete;
  ColumnSink& sequence = sinks[columns];
  if (!has_sequence_number) return true;
  std::string sections;
  if (!ParseSequenceNumber(sequence_number, &sections)) {
    return Fail(fmt::format("The given value is not a valid CHANGE_SEQUENCE_NUMBER: {}", sequence_number));
  }
  sequence.PutText(slot, arena.Copy(sections));
  return true;
}

bool ProtoRowDecoder::State::Row(std::string_view bytes, idx_t slot, duckdb_data_chunk chunk) {
  error.clear();
  change_type = sequence_number = {};
  has_change_type = has_sequence_number = false;
  if (!Message(plan->messages[0], bytes, slot, nullptr)) return false;
  if (!plan->has_change_type) return CheckRequired(plan->messages[0], slot, nullptr);
  if (!StoreChange(slot, chunk)) return false;
  return change_type == "DELETE" || CheckRequired(plan->messages[0], slot, nullptr);
}

ProtoRowDecoder::ProtoRowDecoder(std::shared_ptr<const ProtoPlan> plan, DecodeOptions options)
    : state_(std::make_unique<State>()) {
  state_->plan = std::move(plan);
  state_->options = std::move(options);
  for (const Column& column : state_->plan->schema) state_->sinks.emplace_back(column);
  Column sequence;
  sequence.type = Type::kBytes;
  if (state_->plan->has_change_type) state_->sinks.emplace_back(sequence);
}

ProtoRowDecoder::~ProtoRowDecoder() = default;
ProtoRowDecoder::ProtoRowDecoder(ProtoRowDecoder&&) noexcept = default;

void ProtoRowDecoder::Decode(std::span<const std::string_view> rows, int64_t first_index,
                             duckdb_data_chunk chunk, std::vector<RowError>* errors) {
  State& state = *state_;
  const size_t columns = state.plan->schema.size();

  for (size_t i = 0; i < state.sinks.size(); ++i) {
    // The sequence number lies behind the BOOLEAN, which has no sink.
    state.sinks[i].Attach(duckdb_data_chunk_get_vector(chunk, i < columns ? i : i + 1), rows.size());
  }
  for (size_t i = 0; i < rows.size(); ++i) {
    if (state.Row(rows[i], i, chunk)) [[likely]]
      continue;
    if (errors->size() < state.options.max_row_errors) {
      errors->push_back({first_index + static_cast<int64_t>(i), state.error});
    }
  }
  for (ColumnSink& sink : state.sinks) sink.Finish();
  duckdb_data_chunk_set_size(chunk, rows.size());
}

void ProtoRowDecoder::Release() {
  state_->arena.Reset();
}

bool ParseSequenceNumber(std::string_view text, std::string* sections) {
  sections->clear();
  for (int section = 0; section < 4; ++section) {
    const size_t end = text.find('/');
    const std::string_view digits = text.substr(0, end);
    if (digits.empty() || digits.size() > 16) return false;
    uint64_t value = 0;
    for (const char c : digits) {
      const int digit = c >= '0' && c <= '9'   ? c - '0'
                        : c >= 'a' && c <= 'f' ? c - 'a' + 10
                        : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                               : -1;
      if (digit < 0) return false;
      value = value << 4 | static_cast<uint64_t>(digit);
    }
    for (int shift = 56; shift >= 0; shift -= 8) *sections += static_cast<char>(value >> shift);
    if (end == std::string_view::npos) return true;
    text.remove_prefix(end + 1);
  }
  return false;
}

}  // namespace hakobu::localbq
