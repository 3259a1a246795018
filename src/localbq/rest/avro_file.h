// Avro's object container files and binary encoding, read directly.
// Source: https://avro.apache.org/docs/1.11.1/specification/ ("Object Container Files", "Binary Encoding")
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace hakobu::localbq::rest {

enum class AvroKind : uint8_t {
  kNull,
  kBoolean,
  kInt,
  kLong,
  kFloat,
  kDouble,
  kBytes,
  kString,
  kRecord,
  kEnum,
  kArray,
  kMap,
  kUnion,
  kFixed,
};

// A node of a writer's schema. Named types that are used twice are copied.
struct AvroType {
  AvroKind kind = AvroKind::kNull;
  std::string name;                // of a record's field as its parent names it
  std::vector<AvroType> children;  // fields, an array's or map's element, a union's branches
  std::vector<std::string> symbols;
  int64_t size = 0;  // of fixed
  std::string logical_type, sql_type;
  int precision = 0, scale = 0;  // of decimal
  std::string default_json;      // of a field
};

absl::StatusOr<AvroType> ParseAvroSchema(const nlohmann::json& schema);

// Reads varints and lengths from one block's bytes; past the end it fails and answers zeros.
class AvroCursor {
 public:
  explicit AvroCursor(std::string_view bytes) : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}
  int64_t Long();
  std::string_view Take(size_t size);
  std::string_view Bytes() { return Take(static_cast<size_t>(Long())); }
  bool failed() const { return failed_; }
  std::string_view Rest() const { return {at_, static_cast<size_t>(end_ - at_)}; }
  bool AtEnd() const { return at_ == end_; }
  void Fail();

 private:
  const char* at_;
  const char* end_;
  bool failed_ = false;
};

// A container file, mapped into memory. Codecs: null, deflate, snappy, zstandard.
class AvroFile {
 public:
  static absl::StatusOr<std::unique_ptr<AvroFile>> Open(const std::string& path);
  ~AvroFile();
  AvroFile(const AvroFile&) = delete;
  AvroFile& operator=(const AvroFile&) = delete;

  const AvroType& schema() const { return schema_; }
  void Rewind() { at_ = first_block_; }
  // The next block: its rows' bytes, decompressed into `buffer` or in place. False at the end.
  absl::StatusOr<bool> NextBlock(int64_t* rows, std::string* buffer, std::string_view* bytes);

 private:
  AvroFile() = default;
  absl::Status ReadHeader();

  const char* data_ = nullptr;
  size_t size_ = 0;
  size_t first_block_ = 0, at_ = 0;
  std::string codec_, sync_;
  AvroType schema_;
};

}  // namespace hakobu::localbq::rest
