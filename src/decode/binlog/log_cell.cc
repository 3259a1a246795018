#include "decode/binlog/log_cell.h"

#include <fmt/format.h>
#include <zlib.h>

#include <cstring>

#include "decode/binlog/binary_json.h"
#include "decode/binlog/packed.h"
#include "decode/charset/charset.h"

namespace hakobu::binlog {
namespace {

template <size_t kBytes>
bool Integer(const LogCellColumn& column, ByteReader* reader, Arena*, std::string*, Cell* cell) {
  const uint64_t raw = reader->LittleEndian(kBytes);
  if (column.is_unsigned) {
    *cell = kBytes == 8 ? Cell::Unsigned(raw) : Cell::Integer(CellKind::kInt64, static_cast<int64_t>(raw));
    return true;
  }
  constexpr int kShift = 64 - 8 * static_cast<int>(kBytes);
  *cell = Cell::Integer(CellKind::kInt64, static_cast<int64_t>(raw << kShift) >> kShift);
  return true;
}

bool Float(const LogCellColumn&, ByteReader* reader, Arena*, std::string*, Cell* cell) {
  const uint32_t bits = reader->U32();
  float value;
  std::memcpy(&value, &bits, sizeof value);
  *cell = Cell::Real(CellKind::kFloat, value);
  return true;
}

bool Double(const LogCellColumn&, ByteReader* reader, Arena*, std::string*, Cell* cell) {
  const uint64_t bits = reader->U64();
  double value;
  std::memcpy(&value, &bits, sizeof value);
  *cell = Cell::Real(CellKind::kDouble, value);
  return true;
}

bool Decimal(const LogCellColumn& column, ByteReader* reader, Arena* arena, std::string*, Cell* cell) {
  if (column.precision < column.scale) return false;
  const std::string_view bytes = reader->Take(PackedDecimalBytes(column.precision, column.scale));
  std::string_view text;
  if (!DecimalText(bytes, column.precision, column.scale, arena, &text)) return false;
  *cell = Cell::Text(CellKind::kDecimal, text);
  return true;
}

bool Year(const LogCellColumn&, ByteReader* reader, Arena*, std::string*, Cell* cell) {
  const uint8_t value = reader->U8();
  *cell = Cell::Integer(CellKind::kInt64, value == 0 ? 0 : 1900 + value);
  return true;
}

bool Date(const LogCellColumn&, ByteReader* reader, Arena* arena, std::string*, Cell* cell) {
  const uint32_t value = reader->U24();
  *cell = DateCell({.year = value >> 9, .month = value >> 5 & 15, .day = value & 31}, arena);
  return true;
}

// The fraction of a second in (digits + 1) / 2 bytes, as microseconds.
unsigned FractionMicros(unsigned digits, ByteReader* reader) {
  const auto raw = static_cast<unsigned>(reader->BigEndian((digits + 1) / 2));
  return digits == 0 ? 0 : digits <= 2 ? raw * 10000 : digits <= 4 ? raw * 100 : raw;
}

bool DateTime2(const LogCellColumn& column, ByteReader* reader, Arena* arena, std::string*, Cell* cell) {
  const uint64_t packed = reader->BigEndian(5) - 0x8000000000;  // the sign bit, always set
  CivilParts parts;
  const auto months = static_cast<unsigned>(packed >> 22 & 0x1ffff);
  parts.year = months / 13;
  parts.month = months % 13;
  parts.day = packed >> 17 & 31;
  parts.hour = packed >> 12 & 31;
  parts.minute = packed >> 6 & 63;
  parts.second = packed & 63;
  parts.micros = FractionMicros(column.scale, reader);
  *cell = DateTimeCell(parts, column.scale, arena);
  return true;
}

bool Timestamp2(const LogCellColumn& column, ByteReader* reader, Arena* arena, std::string*, Cell* cell) {
  const auto seconds = static_cast<int64_t>(reader->BigEndian(4));
  const unsigned micros = FractionMicros(column.scale, reader);
  *cell = seconds == 0 && micros == 0 ? DateTimeCell({}, column.scale, arena)
                                      : Cell::Integer(CellKind::kTimestamp, seconds * 1000000 + micros);
  return true;
}

// my_time_packed_from_binary: the fraction of a negative time counts from the second below it.
bool Time2(const LogCellColumn& column, ByteReader* reader, Arena*, std::string*, Cell* cell) {
  const unsigned fraction_bytes = (column.scale + 1u) / 2;
  const auto raw = static_cast<int64_t>(reader->BigEndian(3 + fraction_bytes));
  const int64_t offset = raw - (int64_t{0x800000} << (8 * fraction_bytes));
  const bool negative = offset < 0;
  const uint64_t magnitude = static_cast<uint64_t>(negative ? -offset : offset);
  const uint64_t whole = magnitude >> (8 * fraction_bytes);
  const uint64_t fraction = magnitude & ((1ull << (8 * fraction_bytes)) - 1);
  const uint64_t micros = fraction_bytes == 1   ? fraction * 10000
                          : fraction_bytes == 2 ? fraction * 100
                                                : fraction;
  const uint64_t seconds = (whole >> 12 & 0x3ff) * 3600 + (whole >> 6 & 63) * 60 + (whole & 63);
  const auto total = static_cast<int64_t>(seconds * 1000000 + micros);
  *cell = Cell::Integer(CellKind::kTime, negative ? -total : total);
  return true;
}

// Before MySQL 5.6 (and MariaDB with mysql56_temporal_format=OFF): decimal digits in an integer.
bool OldTime(const LogCellColumn&, ByteReader* reader, Arena*, std::string*, Cell* cell) {
  const auto value = static_cast<int32_t>(reader->U24() << 8) >> 8;
  const int64_t magnitude = value < 0 ? -value : value;
  const int64_t seconds = magnitude / 10000 * 3600 + magnitude / 100 % 100 * 60 + magnitude % 100;
  *cell = Cell::Integer(CellKind::kTime, (value < 0 ? -seconds : seconds) * 1000000);
  return true;
}

bool OldDateTime(const LogCellColumn&, ByteReader* reader, Arena* arena, std::string*, Cell* cell) {
  const uint64_t value = reader->U64();
  const auto date = static_cast<unsigned>(value / 1000000);
  const auto time = static_cast<unsigned>(value % 1000000);
  *cell = DateTimeCell({.year = date / 10000,
                        .month = date / 100 % 100,
                        .day = date % 100,
                        .hour = time / 10000,
                        .minute = time / 100 % 100,
                        .second = time % 100},
                       0, arena);
  return true;
}

bool OldTimestamp(const LogCellColumn&, ByteReader* reader, Arena* arena, std::string*, Cell* cell) {
  const auto seconds = static_cast<int64_t>(reader->U32());
  *cell = seconds == 0 ? DateTimeCell({}, 0, arena) : Cell::Integer(CellKind::kTimestamp, seconds * 1000000);
  return true;
}

bool Bit(const LogCellColumn& column, ByteReader* reader, Arena*, std::string*, Cell* cell) {
  const size_t bytes = (column.length + 7u) / 8;
  if (bytes == 0 || bytes > 8) return false;
  *cell = Cell::Unsigned(reader->BigEndian(bytes));
  return true;
}

void TextOrBytes(const LogCellColumn& column, std::string_view bytes, Arena* arena, Cell* cell) {
  if (column.charset == nullptr) {
    *cell = Cell::Text(CellKind::kBytes, bytes);
    return;
  }
  std::string_view utf8;
  if (column.charset->ToUtf8(bytes, arena, &utf8)) {
    *cell = Cell::Text(column.is_json_text ? CellKind::kJson : CellKind::kString, utf8);
  } else {
    *cell = Cell::Text(CellKind::kInvalid, bytes);
  }
}

// CHAR and BINARY: the log drops what they are padded with. SELECT drops CHAR's spaces too, but not BINARY's
// zeros.
bool FixedString(const LogCellColumn& column, ByteReader* reader, Arena* arena, std::string*, Cell* cell) {
  const size_t size = column.length > 255 ? reader->U16() : reader->U8();
  std::string_view bytes = reader->Take(size);
  if (column.charset == nullptr && bytes.size() < column.length) {
    char* padded = arena->Allocate(column.length);
    std::memset(padded, 0, column.length);
    if (!bytes.empty()) std::memcpy(padded, bytes.data(), bytes.size());
    bytes = {padded, column.length};
  }
  TextOrBytes(column, bytes, arena, cell);
  return true;
}

bool VariableString(const LogCellColumn& column, ByteReader* reader, Arena* arena, std::string*, Cell* cell) {
  const size_t size = column.length > 255 ? reader->U16() : reader->U8();
  TextOrBytes(column, reader->Take(size), arena, cell);
  return true;
}

std::string_view TakeBlob(const LogCellColumn& column, ByteReader* reader) {
  if (column.length < 1 || column.length > 4) {
    reader->Skip(reader->remaining() + 1);  // fails the reader
    return {};
  }
  return reader->Take(reader->LittleEndian(column.length));
}

bool Blob(const LogCellColumn& column, ByteReader* reader, Arena* arena, std::string*, Cell* cell) {
  TextOrBytes(column, TakeBlob(column, reader), arena, cell);
  return true;
}

// MariaDB's COMPRESSED columns (sql/field_comp.cc): a byte of method, wrapper flag and length size, then the
// length of the value, then zlib's bytes. Method 0: the value itself.
bool Inflate(std::string_view stored, Arena* arena, std::string_view* value) {
  if (stored.empty()) {
    *value = {};
    return true;
  }
  const auto header = static_cast<uint8_t>(stored[0]);
  if ((header & 0xf0) == 0) {
    *value = stored.substr(1);
    return true;
  }
  constexpr uint8_t kZlib = 0x80, kNoWrapper = 0x08, kLengthSize = 0x07;
  if ((header & 0xf0) != kZlib) return false;
  ByteReader reader(stored.substr(1));
  const size_t length_bytes = header & kLengthSize;
  if (length_bytes < 1 || length_bytes > 4) return false;
  const uint64_t length = reader.BigEndian(length_bytes);
  const std::string_view packed = reader.Rest();
  // zlib never does better than about 1,032 to 1: a larger claim is a corrupt one.
  if (reader.failed() || length > packed.size() * 1100 + 64) return false;
  char* out = arena->Allocate(length);
  z_stream stream{};
  if (inflateInit2(&stream, (header & kNoWrapper) != 0 ? -MAX_WBITS : MAX_WBITS) != Z_OK) return false;
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(out);
  stream.avail_out = static_cast<uInt>(length);
  const bool whole = inflate(&stream, Z_FINISH) == Z_STREAM_END && stream.avail_out == 0;
  inflateEnd(&stream);
  *value = {out, length};
  return whole;
}

bool CompressedString(const LogCellColumn& column, ByteReader* reader, Arena* arena, std::string*,
                      Cell* cell) {
  const size_t size = column.length > 255 ? reader->U16() : reader->U8();
  std::string_view value;
  if (!Inflate(reader->Take(size), arena, &value)) return false;
  TextOrBytes(column, value, arena, cell);
  return true;
}

bool CompressedBlob(const LogCellColumn& column, ByteReader* reader, Arena* arena, std::string*, Cell* cell) {
  std::string_view value;
  if (!Inflate(TakeBlob(column, reader), arena, &value)) return false;
  TextOrBytes(column, value, arena, cell);
  return true;
}

bool Enum(const LogCellColumn& column, ByteReader* reader, Arena* arena, std::string*, Cell* cell) {
  if (column.length < 1 || column.length > 2) return false;
  const uint64_t number = reader->LittleEndian(column.length);
  if (number == 0) {
    *cell = Cell::Text(CellKind::kString, {});
  } else if (number <= column.labels.size()) {
    *cell = Cell::Text(CellKind::kString, arena->Copy(column.labels[number - 1]));
  } else if (column.labels.empty()) {
    *cell = Cell::Integer(CellKind::kInt64, static_cast<int64_t>(number));
  } else {
    return false;
  }
  return true;
}

bool Set(const LogCellColumn& column, ByteReader* reader, Arena* arena, std::string* scratch, Cell* cell) {
  if (column.length < 1 || column.length > 8) return false;
  const uint64_t members = reader->LittleEndian(column.length);
  if (column.labels.empty()) {
    *cell = Cell::Unsigned(members);
    return true;
  }
  scratch->clear();
  for (size_t i = 0; i < column.labels.size() && i < 64; ++i) {
    if ((members >> i & 1) == 0) continue;
    if (!scratch->empty()) scratch->push_back(',');
    scratch->append(column.labels[i]);
  }
  *cell = Cell::Text(CellKind::kString, arena->Copy(*scratch));
  return true;
}

bool Json(const LogCellColumn& column, ByteReader* reader, Arena* arena, std::string* scratch, Cell* cell) {
  scratch->clear();
  if (!AppendJsonText(TakeJsonBytes(column, reader), scratch).ok()) return false;
  *cell = Cell::Text(CellKind::kJson, arena->Copy(*scratch));
  return true;
}

template <CellKind kKind>
bool RawBlob(const LogCellColumn& column, ByteReader* reader, Arena*, std::string*, Cell* cell) {
  *cell = Cell::Text(kKind, TakeBlob(column, reader));
  return true;
}

}  // namespace

std::string_view TakeJsonBytes(const LogCellColumn& column, ByteReader* reader) {
  return TakeBlob(column, reader);
}

LogCellDecoder FindLogCellDecoder(LogType type) {
  switch (type) {
    case LogType::kTiny:
      return Integer<1>;
    case LogType::kShort:
      return Integer<2>;
    case LogType::kInt24:
      return Integer<3>;
    case LogType::kLong:
      return Integer<4>;
    case LogType::kLongLong:
      return Integer<8>;
    case LogType::kFloat:
      return Float;
    case LogType::kDouble:
      return Double;
    case LogType::kNewDecimal:
      return Decimal;
    case LogType::kYear:
      return Year;
    case LogType::kDate:
    case LogType::kNewDate:
      return Date;
    case LogType::kTime:
      return OldTime;
    case LogType::kDateTime:
      return OldDateTime;
    case LogType::kTimestamp:
      return OldTimestamp;
    case LogType::kTime2:
      return Time2;
    case LogType::kDateTime2:
      return DateTime2;
    case LogType::kTimestamp2:
      return Timestamp2;
    case LogType::kBit:
      return Bit;
    case LogType::kEnum:
      return Enum;
    case LogType::kSet:
      return Set;
    case LogType::kString:
      return FixedString;
    case LogType::kVarchar:
    case LogType::kVarString:
      return VariableString;
    case LogType::kVarcharCompressed:
      return CompressedString;
    case LogType::kTinyBlob:
    case LogType::kMediumBlob:
    case LogType::kLongBlob:
    case LogType::kBlob:
      return Blob;
    case LogType::kBlobCompressed:
      return CompressedBlob;
    case LogType::kJson:
      return Json;
    case LogType::kGeometry:
      return RawBlob<CellKind::kGeometry>;
    case LogType::kVector:
      return RawBlob<CellKind::kVector>;
    case LogType::kNull:
    case LogType::kTypedArray:
      return nullptr;
  }
  return nullptr;
}

}  // namespace hakobu::binlog
