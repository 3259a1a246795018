#include "localbq/rest/avro_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <snappy.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <nlohmann/json.hpp>

#include "base/status.h"
#include "localbq/rest/http.h"

namespace hakobu::localbq::rest {
namespace {

using nlohmann::json;

constexpr size_t kBlockLimit = size_t{1} << 30;  // decompressed

absl::Status Corrupt(std::string_view what) {
  return absl::InvalidArgumentError(fmt::format(
      "Error while reading data, error message: The Apache Avro library failed to read data: {}", what));
}

using NamedTypes = std::map<std::string, AvroType>;

absl::StatusOr<AvroType> Parse(const json& schema, const std::string& space, NamedTypes* named);

std::string FullName(const std::string& name, const std::string& space) {
  return name.find('.') != std::string::npos || space.empty() ? name : space + "." + name;
}

constexpr std::pair<const char*, AvroKind> kPrimitives[] = {
    {"null", AvroKind::kNull},   {"boolean", AvroKind::kBoolean}, {"int", AvroKind::kInt},
    {"long", AvroKind::kLong},   {"float", AvroKind::kFloat},     {"double", AvroKind::kDouble},
    {"bytes", AvroKind::kBytes}, {"string", AvroKind::kString},
};

absl::StatusOr<AvroType> ParseNamed(const std::string& name, const std::string& space,
                                    const NamedTypes& named) {
  for (const auto& [primitive, kind] : kPrimitives) {
    if (name == primitive) return AvroType{.kind = kind};
  }
  auto found = named.find(FullName(name, space));
  if (found == named.end()) found = named.find(name);
  if (found == named.end())
    return Corrupt(fmt::format("unknown type '{}' (recursive types are not supported)", name));
  return found->second;
}

absl::StatusOr<AvroType> ParseRecord(const json& schema, const std::string& space, NamedTypes* named) {
  AvroType type{.kind = AvroKind::kRecord};
  const auto fields = schema.find("fields");
  if (fields == schema.end() || !fields->is_array()) return Corrupt("a record has no fields");
  for (const json& field : *fields) {
    if (!field.is_object() || !field.contains("type")) return Corrupt("a field has no type");
    HAKOBU_ASSIGN_OR_RETURN(AvroType child, Parse(field["type"], space, named));
    child.name = Text(field, "name");
    if (child.logical_type.empty()) child.logical_type = Text(field, "logicalType");
    if (child.sql_type.empty()) child.sql_type = Text(field, "sqlType");
    if (field.contains("default"))
      child.default_json = field["default"].dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    type.children.push_back(std::move(child));
  }
  return type;
}

absl::StatusOr<AvroType> ParseObject(const json& schema, const std::string& space, NamedTypes* named) {
  const auto type_field = schema.find("type");
  if (type_field == schema.end()) return Corrupt("a type has no 'type'");
  if (!type_field->is_string()) return Parse(*type_field, space, named);
  const std::string kind = *type_field;
  const std::string own_space = Text(schema, "namespace", space);
  AvroType type;
  if (kind == "record" || kind == "error") {
    HAKOBU_ASSIGN_OR_RETURN(type, ParseRecord(schema, own_space, named));
  } else if (kind == "enum") {
    type.kind = AvroKind::kEnum;
    type.symbols = schema.value("symbols", std::vector<std::string>());
  } else if (kind == "fixed") {
    type.kind = AvroKind::kFixed;
    type.size = Integer(schema, "size");
  } else if (kind == "array" || kind == "map") {
    type.kind = kind == "array" ? AvroKind::kArray : AvroKind::kMap;
    const auto element = schema.find(kind == "array" ? "items" : "values");
    if (element == schema.end()) return Corrupt("an array or map has no element type");
    HAKOBU_ASSIGN_OR_RETURN(AvroType child, Parse(*element, own_space, named));
    type.children.push_back(std::move(child));
  } else {
    HAKOBU_ASSIGN_OR_RETURN(type, ParseNamed(kind, own_space, *named));
  }
  type.logical_type = Text(schema, "logicalType");
  type.sql_type = Text(schema, "sqlType");
  type.precision = static_cast<int>(Integer(schema, "precision"));
  type.scale = static_cast<int>(Integer(schema, "scale"));
  const std::string name = Text(schema, "name");
  if (!name.empty()) named->insert_or_assign(FullName(name, own_space), type);
  return type;
}

absl::StatusOr<AvroType> Parse(const json& schema, const std::string& space, NamedTypes* named) {
  if (schema.is_string()) return ParseNamed(schema.get<std::string>(), space, *named);
  if (schema.is_object()) return ParseObject(schema, space, named);
  if (!schema.is_array()) return Corrupt("a type is neither a name, an object nor a union");
  AvroType type{.kind = AvroKind::kUnion};
  for (const json& branch : schema) {
    HAKOBU_ASSIGN_OR_RETURN(AvroType child, Parse(branch, space, named));
    type.children.push_back(std::move(child));
  }
  return type;
}

absl::Status Inflate(std::string_view from, std::string* to) {
  z_stream stream{};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) return absl::InternalError("start zlib");
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(from.data()));
  stream.avail_in = static_cast<uInt>(from.size());
  to->resize(std::max<size_t>(from.size() * 4, 65536));
  int state = Z_OK;
  while (state == Z_OK) {
    if (stream.total_out == to->size()) to->resize(to->size() * 2);
    stream.next_out = reinterpret_cast<Bytef*>(to->data() + stream.total_out);
    stream.avail_out = static_cast<uInt>(to->size() - stream.total_out);
    state = inflate(&stream, Z_NO_FLUSH);
    if (to->size() > kBlockLimit) break;
  }
  to->resize(stream.total_out);
  inflateEnd(&stream);
  return state == Z_STREAM_END ? absl::OkStatus() : Corrupt("a deflate block is damaged");
}

