// Conversions from what a writer sends (proto or Arrow scalars) to what a column stores: one small function
// for each pair that Google documents (cloud.google.com/bigquery/docs/supported-data-types), none for any
// other.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/arena.h"
#include "localbq/storage_api/column_sink.h"

namespace hakobu::localbq {

// What a scalar is, after its wire or buffer form was read.
enum class Source : uint8_t {
  kBool,       // integer: 0 or 1
  kInteger,    // integer, signed
  kUnsigned,   // integer holds the bits of a uint64
  kDouble,     // real
  kText,       // bytes, UTF-8 not yet checked
  kBytes,      // bytes
  kEnum,       // integer and bytes (the label)
  kTimestamp,  // integer: seconds since the epoch, nanos
  kDuration,   // integer: seconds, nanos
  kMicros,     // integer: microseconds since the epoch or midnight, not packed (Arrow)
  kDecimal,    // bytes: little-endian two's complement; nanos: its scale (Arrow)
};

struct Scalar {
  int64_t integer = 0;
  double real = 0;
  std::string_view bytes;
  int32_t nanos = 0;
};

struct StoreContext {
  Arena* arena;                       // for bytes that are not the writer's own; as long-lived as the chunk
  std::string* error;                 // set when a store answers false: a sentence without its full stop
  bool refuses_wide_numbers = false;  // JSON's integers beyond 64 bits
};

// False: the value is not one the column can hold.
using StoreFunction = bool (*)(const Scalar& scalar, idx_t slot, ColumnSink* sink,
                               const StoreContext& context);

// nullptr: BigQuery takes no such source for the type.
StoreFunction FindStore(Source source, Type type);

}  // namespace hakobu::localbq
