// A schema's fields made ready for encoding: everything that a value needs is decided here, once per encoder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "encode/byte_buffer.h"
#include "encode/encode.h"
#include "row/cell.h"
#include "row/field.h"
#include "row/source_table.h"

namespace hakobu {

// nullptr, or why a value does not fit its field, as a verb phrase with static lifetime ("is no date").
using Problem = const char*;

struct Column;
// Writes one value that is not NULL. On a problem nothing has been written.
using Kernel = Problem (*)(const Column& column, const Cell& cell, ByteBuffer* out);

struct Column {
  Kernel kernel = nullptr;
  // What comes before each value: a protobuf tag, or the branch of an Avro union; the low byte first.
  uint32_t prefix = 0;
  uint32_t prefix_size = 0;
  size_t place = 0;  // of the cell in its row
  FieldMode mode = FieldMode::kNullable;
  FieldType type = FieldType::kString;
  Conversion conversion = Conversion::kPlain;
  uint32_t fraction = 0;   // digits of the second
  uint32_t bit_bytes = 0;  // of BIT as BYTES
  size_t max_value_bytes = 0;
  bool unchecked_json = false;
  // The text of kInvalid is an ordinary value of this STRING: '0000-00-00' of a DATE that is delivered `as:
  // STRING`.
  bool keeps_invalid_text = false;
  Problem invalid_text = nullptr;  // what is wrong with a kInvalid that comes for a STRING
  std::string* scratch = nullptr;  // for texts of no bounded size; the encoder's own
  absl::TimeZone zone;

  Mask mask = Mask::kNone;
  std::string mask_salt;
  uint32_t mask_keep_characters = 0;
  InvalidPolicy invalid = InvalidPolicy::kNull;
  bool key_must_fit = false;
  std::string source_name;
  std::string name;  // BigQuery's
};

struct Columns {
  std::vector<Column> all;
  std::vector<size_t> key;  // places in `all`
  size_t row_cells = 0;     // cells a row of the batch has
  std::string table;        // "shop.members"
  std::unique_ptr<std::string> scratch;
};

// Everything but kernel and prefix, which the format chooses.
absl::StatusOr<Columns> MakeColumns(const SourceTable& table, const TableSchema& schema,
                                    InvalidKey invalid_key, size_t max_row_bytes);

// The row's key as literals, for people: "17, 'Osaka'"; "(no key)". Masked columns as "(masked)".
std::string KeyText(const Columns& columns, std::span<const Cell> row);

// What becomes of a value that does not fit. kText: what to write is in *columns.scratch.
enum class Settlement : uint8_t { kNull, kText };
// Counts the value in `quarantine` (may be null: it was counted before). DataLoss when the policy is `error`,
// or when NULL is no way out.
absl::StatusOr<Settlement> Settle(const Columns& columns, const Column& column, std::span<const Cell> row,
                                  Problem problem, Quarantine* quarantine);

// A NULL in a REQUIRED field.
absl::Status NullRefused(const Columns& columns, const Column& column, std::span<const Cell> row);

// Makes a row smaller whose message had `bytes` bytes: the largest of its values that is still there is
// settled as not fitting and becomes NULL in `row`. DataLoss when there is none that may become NULL.
absl::Status DropLargest(const Columns& columns, size_t bytes, std::span<Cell> row, Quarantine* quarantine);

}  // namespace hakobu
