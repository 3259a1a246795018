#include "decode/binlog/table_map.h"

#include <fmt/format.h>

#include "base/byte_reader.h"
#include "base/status.h"

namespace hakobu::binlog {
namespace {

// Table_map_event::Optional_metadata_field_type.
enum Metadata : uint8_t {
  kSignedness = 1,
  kDefaultCharset = 2,
  kColumnCharset = 3,
  kColumnName = 4,
  kSetLabels = 5,
  kEnumLabels = 6,
  kGeometryType = 7,
  kSimplePrimaryKey = 8,
  kPrimaryKeyWithPrefix = 9,
  kEnumSetDefaultCharset = 10,
  kEnumSetColumnCharset = 11,
  kVisibility = 12,
};

bool IsNumeric(LogType type) {
  switch (type) {
    case LogType::kTiny:
    case LogType::kShort:
    case LogType::kInt24:
    case LogType::kLong:
    case LogType::kLongLong:
    case LogType::kNewDecimal:
    case LogType::kFloat:
    case LogType::kDouble:
    case LogType::kYear:
      return true;
    default:
      return false;
  }
}

bool IsCharacter(LogType type) {
  switch (type) {
    case LogType::kString:
    case LogType::kVarString:
    case LogType::kVarchar:
    case LogType::kVarcharCompressed:
    case LogType::kBlob:
    case LogType::kBlobCompressed:
    case LogType::kVector:  // a blob to the server, of character set binary
      return true;
    default:
      return false;
  }
}

bool IsEnumOrSet(LogType type) {
  return type == LogType::kEnum || type == LogType::kSet;
}

// CHAR hides ENUM, SET and the length's high bits in its two bytes (Field_string::do_save_field_metadata).
void ReadStringMetadata(ByteReader* metadata, LogColumn* column) {
  const uint8_t first = metadata->U8();
  const uint8_t second = metadata->U8();
  const auto real = static_cast<LogType>(first);
  if (IsEnumOrSet(real)) {
    column->type = real;
    column->length = second;
  } else if ((first & 0x30) != 0x30) {
    column->type = static_cast<LogType>(first | 0x30);
    column->length = static_cast<uint16_t>(second | (((first & 0x30) ^ 0x30) << 4));
  } else {
    column->type = real;
    column->length = second;
  }
}

absl::Status ReadColumnMetadata(ByteReader* metadata, LogColumn* column) {
  switch (column->type) {
    case LogType::kFloat:
    case LogType::kDouble:
    case LogType::kTinyBlob:
    case LogType::kMediumBlob:
    case LogType::kLongBlob:
    case LogType::kBlob:
    case LogType::kBlobCompressed:
    case LogType::kGeometry:
    case LogType::kJson:
    case LogType::kVector:
      column->length = metadata->U8();
      break;
    case LogType::kTimestamp2:
    case LogType::kDateTime2:
    case LogType::kTime2:
      column->scale = metadata->U8();
      if (column->scale > 6) return absl::DataLossError("TABLE_MAP: more than 6 digits of a second");
      break;
    case LogType::kVarchar:
    case LogType::kVarString:
    case LogType::kVarcharCompressed:
      column->length = metadata->U16();
      break;
    case LogType::kNewDecimal:
      column->precision = metadata->U8();
      column->scale = metadata->U8();
      if (column->precision > 65 || column->scale > column->precision) {
        return absl::DataLossError("TABLE_MAP: a DECIMAL that cannot be");
      }
      break;
    case LogType::kBit: {
      const uint8_t bits = metadata->U8();
      column->length = static_cast<uint16_t>(metadata->U8() * 8 + bits);
      break;
    }
    case LogType::kString:
      ReadStringMetadata(metadata, column);
      break;
    case LogType::kEnum:
    case LogType::kSet:
      metadata->Skip(1);
      column->length = metadata->U8();
      break;
    case LogType::kTypedArray:
      return absl::UnimplementedError("typed arrays are not stored in tables; found one in a table map");
    default:
      break;  // integers and old temporals have no metadata
  }
  return absl::OkStatus();
}

template <typename Wanted, typename Set>
void ForEachColumn(TableMap* map, Wanted wanted, Set set) {
  for (LogColumn& column : map->columns) {
    if (wanted(column.type)) set(&column);
  }
}

// One bit a column, the first in the highest bit of the first byte.
template <typename Wanted, typename Set>
void ReadBits(std::string_view bits, TableMap* map, Wanted wanted, Set set) {
  size_t place = 0;
  ForEachColumn(map, wanted, [&](LogColumn* column) {
    const bool bit = place / 8 < bits.size() && (bits[place / 8] & (0x80 >> (place % 8))) != 0;
    set(column, bit);
    ++place;
  });
}

// A default collation, then (place among the wanted columns, collation) for those that differ.
template <typename Wanted>
void ReadDefaultCollation(std::string_view value, TableMap* map, Wanted wanted) {
  ByteReader reader(value);
  const auto default_collation = static_cast<uint32_t>(reader.LengthEncoded());
  std::vector<LogColumn*> columns;
  ForEachColumn(map, wanted, [&](LogColumn* column) {
    column->collation = default_collation;
    columns.push_back(column);
  });
  while (!reader.AtEnd()) {
    const uint64_t place = reader.LengthEncoded();
    const uint64_t collation = reader.LengthEncoded();
    if (place < columns.size()) columns[place]->collation = static_cast<uint32_t>(collation);
  }
}

template <typename Wanted>
void ReadCollations(std::string_view value, TableMap* map, Wanted wanted) {
  ByteReader reader(value);
  ForEachColumn(map, wanted, [&](LogColumn* column) {
    if (!reader.AtEnd()) column->collation = static_cast<uint32_t>(reader.LengthEncoded());
  });
}

void ReadLabels(std::string_view value, TableMap* map, LogType type) {
  ByteReader reader(value);
  ForEachColumn(
      map, [&](LogType found) { return found == type; },
      [&](LogColumn* column) {
        for (uint64_t count = reader.AtEnd() ? 0 : reader.LengthEncoded(); count > 0 && !reader.AtEnd();
             --count) {
          column->labels.emplace_back(reader.Take(reader.LengthEncoded()));
        }
      });
}

void ReadOptionalMetadata(ByteReader* reader, bool mariadb, TableMap* map) {
  const auto any = [](LogType) { return true; };
  // To MariaDB geometries are blobs with a character set, binary.
  const auto character = [mariadb](LogType type) {
    return IsCharacter(type) || (mariadb && type == LogType::kGeometry);
  };
  while (!reader->AtEnd()) {
    const uint8_t type = reader->U8();
    const std::string_view value = reader->Take(reader->LengthEncoded());
    ByteReader list(value);
    switch (type) {
      case kSignedness:
        ReadBits(value, map, IsNumeric, [](LogColumn* column, bool bit) { column->is_unsigned = bit; });
        break;
      case kDefaultCharset:
        ReadDefaultCollation(value, map, character);
        break;
      case kColumnCharset:
        ReadCollations(value, map, character);
        break;
      case kColumnName:
        for (LogColumn& column : map->columns) column.name = list.Take(list.LengthEncoded());
        map->has_names = true;
        break;
      case kSetLabels:
        ReadLabels(value, map, LogType::kSet);
        break;
      case kEnumLabels:
        ReadLabels(value, map, LogType::kEnum);
        break;
      case kGeometryType:
        ForEachColumn(
            map, [](LogType found) { return found == LogType::kGeometry; },
            [&](LogColumn* column) { column->geometry_type = static_cast<uint32_t>(list.LengthEncoded()); });
        break;
      case kSimplePrimaryKey:
        while (!list.AtEnd()) map->primary_key.push_back(list.LengthEncoded());
        break;
      case kPrimaryKeyWithPrefix:
        while (!list.AtEnd()) {
          map->primary_key.push_back(list.LengthEncoded());
          list.LengthEncoded();
        }
        break;
      case kEnumSetDefaultCharset:
        ReadDefaultCollation(value, map, IsEnumOrSet);
        break;
      case kEnumSetColumnCharset:
        ReadCollations(value, map, IsEnumOrSet);
        break;
      case kVisibility:
        ReadBits(value, map, any, [](LogColumn* column, bool bit) { column->visible = bit; });
        break;
      default:
        break;  // later servers add kinds; none changes how rows are read
    }
  }
  std::erase_if(map->primary_key, [&](size_t place) { return place >= map->columns.size(); });
}

}  // namespace

uint64_t PeekTableId(std::string_view body, const Format& format) {
  return ByteReader(body).LittleEndian(format.table_id_bytes);
}

absl::StatusOr<TableMap> ParseTableMap(std::string_view body, const Format& format) {
  ByteReader reader(body);
  TableMap map;
  map.table_id = reader.LittleEndian(format.table_id_bytes);
  reader.Skip(2);
  map.database = reader.Take(reader.U8());
  reader.Skip(1);
  map.table = reader.Take(reader.U8());
  reader.Skip(1);
  const std::string_view types = reader.Take(reader.LengthEncoded());
  ByteReader metadata(reader.Take(reader.LengthEncoded()));
  const std::string_view nullable = reader.Take((types.size() + 7) / 8);
  if (reader.failed()) return absl::DataLossError("TABLE_MAP is cut short");
  map.columns.resize(types.size());
  for (size_t i = 0; i < types.size(); ++i) {
    LogColumn& column = map.columns[i];
    column.type = static_cast<LogType>(static_cast<uint8_t>(types[i]));
    column.nullable = (nullable[i / 8] & (1 << (i % 8))) != 0;
    HAKOBU_RETURN_IF_ERROR(ReadColumnMetadata(&metadata, &column));
  }
  if (metadata.failed()) {
    return absl::DataLossError(
        fmt::format("TABLE_MAP of {}.{}: column metadata is cut short", map.database, map.table));
  }
  ReadOptionalMetadata(&reader, format.mariadb, &map);
  if (reader.failed()) {
    return absl::DataLossError(
        fmt::format("TABLE_MAP of {}.{}: optional metadata is cut short", map.database, map.table));
  }
  return map;
}

}  // namespace hakobu::binlog
