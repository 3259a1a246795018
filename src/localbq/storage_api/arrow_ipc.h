// Arrow's encapsulated IPC messages, as the Storage API carries them: Schema and RecordBatch, never
// dictionaries. Source: https://arrow.apache.org/docs/format/Columnar.html, and Arrow's
// format/{Message,Schema}.fbs for the field numbers.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "localbq/catalog/schema.h"

namespace hakobu::localbq {

// The numbers are those of Schema.fbs's union Type.
enum class ArrowType : uint8_t {
  kNull = 1,
  kInt = 2,
  kFloat = 3,
  kBinary = 4,
  kUtf8 = 5,
  kBool = 6,
  kDecimal = 7,
  kDate = 8,
  kTime = 9,
  kTimestamp = 10,
  kInterval = 11,
  kList = 12,
  kStruct = 13,
  kLargeBinary = 19,
  kLargeUtf8 = 20,
  kLargeList = 21,
};
enum class ArrowUnit : int16_t { kSecond = 0, kMillisecond = 1, kMicrosecond = 2, kNanosecond = 3 };

struct ArrowField {
  std::string name;
  ArrowType type = ArrowType::kNull;
  bool is_nullable = true;
  int32_t bit_width = 0;          // Int, Time, Decimal
  bool is_signed = true;          // Int
  int16_t precision = 0;          // FloatingPoint: 0 half, 1 single, 2 double
  int32_t digits = 0, scale = 0;  // Decimal
  int16_t unit = 0;               // Date (0: day), Time, Timestamp: ArrowUnit; Interval (2: month, day, nano)
  std::string timezone;           // Timestamp
  std::vector<ArrowField> children;
};

struct ArrowBatchLayout {
  int64_t rows = 0;
  struct Node {
    int64_t length, null_count;
  };
  struct Buffer {
    int64_t offset, length;  // in the body
  };
  std::vector<Node> nodes;
  std::vector<Buffer> buffers;
};

// As BigQuery's Storage Read API answers the columns.
std::vector<ArrowField> ArrowFieldsOf(const Schema& schema);

std::string SerializeArrowSchema(const std::vector<ArrowField>& fields);
std::string SerializeArrowBatch(const ArrowBatchLayout& layout, std::string_view body);

// InvalidArgument for what is no such message, or is compressed or dictionary-encoded.
absl::StatusOr<std::vector<ArrowField>> ParseArrowSchema(std::string_view message);
absl::StatusOr<ArrowBatchLayout> ParseArrowBatch(std::string_view message, std::string_view* body);

}  // namespace hakobu::localbq
