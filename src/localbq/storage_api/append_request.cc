#include "localbq/storage_api/append_request.h"

#include "localbq/storage_api/wire_reader.h"

namespace hakobu::localbq {
namespace {

constexpr uint64_t BytesTag(uint32_t number) {
  return number << 3 | 2;
}
constexpr uint64_t VarintTag(uint32_t number) {
  return number << 3;
}

// Calls `field(tag, reader)`, which takes the value and answers true, or answers false to have it skipped.
template <typename Field>
bool ForEachField(std::string_view bytes, Field field) {
  WireReader reader(bytes);
  while (!reader.AtEnd()) {
    const uint64_t tag = reader.Varint();
    if (!field(tag, reader)) reader.Skip(tag & 7, static_cast<uint32_t>(tag >> 3));
  }
  return !reader.failed();
}

// The one bytes field number 1 of ProtoSchema, ArrowSchema, ArrowRecordBatch.
bool ReadOnlyBytes(std::string_view bytes, std::optional<std::string_view>* value) {
  *value = std::string_view();
  return ForEachField(bytes, [&](uint64_t tag, WireReader& reader) {
    if (tag != BytesTag(1)) return false;
    *value = reader.Bytes();
    return true;
  });
}

bool ParseProtoData(std::string_view bytes, AppendRequest* request) {
  request->is_proto = true;
  bool good = true;
  const bool parsed = ForEachField(bytes, [&](uint64_t tag, WireReader& reader) {
    if (tag == BytesTag(1)) {
      good = ReadOnlyBytes(reader.Bytes(), &request->proto_descriptor) && good;
      return true;
    }
    if (tag != BytesTag(2)) return false;
    good = ForEachField(reader.Bytes(),
                        [&](uint64_t row_tag, WireReader& rows) {
                          if (row_tag != BytesTag(1)) return false;
                          request->rows.push_back(rows.Bytes());
                          return true;
                        }) &&
           good;
    return true;
  });
  return parsed && good;
}

bool ParseArrowData(std::string_view bytes, AppendRequest* request) {
  bool good = true;
  const bool parsed = ForEachField(bytes, [&](uint64_t tag, WireReader& reader) {
    if (tag != BytesTag(1) && tag != BytesTag(2)) return false;
    good =
        ReadOnlyBytes(reader.Bytes(), tag == BytesTag(1) ? &request->arrow_schema : &request->arrow_batch) &&
        good;
    return true;
  });
  return parsed && good;
}

bool ParseOffset(std::string_view bytes, AppendRequest* request) {
  request->offset = 0;
  return ForEachField(bytes, [&](uint64_t tag, WireReader& reader) {
    if (tag != VarintTag(1)) return false;
    request->offset = static_cast<int64_t>(reader.Varint());
    return true;
  });
}

bool ParseMissingValue(std::string_view bytes, AppendRequest* request) {
  std::pair<std::string_view, MissingValue> entry{{}, MissingValue::kUnspecified};
  const bool parsed = ForEachField(bytes, [&](uint64_t tag, WireReader& reader) {
    if (tag == BytesTag(1)) {
      entry.first = reader.Bytes();
    } else if (tag == VarintTag(2)) {
      entry.second = static_cast<MissingValue>(reader.Varint() & 3);
    } else {
      return false;
    }
    return true;
  });
  request->missing_values.push_back(entry);
  return parsed;
}

}  // namespace

bool ParseAppendRequest(std::string_view bytes, AppendRequest* request) {
  std::vector<std::string_view> rows = std::move(request->rows);
  *request = {};
  rows.clear();
  request->rows = std::move(rows);
  bool good = true;
  const bool parsed = ForEachField(bytes, [&](uint64_t tag, WireReader& reader) {
    switch (tag) {
      case BytesTag(1):
        request->write_stream = reader.Bytes();
        return true;
      case BytesTag(2):
        good = ParseOffset(reader.Bytes(), request) && good;
        return true;
      case BytesTag(4):
        good = ParseProtoData(reader.Bytes(), request) && good;
        return true;
      case BytesTag(5):
        good = ParseArrowData(reader.Bytes(), request) && good;
        return true;
      case BytesTag(6):
        request->trace_id = reader.Bytes();
        return true;
      case BytesTag(7):
        good = ParseMissingValue(reader.Bytes(), request) && good;
        return true;
      case VarintTag(8):
        request->default_missing_value = static_cast<MissingValue>(reader.Varint() & 3);
        return true;
      default:
        return false;
    }
  });
  return parsed && good;
}

}  // namespace hakobu::localbq
