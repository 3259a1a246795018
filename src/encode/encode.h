// Batches of cells become BigQuery's bytes: protobuf rows for the Storage Write API (ProtoEncoder) or Avro
// container files for load jobs (AvroEncoder). Pure: no I/O, clock or thread. Masks, `as:` conversions and
// the invalid-value policy happen here and nowhere else, so both ways of writing deliver the same values
// (docs/formats/types.md).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "encode/byte_buffer.h"
#include "encode/content_sum.h"
#include "encode/quarantine.h"
#include "row/batch.h"
#include "row/field.h"
#include "row/source_table.h"

namespace hakobu {

// What to do with a value of a key column that does not fit. Where rows are merged by key (incremental,
// stream), a key that became NULL would make two rows one: kError. Where rows are only inserted, the field's
// own policy is enough.
enum class InvalidKey : uint8_t { kAsTheFieldSays, kError };

// How one row is applied by BigQuery's change data capture. A delete carries the key's fields only.
enum class ChangeType : uint8_t { kUpsert, kDelete };
struct RowChange {
  ChangeType type = ChangeType::kUpsert;
  std::string_view sequence_number;  // 1 to 4 sections of 1 to 16 hex digits, split by '/'
};

struct ProtoOptions {
  enum class ChangeFields : uint8_t { kNone, kTypeAndSequence };
  // kTypeAndSequence: the descriptor ends with `_CHANGE_TYPE` and `_CHANGE_SEQUENCE_NUMBER`, and every Append
  // needs `changes`. Needs a key.
  ChangeFields change_fields = ChangeFields::kNone;
  InvalidKey invalid_key = InvalidKey::kAsTheFieldSays;
  // A row above this cannot travel in one AppendRows request (20 MB). Its largest values are then
  // quarantined, one after the other, until it fits.
  size_t max_row_bytes = 19'000'000;
};

// Encodes rows of one table as google.cloud.bigquery.storage.v1.ProtoRows (protobuf.proto, storage.proto).
// Not thread-safe: one encoder per connection; creation is cheap enough for one per chunk.
class ProtoEncoder {
 public:
  // InvalidArgument when the schema does not belong to the table, a zone is unknown, or change fields lack a
  // key.
  static absl::StatusOr<ProtoEncoder> Create(const SourceTable& table, const TableSchema& schema,
                                             const ProtoOptions& options = {});
  ProtoEncoder(ProtoEncoder&&) noexcept;
  ProtoEncoder& operator=(ProtoEncoder&&) noexcept;
  ~ProtoEncoder();

  // A serialized google.protobuf.DescriptorProto: self-contained, proto2, optional fields; what
  // ProtoSchema.proto_descriptor is spliced from. A column whose name is no proto identifier has a
  // placeholder name and the annotation `column_name` (annotations.proto). The same schema gives the same
  // bytes.
  std::string_view descriptor() const;

  // Appends rows of `batch` from `first_row` on to `out`, each as one `serialized_rows` entry (tag 1, length,
  // message), so that out->bytes() is the wire form of ProtoRows. Stops before the row that would take
  // out->bytes() beyond `byte_limit`; an empty `out` always takes at least one row. Returns how many rows
  // were taken: call again with first_row + taken and a fresh `out` until batch.rows() are done. Values that
  // do not fit are counted in `quarantine`. An error names table, column, key and value (policy `error`, NULL
  // for a REQUIRED field, a key that does not fit, a row that stays too large); `out` then holds only the
  // whole rows before it. `changes`: empty, or one per row of the batch (ChangeFields::kTypeAndSequence).
  absl::StatusOr<size_t> Append(const Batch& batch, size_t first_row, size_t byte_limit, EncodedRows* out,
                                Quarantine* quarantine, std::span<const RowChange> changes = {});

  // The key of a row that BigQuery refused, from its serialized message (EncodedRows::Message): "17,
  // 'Osaka'". Masked columns stay masked. "(no key)" without one. Slow; for error reports.
  std::string KeyText(std::string_view message) const;

 private:
  struct State;
  explicit ProtoEncoder(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

enum class AvroCodec : uint8_t { kNull, kDeflate, kZstandard };

struct AvroOptions {
  AvroCodec codec = AvroCodec::kZstandard;
  // Random per file: 16 bytes between blocks by which a reader finds its place.
  std::array<char, 16> sync_marker{};
  // A block is closed when its rows reach this many bytes before compression; BigQuery takes up to 16 MB.
  size_t block_bytes = 2'000'000;
  size_t max_row_bytes = 15'000'000;
  InvalidKey invalid_key = InvalidKey::kAsTheFieldSays;
};

// Writes an Avro object container file (Avro 1.11 specification) of one table for a load job with
// useAvroLogicalTypes=true and an explicit schema. The file is: Header, blocks out of Append, the last block
// out of Finish. Bytes are appended to the caller's buffer, who may take them away between calls. Not
// thread-safe.
class AvroEncoder {
 public:
  // InvalidArgument as for ProtoEncoder, and when a column's name cannot be an Avro name
  // ([A-Za-z_][A-Za-z0-9_]*).
  static absl::StatusOr<AvroEncoder> Create(const SourceTable& table, const TableSchema& schema,
                                            const AvroOptions& options);
  AvroEncoder(AvroEncoder&&) noexcept;
  AvroEncoder& operator=(AvroEncoder&&) noexcept;
  ~AvroEncoder();

  // The file's schema as JSON.
  std::string_view schema_json() const;

  // Magic, metadata and sync marker: the first bytes of every file.
  void Header(ByteBuffer* out) const;

  // Takes all rows of `batch` from `first_row` on; whole blocks go to `out`, the rest waits for the next call
  // or for Finish. Returns the rows taken: fewer than offered only when `out` has reached `byte_limit`.
  // Errors and quarantine as ProtoEncoder's.
  absl::StatusOr<size_t> Append(const Batch& batch, size_t first_row, size_t byte_limit, ByteBuffer* out,
                                Quarantine* quarantine);

  // Of all rows taken so far.
  const ContentSum& content() const;

  // Closes the open block, if it has rows. The file may end here, or go on with more rows.
  absl::Status Finish(ByteBuffer* out);

 private:
  struct State;
  explicit AvroEncoder(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace hakobu
