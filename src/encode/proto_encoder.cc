#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/status.h"
#include "encode/descriptor.h"
#include "encode/encode.h"
#include "encode/kernels.h"
#include "encode/proto_key.h"
#include "encode/proto_sink.h"

namespace hakobu {
namespace {

constexpr char kSerializedRowsTag = 0x0a;  // field 1, length-delimited

size_t VarintSize(size_t value) {
  size_t size = 1;
  for (; value >= 0x80; value >>= 7) ++size;
  return size;
}

}  // namespace

struct ProtoEncoder::State {
  Columns columns;
  std::string descriptor;
  ProtoOptions options;
  Columns deleted;  // the key's columns alone: all that a DELETE carries
  Column change_type;
  Column sequence_number;
  // What did not fit in the row at hand: counted only when the row is taken, as the next buffer encodes it
  // again.
  Quarantine of_one_row;
  // Bytes that the last row's length took: the next row's most often takes as many, so room is left for that.
  size_t length_bytes = 1;

  bool has_changes() const { return options.change_fields == ProtoOptions::ChangeFields::kTypeAndSequence; }

  absl::Status EncodeMessage(std::span<const Cell> row, const RowChange* change, ByteBuffer* out,
                             Quarantine* quarantine) {
    const bool deletes = change != nullptr && change->type == ChangeType::kDelete;
    HAKOBU_RETURN_IF_ERROR(EncodeCells<ProtoSink>(deletes ? deleted : columns, row, out, quarantine));
    if (change != nullptr) {
      ProtoSink::Text(change_type, deletes ? "DELETE" : "UPSERT", out);
      ProtoSink::Text(sequence_number, change->sequence_number, out);
    }
    return absl::OkStatus();
  }

  absl::Status EncodeFitting(std::span<const Cell> row, const RowChange* change, ByteBuffer* out,
                             Quarantine* quarantine) {
    const size_t begin = out->size();
    HAKOBU_RETURN_IF_ERROR(EncodeMessage(row, change, out, quarantine));
    if (out->size() - begin <= options.max_row_bytes) [[likely]]
      return absl::OkStatus();
    std::vector<Cell> smaller(row.begin(), row.end());
    while (out->size() - begin > options.max_row_bytes) {
      HAKOBU_RETURN_IF_ERROR(DropLargest(columns, out->size() - begin, smaller, quarantine));
      out->Truncate(begin);
      HAKOBU_RETURN_IF_ERROR(EncodeMessage(smaller, change, out, nullptr));
    }
    return absl::OkStatus();
  }

  // Tag, length, message. The length is written last, into room left for it; only a row whose length takes
  // another number of bytes than the row before it is moved.
  absl::Status EncodeRow(std::span<const Cell> row, const RowChange* change, ByteBuffer* out,
                         Quarantine* quarantine) {
    const size_t begin = out->size();
    *out->Reserve(1 + kMaxVarintBytes) = kSerializedRowsTag;
    out->Advance(1 + length_bytes);
    const size_t message = out->size();
    HAKOBU_RETURN_IF_ERROR(EncodeFitting(row, change, out, quarantine));
    const size_t size = out->size() - message;
    const size_t needed = VarintSize(size);
    if (needed != length_bytes) [[unlikely]] {
      out->Reserve(needed);
      std::memmove(out->data() + begin + 1 + needed, out->data() + message, size);
      out->Truncate(begin + 1 + needed + size);
      length_bytes = needed;
    }
    WriteVarint(size, out->data() + begin + 1);
    return absl::OkStatus();
  }
};

ProtoEncoder::ProtoEncoder(std::unique_ptr<State> state) : state_(std::move(state)) {}
ProtoEncoder::ProtoEncoder(ProtoEncoder&&) noexcept = default;
ProtoEncoder& ProtoEncoder::operator=(ProtoEncoder&&) noexcept = default;
ProtoEncoder::~ProtoEncoder() = default;

absl::StatusOr<ProtoEncoder> ProtoEncoder::Create(const SourceTable& table, const TableSchema& schema,
                                                  const ProtoOptions& options) {
  auto state = std::make_unique<State>();
  state->options = options;
  HAKOBU_ASSIGN_OR_RETURN(state->columns,
                          MakeColumns(table, schema, options.invalid_key, options.max_row_bytes));
  Columns& columns = state->columns;
  if (state->has_changes() && columns.key.empty()) {
    return absl::InvalidArgumentError(
        fmt::format("encode changes of {}: change data capture needs a key, and the table has none; hint: "
                    "add a primary key",
                    columns.table));
  }
  state->descriptor = MakeDescriptor(&columns, options.change_fields);
  for (Column& column : columns.all) column.kernel = Kernels<ProtoSink>::Choose(column);
  state->change_type = ChangeTypeColumn(columns);
  state->sequence_number = SequenceNumberColumn(columns);
  state->deleted.table = columns.table;
  state->deleted.row_cells = columns.row_cells;
  state->deleted.scratch = std::make_unique<std::string>();
  for (const size_t key : columns.key) {
    state->deleted.key.push_back(state->deleted.all.size());
    state->deleted.all.push_back(columns.all[key]);
    state->deleted.all.back().scratch = state->deleted.scratch.get();
  }
  return ProtoEncoder(std::move(state));
}

std::string_view ProtoEncoder::descriptor() const {
  return state_->descriptor;
}

absl::StatusOr<size_t> ProtoEncoder::Append(const Batch& batch, size_t first_row, size_t byte_limit,
                                            EncodedRows* out, Quarantine* quarantine,
                                            std::span<const RowChange> changes) {
  State& state = *state_;
  const size_t rows = batch.rows();
  if (batch.columns() != state.columns.row_cells) {
    return absl::InternalError(fmt::format("encode {}: expected rows of {} cells, found {}",
                                           state.columns.table, state.columns.row_cells, batch.columns()));
  }
  if (changes.size() != (state.has_changes() ? rows : 0)) {
    return absl::InternalError(fmt::format("encode {}: expected {} changes, found {}", state.columns.table,
                                           state.has_changes() ? rows : 0, changes.size()));
  }
  ByteBuffer& buffer = out->buffer();
  for (size_t row = first_row; row < rows; ++row) {
    const size_t begin = buffer.size();
    const RowChange* change = changes.empty() ? nullptr : &changes[row];
    const absl::Status encoded = state.EncodeRow(batch.Row(row), change, &buffer, &state.of_one_row);
    const bool taken = encoded.ok() && (buffer.size() <= byte_limit || begin == 0);
    if (!state.of_one_row.empty()) [[unlikely]] {
      if (taken) quarantine->Merge(state.of_one_row);
      state.of_one_row.Clear();
    }
    if (!taken) {
      buffer.Truncate(begin);
      if (!encoded.ok()) return encoded;
      return row - first_row;
    }
    out->EndRow();
  }
  return rows - std::min(first_row, rows);
}

std::string ProtoEncoder::KeyText(std::string_view message) const {
  return ProtoKeyText(state_->columns, message);
}

}  // namespace hakobu