// Snappy's block format and a CRC-32 of what was packed, which is not looked at.
bool Unsnap(std::string_view block, std::string* to) {
  constexpr size_t kChecksum = 4;
  if (block.size() < kChecksum) return false;
  block.remove_suffix(kChecksum);
  size_t size = 0;
  return snappy::GetUncompressedLength(block.data(), block.size(), &size) && size <= kBlockLimit &&
         snappy::Uncompress(block.data(), block.size(), to);
}

absl::Status Unzstd(std::string_view from, std::string* to) {
  ZSTD_DCtx* context = ZSTD_createDCtx();
  ZSTD_inBuffer input{from.data(), from.size(), 0};
  to->resize(std::max<size_t>(from.size() * 4, 65536));
  ZSTD_outBuffer output{to->data(), to->size(), 0};
  size_t left = 1;
  while (left != 0 && !ZSTD_isError(left) && output.size <= kBlockLimit) {
    if (output.pos == output.size) {
      to->resize(to->size() * 2);
      output.dst = to->data();
      output.size = to->size();
    }
    left = ZSTD_decompressStream(context, &output, &input);
    if (left != 0 && !ZSTD_isError(left) && input.pos == input.size && output.pos < output.size) break;
  }
  ZSTD_freeDCtx(context);
  to->resize(output.pos);
  return left == 0 ? absl::OkStatus() : Corrupt("a zstandard block is damaged");
}

}  // namespace

absl::StatusOr<AvroType> ParseAvroSchema(const json& schema) {
  NamedTypes named;
  return Parse(schema, "", &named);
}

void AvroCursor::Fail() {
  failed_ = true;
  at_ = end_;
}

int64_t AvroCursor::Long() {
  uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    if (at_ == end_) break;
    const auto byte = static_cast<uint8_t>(*at_++);
    value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) return static_cast<int64_t>(value >> 1) ^ -static_cast<int64_t>(value & 1);
  }
  Fail();
  return 0;
}

