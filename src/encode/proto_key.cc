#include "encode/proto_key.h"

#include <bit>
#include <charconv>
#include <map>

#include "base/byte_reader.h"
#include "encode/binary_text.h"
#include "encode/decimal.h"
#include "encode/number_text.h"
#include "encode/temporal.h"
#include "encode/text_form.h"

namespace hakobu {
namespace {

struct WireValue {
  uint64_t number = 0;
  std::string_view bytes;
};

uint64_t ReadVarint(ByteReader* reader) {
  uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    const uint8_t byte = reader->U8();
    value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) break;
  }
  return value;
}

// Fields by tag. False for bytes that are no message.
bool ReadFields(std::string_view message, std::map<uint64_t, WireValue>* fields) {
  ByteReader reader(message);
  while (!reader.AtEnd() && !reader.failed()) {
    const uint64_t tag = ReadVarint(&reader);
    WireValue& value = (*fields)[tag];
    switch (tag & 7) {
      case 0:
        value.number = ReadVarint(&reader);
        break;
      case 1:
        value.number = reader.U64();
        break;
      case 2:
        value.bytes = reader.Take(ReadVarint(&reader));
        break;
      default:
        return false;
    }
  }
  return !reader.failed();
}

uint64_t TagOf(const Column& column) {
  std::array<char, 4> bytes;
  std::memcpy(bytes.data(), &column.prefix, bytes.size());
  ByteReader reader({bytes.data(), column.prefix_size});
  return ReadVarint(&reader);
}

std::string Quoted(std::string_view text) {
  return "'" + EscapeInvalidUtf8(FirstCharacters(CutUtf8(text, 400), 100)) + "'";
}

std::string TimeText(int64_t packed) {
  const int64_t seconds = packed >> 20;
  const int64_t second = (seconds >> 12 & 31) * 3600 + (seconds >> 6 & 63) * 60 + (seconds & 63);
  ShortText room;
  const char* end = WriteTime(second * kMicrosPerSecond + (packed & 0xfffff), 6, room.data());
  return {room.data(), static_cast<size_t>(end - room.data())};
}

std::string DateTimeText(int64_t packed) {
  const int64_t date = packed >> 37;
  std::string text = std::to_string(date >> 9) + "-";
  const auto two = [&](int64_t part) { text += (part < 10 ? "0" : "") + std::to_string(part); };
  two(date >> 5 & 15);
  text += '-';
  two(date & 31);
  return text + " " + TimeText(packed & ((int64_t{1} << 37) - 1));
}

std::string ValueText(const Column& column, const WireValue& value) {
  ShortText room;
  const auto until = [&](const char* end) {
    return std::string(room.data(), static_cast<size_t>(end - room.data()));
  };
  const auto integer = static_cast<int64_t>(value.number);
  switch (column.type) {
    case FieldType::kInt64:
      return std::to_string(integer);
    case FieldType::kBool:
      return integer != 0 ? "true" : "false";
    case FieldType::kFloat64:
      return until(WriteDouble(std::bit_cast<double>(value.number), room.data()));
    case FieldType::kNumeric:
      return ScaledText(value.bytes, 9);
    case FieldType::kBigNumeric:
      return ScaledText(value.bytes, 38);
    case FieldType::kDate:
      return "'" + until(WriteDate(integer, room.data())) + "'";
    case FieldType::kDateTime:
      return "'" + DateTimeText(integer) + "'";
    case FieldType::kTime:
      return "'" + TimeText(integer) + "'";
    case FieldType::kTimestamp:
      return "'" + until(WriteDateTime(integer, 6, room.data())) + "'";
    default:
      return Quoted(value.bytes);
  }
}

}  // namespace

std::string ProtoKeyText(const Columns& columns, std::string_view message) {
  if (columns.key.empty()) return "(no key)";
  std::map<uint64_t, WireValue> fields;
  if (!ReadFields(message, &fields)) return "(unreadable)";
  std::string text;
  for (const size_t key : columns.key) {
    const Column& column = columns.all[key];
    if (!text.empty()) text += ", ";
    const auto value = fields.find(TagOf(column));
    if (column.mask != Mask::kNone) {
      text += "(masked)";
    } else {
      text += value == fields.end() ? "NULL" : ValueText(column, value->second);
    }
  }
  return text;
}

}  // namespace hakobu
