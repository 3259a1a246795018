#include "decode/binlog/json_node.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "absl/strings/escaping.h"
#include "base/arena.h"
#include "base/byte_reader.h"
#include "base/status.h"
#include "decode/binlog/packed.h"
#include "decode/binlog/table_map.h"

namespace hakobu::binlog {
namespace {

// json_binary.cc's type bytes.
enum JsonType : uint8_t {
  kSmallObject = 0,
  kLargeObject = 1,
  kSmallArray = 2,
  kLargeArray = 3,
  kLiteral = 4,
  kInt16 = 5,
  kUint16 = 6,
  kInt32 = 7,
  kUint32 = 8,
  kInt64 = 9,
  kUint64 = 10,
  kDouble = 11,
  kString = 12,
  kOpaque = 15,
};
constexpr int kMostDepth = 101;

absl::Status Broken() {
  return absl::DataLossError("binary JSON is cut short or corrupt");
}

void AppendQuoted(std::string_view value, std::string* text) {
  text->push_back('"');
  for (const char c : value) {
    switch (c) {
      case '"':
        text->append("\\\"");
        break;
      case '\\':
        text->append("\\\\");
        break;
      case '\b':
        text->append("\\b");
        break;
      case '\f':
        text->append("\\f");
        break;
      case '\n':
        text->append("\\n");
        break;
      case '\r':
        text->append("\\r");
        break;
      case '\t':
        text->append("\\t");
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          text->append(fmt::format("\\u{:04x}", static_cast<unsigned>(c)));
        } else {
          text->push_back(c);
        }
    }
  }
  text->push_back('"');
}

// The server's layout (my_gcvt with DBL_DIG): positional while the exponent is small, else d.ddde±x without
// padding. Whole numbers get ".0", so that they stay doubles.
std::string DoubleText(double value) {
  char buffer[40];
  const auto shortest = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific);
  const std::string_view text(buffer, static_cast<size_t>(shortest.ptr - buffer));
  const size_t mark = text.find('e');
  int exponent = 0;
  const std::string_view power = text.substr(mark + 1);
  std::from_chars(power.data() + (power[0] == '+' ? 1 : 0), power.data() + power.size(), exponent);
  std::string digits;
  for (const char c : text.substr(0, mark)) {
    if (c >= '0' && c <= '9') digits.push_back(c);
  }
  std::string out = text[0] == '-' ? "-" : "";
  constexpr int kMostPlaces = 15;
  const int point = exponent + 1;  // digits before the point
  if (point > kMostPlaces || point < -kMostPlaces + 1) {
    out += digits.substr(0, 1);
    if (digits.size() > 1) out += "." + digits.substr(1);
    return out + fmt::format("e{}", exponent);
  }
  if (point <= 0)
    return out + "0." + std::string(static_cast<size_t>(-point), '0') + digits + (value == 0 ? ".0" : "");
  const auto whole = static_cast<size_t>(point);
  if (digits.size() <= whole) return out + digits + std::string(whole - digits.size(), '0') + ".0";
  return out + digits.substr(0, whole) + "." + digits.substr(whole);
}

// TIME_from_longlong_datetime_packed and its siblings: (parts << 24) + microseconds.
std::string TemporalText(LogType type, int64_t packed) {
  const bool negative = packed < 0;
  const uint64_t magnitude = negative ? -static_cast<uint64_t>(packed) : static_cast<uint64_t>(packed);
  const uint64_t micros = magnitude & 0xffffff;
  const uint64_t whole = magnitude >> 24;
  const unsigned second = whole & 0x3f, minute = whole >> 6 & 0x3f;
  if (type == LogType::kTime) {
    return fmt::format("{}{:02}:{:02}:{:02}.{:06}", negative ? "-" : "", whole >> 12 & 0x3ff, minute, second,
                       micros);
  }
  const uint64_t day_part = whole >> 17;
  const uint64_t month_part = day_part >> 5;
  const std::string date =
      fmt::format("{:04}-{:02}-{:02}", month_part / 13, month_part % 13, day_part & 0x1f);
  if (type == LogType::kDate) return date;
  return fmt::format("{} {:02}:{:02}:{:02}.{:06}", date, whole >> 12 & 0x1f, minute, second, micros);
}

// A value of a type JSON does not have: Json_wrapper::to_string's forms.
absl::StatusOr<std::string> OpaqueText(std::string_view value) {
  ByteReader reader(value);
  const auto type = static_cast<LogType>(reader.U8());
  size_t size = 0;
  for (int shift = 0; shift < 35; shift += 7) {
    const uint8_t byte = reader.U8();
    size |= static_cast<size_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) break;
  }
  const std::string_view data = reader.Take(size);
  if (reader.failed()) return Broken();
  std::string text;
  switch (type) {
    case LogType::kNewDecimal: {
      if (data.size() < 2) return Broken();
      Arena arena(128);
      std::string_view digits;
      if (!DecimalText(data.substr(2), static_cast<uint8_t>(data[0]), static_cast<uint8_t>(data[1]), &arena,
                       &digits)) {
        return Broken();
      }
      return std::string(digits);
    }
    case LogType::kDate:
    case LogType::kTime:
    case LogType::kDateTime:
    case LogType::kTimestamp: {
      ByteReader packed(data);
      text = TemporalText(type, static_cast<int64_t>(packed.U64()));
      if (packed.failed()) return Broken();
      break;
    }
    default:
      text = fmt::format("base64:type{}:{}", static_cast<int>(type), absl::Base64Escape(View(data)));
  }
  std::string quoted;
  AppendQuoted(text, &quoted);
  return quoted;
}

