// Rows in protobuf's wire format, decoded straight into DuckDB data chunks: a writer's descriptor is compiled
// against a table's schema once, then no message object is ever built. Source:
// google/cloud/bigquery/storage/v1/{protobuf,storage,annotations}.proto and Google's page "Supported protocol
// buffer and Arrow data types".
#pragma once

#include <duckdb.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "localbq/catalog/schema.h"

namespace hakobu::localbq {

struct ProtoPlan;  // immutable once compiled, shared between connections

enum class ChangeMode : uint8_t {
  kInsert,  // no `_CHANGE_TYPE` field in the descriptor
  kChange,  // `_CHANGE_TYPE`, perhaps `_CHANGE_SEQUENCE_NUMBER`
};

// `descriptor`: a serialized google.protobuf.DescriptorProto. Errors: InvalidArgument in Google's words; a
// writer that knows columns the table lacks gets the payload kExtraFieldsUrl besides, save for those in
// `lost`, whose values are not kept.
absl::StatusOr<std::shared_ptr<const ProtoPlan>> CompileProtoPlan(std::string_view descriptor,
                                                                  const Schema& schema,
                                                                  const Schema& lost = {});
inline constexpr std::string_view kExtraFieldsUrl = "hakobu/schema-mismatch-extra-fields";

ChangeMode ChangeModeOf(const ProtoPlan& plan);
bool HasSequenceNumber(const ProtoPlan& plan);

struct RowError {
  int64_t index;  // of the row in its request
  std::string message;
};

struct DecodeOptions {
  // Columns (by index in the schema) that take their DEFAULT when a row has no value: REQUIRED is not
  // enforced.
  std::vector<bool> defaulted;
  // The table's key, by index: all that a DELETE must carry.
  std::vector<size_t> key;
  size_t max_row_errors = 100;
  bool refuses_wide_numbers = false;  // in JSON
};

// One connection's decoder. Not thread-safe; holds no lock.
class ProtoRowDecoder {
 public:
  ProtoRowDecoder(std::shared_ptr<const ProtoPlan> plan, DecodeOptions options);
  ~ProtoRowDecoder();
  ProtoRowDecoder(ProtoRowDecoder&&) noexcept;

  // Decodes at most duckdb_vector_size() rows into `chunk`, whose columns are the schema's, in order; for
  // kChange followed by BOOLEAN (is a DELETE) and BLOB (the sequence number, eight bytes a section, big
  // endian; NULL: none). `first_index`: of rows[0] in the request. Texts in the chunk point into `rows` and
  // into the decoder, until Release. Rows with an error are left half filled and told in `errors`.
  void Decode(std::span<const std::string_view> rows, int64_t first_index, duckdb_data_chunk chunk,
              std::vector<RowError>* errors);
  // Lets go of what earlier chunks pointed to.
  void Release();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// "FFF/ABC" -> sixteen bytes. False: not one to four sections of one to sixteen hexadecimal digits.
bool ParseSequenceNumber(std::string_view text, std::string* sections);

}  // namespace hakobu::localbq
