#include "destination/append_wire.h"

namespace hakobu {
namespace {

// Field numbers of AppendRowsRequest and of the messages in it; all length-delimited.
enum RequestField : uint32_t { kWriteStream = 1, kOffset = 2, kProtoRows = 4, kTraceId = 6 };
enum ProtoDataField : uint32_t { kWriterSchema = 1, kRows = 2 };
constexpr uint32_t kProtoDescriptor = 1;  // ProtoSchema
constexpr char kInt64ValueTag = 1 << 3;   // google.protobuf.Int64Value.value, varint

void PutVarint(std::string& out, uint64_t value) {
  while (value >= 0x80) {
    out += static_cast<char>(value | 0x80);
    value >>= 7;
  }
  out += static_cast<char>(value);
}

size_t VarintSize(uint64_t value) {
  size_t size = 1;
  while (value >= 0x80) {
    value >>= 7;
    ++size;
  }
  return size;
}

// Tags here are below 16 and take one byte.
void PutTagAndLength(std::string& out, uint32_t field, uint64_t length) {
  out += static_cast<char>(field << 3 | 2);
  PutVarint(out, length);
}

uint64_t FieldSize(uint64_t length) {
  return 1 + VarintSize(length) + length;
}

void PutBytes(std::string& out, uint32_t field, std::string_view bytes) {
  PutTagAndLength(out, field, bytes.size());
  out += bytes;
}

}  // namespace

std::string EncodeAppendHeader(const AppendHeader& header) {
  std::string out;
  out.reserve(header.write_stream.size() + header.descriptor.size() + header.trace_id.size() + 64);
  if (!header.write_stream.empty()) PutBytes(out, kWriteStream, header.write_stream);
  if (header.offset) {
    std::string value(1, kInt64ValueTag);
    PutVarint(value, static_cast<uint64_t>(*header.offset));
    PutBytes(out, kOffset, value);
  }
  if (!header.trace_id.empty()) PutBytes(out, kTraceId, header.trace_id);
  const uint64_t schema_size = FieldSize(header.descriptor.size());
  const uint64_t data_size =
      (header.descriptor.empty() ? 0 : FieldSize(schema_size)) + FieldSize(header.rows_size);
  PutTagAndLength(out, kProtoRows, data_size);
  if (!header.descriptor.empty()) {
    PutTagAndLength(out, kWriterSchema, schema_size);
    PutBytes(out, kProtoDescriptor, header.descriptor);
  }
  PutTagAndLength(out, kRows, header.rows_size);
  return out;
}

}  // namespace hakobu