class Parser {
 public:
  absl::StatusOr<JsonNode> Value(uint8_t type, std::string_view bytes, int depth) {
    if (depth > kMostDepth) return absl::DataLossError("binary JSON is nested deeper than 100 levels");
    if (type <= kLargeArray) {
      return Container(type <= kLargeObject, type == kLargeObject || type == kLargeArray, bytes, depth);
    }
    ByteReader reader(bytes);
    JsonNode node;
    switch (type) {
      case kLiteral: {
        const uint8_t literal = reader.U8();
        if (literal > 2) return Broken();
        node.scalar = literal == 0 ? "null" : literal == 1 ? "true" : "false";
        break;
      }
      case kInt16:
        node.scalar = fmt::format("{}", static_cast<int16_t>(reader.U16()));
        break;
      case kUint16:
        node.scalar = fmt::format("{}", reader.U16());
        break;
      case kInt32:
        node.scalar = fmt::format("{}", static_cast<int32_t>(reader.U32()));
        break;
      case kUint32:
        node.scalar = fmt::format("{}", reader.U32());
        break;
      case kInt64:
        node.scalar = fmt::format("{}", static_cast<int64_t>(reader.U64()));
        break;
      case kUint64:
        node.scalar = fmt::format("{}", reader.U64());
        break;
      case kDouble: {
        const uint64_t bits = reader.U64();
        double value;
        std::memcpy(&value, &bits, sizeof value);
        if (!(value - value == 0)) return Broken();  // JSON has neither infinities nor NaN
        node.scalar = DoubleText(value);
        break;
      }
      case kString: {
        const size_t size = VariableLength(&reader);
        AppendQuoted(reader.Take(size), &node.scalar);
        break;
      }
      case kOpaque: {
        HAKOBU_ASSIGN_OR_RETURN(node.scalar, OpaqueText(bytes));
        return node;
      }
      default:
        return Broken();
    }
    if (reader.failed()) return Broken();
    return node;
  }

 private:
  static size_t VariableLength(ByteReader* reader) {
    size_t size = 0;
    for (int shift = 0; shift < 35; shift += 7) {
      const uint8_t byte = reader->U8();
      size |= static_cast<size_t>(byte & 0x7f) << shift;
      if ((byte & 0x80) == 0) return size;
    }
    return size;
  }

  static bool IsInlined(uint8_t type, bool large) {
    return type == kLiteral || type == kInt16 || type == kUint16 ||
           (large && (type == kInt32 || type == kUint32));
  }

  absl::StatusOr<JsonNode> Container(bool object, bool large, std::string_view bytes, int depth) {
    const size_t offset_bytes = large ? 4 : 2;
    ByteReader reader(bytes);
    const uint64_t count = reader.LittleEndian(offset_bytes);
    const uint64_t size = reader.LittleEndian(offset_bytes);
    const size_t least = 1 + offset_bytes + (object ? offset_bytes + 2 : 0);
    if (reader.failed() || size > bytes.size() || count * least > size) return Broken();
    bytes = bytes.substr(0, size);
    JsonNode node;
    node.kind = object ? JsonNode::Kind::kObject : JsonNode::Kind::kArray;
    std::vector<std::string> keys;
    for (uint64_t i = 0; object && i < count; ++i) {
      const uint64_t offset = reader.LittleEndian(offset_bytes);
      const uint64_t length = reader.U16();
      if (offset + length > bytes.size()) return Broken();
      keys.emplace_back(bytes.substr(offset, length));
    }
    for (uint64_t i = 0; i < count; ++i) {
      const uint8_t type = reader.U8();
      const std::string_view slot = reader.Take(offset_bytes);
      if (reader.failed()) return Broken();
      std::string_view value = slot;
      if (!IsInlined(type, large)) {
        const uint64_t offset = ByteReader(slot).LittleEndian(offset_bytes);
        if (offset >= bytes.size()) return Broken();
        value = bytes.substr(offset);
      }
      HAKOBU_ASSIGN_OR_RETURN(JsonNode child, Value(type, value, depth + 1));
      if (object) {
        node.members.push_back({std::move(keys[i]), std::move(child)});
      } else {
        node.elements.push_back(std::move(child));
      }
    }
    return node;
  }
};

}  // namespace

absl::StatusOr<JsonNode> ParseBinaryJson(std::string_view document) {
  if (document.empty()) {
    JsonNode null;
    null.scalar = "null";
    return null;
  }
  return Parser().Value(static_cast<uint8_t>(document[0]), document.substr(1), 0);
}

void AppendNodeText(const JsonNode& node, std::string* text) {
  if (node.kind == JsonNode::Kind::kScalar) {
    text->append(node.scalar);
    return;
  }
  const bool object = node.kind == JsonNode::Kind::kObject;
  text->push_back(object ? '{' : '[');
  for (size_t i = 0; i < (object ? node.members.size() : node.elements.size()); ++i) {
    if (i > 0) text->append(", ");
    if (object) {
      AppendQuoted(node.members[i].name, text);
      text->append(": ");
      AppendNodeText(node.members[i].value, text);
    } else {
      AppendNodeText(node.elements[i], text);
    }
  }
  text->push_back(object ? '}' : ']');
}

}  // namespace hakobu::binlog