std::string_view AvroCursor::Take(size_t size) {
  if (size > static_cast<size_t>(end_ - at_)) {
    Fail();
    return {};
  }
  const char* begin = at_;
  at_ += size;
  return {begin, size};
}

absl::StatusOr<std::unique_ptr<AvroFile>> AvroFile::Open(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return absl::InternalError(fmt::format("open {}: {}", path, strerror(errno)));
  std::unique_ptr<AvroFile> file(new AvroFile);
  struct stat info{};
  fstat(descriptor, &info);
  file->size_ = static_cast<size_t>(info.st_size);
  void* mapped =
      file->size_ == 0 ? MAP_FAILED : mmap(nullptr, file->size_, PROT_READ, MAP_PRIVATE, descriptor, 0);
  close(descriptor);
  if (mapped == MAP_FAILED) return Corrupt("the file is empty or cannot be mapped");
  file->data_ = static_cast<const char*>(mapped);
  HAKOBU_RETURN_IF_ERROR(file->ReadHeader());
  return file;
}

AvroFile::~AvroFile() {
  if (data_ != nullptr) munmap(const_cast<char*>(data_), size_);
}

absl::Status AvroFile::ReadHeader() {
  const std::string_view whole(data_, size_);
  if (!whole.starts_with("Obj\x01")) return Corrupt("the file does not begin with 'Obj' 1");
  AvroCursor cursor(whole.substr(4));
  std::map<std::string, std::string, std::less<>> metadata;
  for (int64_t count = cursor.Long(); count != 0 && !cursor.failed(); count = cursor.Long()) {
    if (count < 0) {
      cursor.Long();
      count = -count;
    }
    for (; count > 0 && !cursor.failed(); --count) {
      const std::string_view key = cursor.Bytes();
      metadata.insert_or_assign(std::string(key), std::string(cursor.Bytes()));
    }
  }
  sync_ = cursor.Take(16);
  if (cursor.failed()) return Corrupt("the header is cut short");
  first_block_ = at_ = static_cast<size_t>(cursor.Rest().data() - data_);
  codec_ = metadata.contains("avro.codec") ? metadata["avro.codec"] : "null";
  const json schema = json::parse(metadata["avro.schema"], nullptr, false);
  if (schema.is_discarded()) return Corrupt("the schema is not JSON");
  HAKOBU_ASSIGN_OR_RETURN(schema_, ParseAvroSchema(schema));
  if (schema_.kind != AvroKind::kRecord) return Corrupt("the schema's root is not a record");
  return absl::OkStatus();
}

absl::StatusOr<bool> AvroFile::NextBlock(int64_t* rows, std::string* buffer, std::string_view* bytes) {
  if (at_ == size_) return false;
  AvroCursor cursor(std::string_view(data_ + at_, size_ - at_));
  *rows = cursor.Long();
  const std::string_view block = cursor.Bytes();
  const std::string_view sync = cursor.Take(16);
  if (cursor.failed()) return Corrupt("a block is cut short");
  if (sync != sync_) return Corrupt("a block's sync marker is wrong");
  at_ = static_cast<size_t>(cursor.Rest().data() - data_);
  *bytes = *buffer;
  if (codec_ == "null") {
    *bytes = block;
    return true;
  }
  absl::Status status;
  if (codec_ == "deflate") {
    status = Inflate(block, buffer);
  } else if (codec_ == "zstandard") {
    status = Unzstd(block, buffer);
  } else if (codec_ == "snappy") {
    if (!Unsnap(block, buffer)) status = Corrupt("a snappy block is damaged");
  } else {
    status =
        Corrupt(fmt::format("codec '{}' is not supported: null, deflate, snappy and zstandard are", codec_));
  }
  if (!status.ok()) return status;
  *bytes = *buffer;
  return true;
}

}  // namespace hakobu::localbq::rest
