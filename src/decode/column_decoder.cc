#include "decode/column_decoder.h"

#include <algorithm>

#include "decode/temporal.h"
#include "decode/utf8.h"
#include "decode/wire.h"

namespace hakobu {
namespace {

template <typename Number>
const char* DecodeSigned(const ColumnDecoder&, const char* at, const char* end, Arena*, Cell* cell) {
  if (end - at < static_cast<std::ptrdiff_t>(sizeof(Number))) [[unlikely]]
    return nullptr;
  *cell = Cell::Integer(CellKind::kInt64, static_cast<int64_t>(Load<Number>(at)));
  return at + sizeof(Number);
}

const char* DecodeUnsigned64(const ColumnDecoder&, const char* at, const char* end, Arena*, Cell* cell) {
  if (end - at < 8) [[unlikely]]
    return nullptr;
  *cell = Cell::Unsigned(Load<uint64_t>(at));
  return at + 8;
}

const char* DecodeFloat(const ColumnDecoder&, const char* at, const char* end, Arena*, Cell* cell) {
  if (end - at < 4) [[unlikely]]
    return nullptr;
  *cell = Cell::Real(CellKind::kFloat, Load<float>(at));
  return at + 4;
}

const char* DecodeDouble(const ColumnDecoder&, const char* at, const char* end, Arena*, Cell* cell) {
  if (end - at < 8) [[unlikely]]
    return nullptr;
  *cell = Cell::Real(CellKind::kDouble, Load<double>(at));
  return at + 8;
}

// ZEROFILL's leading zeros go, but for the one before the point.
std::string_view WithoutZeros(std::string_view digits, Arena* arena) {
  const bool negative = !digits.empty() && digits.front() == '-';
  std::string_view number = digits.substr(negative ? 1 : 0);
  while (number.size() > 1 && number[0] == '0' && number[1] != '.') number.remove_prefix(1);
  if (!negative) return number;
  if (number.size() + 1 == digits.size()) return digits;
  char* text = arena->Allocate(number.size() + 1);
  text[0] = '-';
  std::copy(number.begin(), number.end(), text + 1);
  return {text, number.size() + 1};
}

const char* DecodeDecimal(const ColumnDecoder&, const char* at, const char* end, Arena* arena, Cell* cell) {
  std::string_view text;
  at = LoadText(at, end, &text);
  if (at == nullptr) [[unlikely]]
    return nullptr;
  const size_t sign = !text.empty() && text.front() == '-' ? 1 : 0;
  size_t points = 0;
  size_t digits = 0;
  for (const char character : text.substr(sign)) {
    points += character == '.' ? 1 : 0;
    digits += character >= '0' && character <= '9' ? 1 : 0;
  }
  if (digits == 0 || points > 1 || sign + points + digits != text.size()) [[unlikely]]
    return nullptr;
  *cell = Cell::Text(CellKind::kDecimal, text[sign] == '0' ? WithoutZeros(text, arena) : text);
  return at;
}

// The bytes as the client prints what is no text: 0x and upper-case hex.
[[gnu::noinline]] Cell Undecodable(std::string_view bytes, Arena* arena) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  char* text = arena->Allocate(2 + 2 * bytes.size());
  char* to = text;
  *to++ = '0';
  *to++ = 'x';
  for (const char byte : bytes) {
    *to++ = kDigits[static_cast<uint8_t>(byte) >> 4];
    *to++ = kDigits[static_cast<uint8_t>(byte) & 15];
  }
  return Cell::Text(CellKind::kInvalid, {text, static_cast<size_t>(to - text)});
}

// Character columns, ENUM and SET by label, and JSON: all UTF-8 on this connection.
const char* DecodeUtf8(const ColumnDecoder& column, const char* at, const char* end, Arena* arena,
                       Cell* cell) {
  std::string_view text;
  at = LoadText(at, end, &text);
  if (at == nullptr) [[unlikely]]
    return nullptr;
  *cell = IsUtf8(text) ? Cell::Text(column.kind, text) : Undecodable(text, arena);
  return at;
}

const char* DecodeCharset(const ColumnDecoder& column, const char* at, const char* end, Arena* arena,
                          Cell* cell) {
  std::string_view bytes;
  at = LoadText(at, end, &bytes);
  if (at == nullptr) [[unlikely]]
    return nullptr;
  std::string_view text;
  *cell =
      column.charset->ToUtf8(bytes, arena, &text) ? Cell::Text(column.kind, text) : Undecodable(bytes, arena);
  return at;
}

const char* DecodeBytes(const ColumnDecoder& column, const char* at, const char* end, Arena*, Cell* cell) {
  std::string_view bytes;
  at = LoadText(at, end, &bytes);
  if (at == nullptr) [[unlikely]]
    return nullptr;
  *cell = Cell::Text(column.kind, bytes);
  return at;
}

const char* DecodeBinary(const ColumnDecoder& column, const char* at, const char* end, Arena* arena,
                         Cell* cell) {
  std::string_view bytes;
  at = LoadText(at, end, &bytes);
  if (at == nullptr) [[unlikely]]
    return nullptr;
  if (bytes.size() < column.length) [[unlikely]] {
    char* padded = arena->Allocate(column.length);
    std::fill(std::copy(bytes.begin(), bytes.end(), padded), padded + column.length, '\0');
    bytes = {padded, column.length};
  }
  *cell = Cell::Text(CellKind::kBytes, bytes);
  return at;
}

const char* DecodeBit(const ColumnDecoder&, const char* at, const char* end, Arena*, Cell* cell) {
  std::string_view bytes;
  at = LoadText(at, end, &bytes);
  if (at == nullptr || bytes.size() > 8) [[unlikely]]
    return nullptr;
  uint64_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<uint8_t>(byte);
  *cell = Cell::Unsigned(value);
  return at;
}

struct Form {
  DecodeFunction decode;
  CellKind kind;
};

Form IntegerForm(const SourceColumn& column) {
  const bool is_unsigned = column.is_unsigned;
  switch (column.type) {
    case SourceType::kTinyInt:
      return {is_unsigned ? DecodeSigned<uint8_t> : DecodeSigned<int8_t>, CellKind::kInt64};
    case SourceType::kSmallInt:
      return {is_unsigned ? DecodeSigned<uint16_t> : DecodeSigned<int16_t>, CellKind::kInt64};
    case SourceType::kMediumInt:  // as four bytes, sign extended
    case SourceType::kInt:
      return {is_unsigned ? DecodeSigned<uint32_t> : DecodeSigned<int32_t>, CellKind::kInt64};
    case SourceType::kYear:
      return {DecodeSigned<uint16_t>, CellKind::kInt64};
    default:
      if (is_unsigned) return {DecodeUnsigned64, CellKind::kUInt64};
      return {DecodeSigned<int64_t>, CellKind::kInt64};
  }
}

Form FormOf(const SourceColumn& column) {
  switch (column.type) {
    case SourceType::kTinyInt:
    case SourceType::kSmallInt:
    case SourceType::kMediumInt:
    case SourceType::kInt:
    case SourceType::kBigInt:
    case SourceType::kYear:
      return IntegerForm(column);
    case SourceType::kDecimal:
      return {DecodeDecimal, CellKind::kDecimal};
    case SourceType::kFloat:
      return {DecodeFloat, CellKind::kFloat};
    case SourceType::kDouble:
      return {DecodeDouble, CellKind::kDouble};
    case SourceType::kBit:
      return {DecodeBit, CellKind::kUInt64};
    case SourceType::kChar:
    case SourceType::kVarchar:
    case SourceType::kText:
    case SourceType::kEnum:
    case SourceType::kSet:
      return {DecodeUtf8, CellKind::kString};
    case SourceType::kBinary:
      return {DecodeBinary, CellKind::kBytes};
    case SourceType::kVarbinary:
    case SourceType::kBlob:
      return {DecodeBytes, CellKind::kBytes};
    case SourceType::kDate:
      return {DecodeDate, CellKind::kDate};
    case SourceType::kDateTime:
      return {DecodeDateTime, CellKind::kDateTime};
    case SourceType::kTimestamp:
      return {DecodeDateTime, CellKind::kTimestamp};
    case SourceType::kTime:
      return {DecodeTime, CellKind::kTime};
    case SourceType::kJson:
      return {DecodeUtf8, CellKind::kJson};
    case SourceType::kGeometry:
      return {DecodeBytes, CellKind::kGeometry};
    case SourceType::kVector:
      return {DecodeBytes, CellKind::kVector};
  }
  return {DecodeBytes, CellKind::kBytes};
}

}  // namespace

ColumnDecoder MakeColumnDecoder(const SourceColumn& column, size_t place) {
  const Form form = FormOf(column);
  ColumnDecoder decoder{form.decode, static_cast<uint32_t>(place), column.fraction, column.length, form.kind};
  if (ArrivesInOwnCharset(column)) {
    decoder.charset = Charset::Find(column.charset);
    if (decoder.charset != nullptr) decoder.decode = DecodeCharset;
  }
  return decoder;
}

}  // namespace hakobu
