// An AppendRowsRequest taken apart in place: rows stay where they are in the message's bytes.
// Source: google/cloud/bigquery/storage/v1/storage.proto, AppendRowsRequest.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace hakobu::localbq {

enum class MissingValue : uint8_t { kUnspecified = 0, kNull = 1, kDefault = 2 };

// Everything points into the bytes it was parsed from.
struct AppendRequest {
  std::string_view write_stream;
  std::string_view trace_id;
  std::optional<int64_t> offset;
  std::optional<std::string_view> proto_descriptor;
  std::optional<std::string_view> arrow_schema;
  std::optional<std::string_view> arrow_batch;
  bool is_proto = false;  // proto_rows, perhaps without a row
  std::vector<std::string_view> rows;
  std::vector<std::pair<std::string_view, MissingValue>> missing_values;
  MissingValue default_missing_value = MissingValue::kUnspecified;
};

// False: not an AppendRowsRequest. `request` is reused: its vectors keep their memory.
bool ParseAppendRequest(std::string_view bytes, AppendRequest* request);

}  // namespace hakobu::localbq
