#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/status.h"
#include "encode/avro_block.h"
#include "encode/avro_schema.h"
#include "encode/avro_sink.h"
#include "encode/encode.h"
#include "encode/kernels.h"

namespace hakobu {
namespace {

void AppendLong(int64_t value, ByteBuffer* out) {
  char* begin = out->Reserve(kMaxVarintBytes);
  out->Advance(static_cast<size_t>(WriteAvroLong(value, begin) - begin));
}

void AppendSized(std::string_view bytes, ByteBuffer* out) {
  AppendLong(static_cast<int64_t>(bytes.size()), out);
  out->Append(bytes);
}

}  // namespace

struct AvroEncoder::State {
  State(Columns made, const AvroOptions& chosen)
      : columns(std::move(made)), options(chosen), compressor(chosen.codec) {}

  Columns columns;
  AvroOptions options;
  std::string schema;
  BlockCompressor compressor;
  ByteBuffer open;  // the rows of the block that is being filled, before compression
  size_t open_rows = 0;
  ByteBuffer compressed;
  ContentSum content;

  absl::Status EncodeRow(std::span<const Cell> row, Quarantine* quarantine) {
    const size_t begin = open.size();
    HAKOBU_RETURN_IF_ERROR(EncodeCells<AvroSink>(columns, row, &open, quarantine));
    if (open.size() - begin <= options.max_row_bytes) [[likely]]
      return absl::OkStatus();
    std::vector<Cell> smaller(row.begin(), row.end());
    while (open.size() - begin > options.max_row_bytes) {
      HAKOBU_RETURN_IF_ERROR(DropLargest(columns, open.size() - begin, smaller, quarantine));
      open.Truncate(begin);
      HAKOBU_RETURN_IF_ERROR(EncodeCells<AvroSink>(columns, smaller, &open, nullptr));
    }
    return absl::OkStatus();
  }

  absl::Status CloseBlock(ByteBuffer* out) {
    compressed.Clear();
    HAKOBU_RETURN_IF_ERROR(compressor.Compress(open.bytes(), &compressed));
    AppendLong(static_cast<int64_t>(open_rows), out);
    AppendSized(compressed.bytes(), out);
    out->Append({options.sync_marker.data(), options.sync_marker.size()});
    open.Clear();
    open_rows = 0;
    return absl::OkStatus();
  }
};

AvroEncoder::AvroEncoder(std::unique_ptr<State> state) : state_(std::move(state)) {}
AvroEncoder::AvroEncoder(AvroEncoder&&) noexcept = default;
AvroEncoder& AvroEncoder::operator=(AvroEncoder&&) noexcept = default;
AvroEncoder::~AvroEncoder() = default;

absl::StatusOr<AvroEncoder> AvroEncoder::Create(const SourceTable& table, const TableSchema& schema,
                                                const AvroOptions& options) {
  HAKOBU_ASSIGN_OR_RETURN(Columns columns,
                          MakeColumns(table, schema, options.invalid_key, options.max_row_bytes));
  auto state = std::make_unique<State>(std::move(columns), options);
  HAKOBU_ASSIGN_OR_RETURN(state->schema, MakeAvroSchema(&state->columns));
  for (Column& column : state->columns.all) column.kernel = Kernels<AvroSink>::Choose(column);
  return AvroEncoder(std::move(state));
}

std::string_view AvroEncoder::schema_json() const {
  return state_->schema;
}

const ContentSum& AvroEncoder::content() const {
  return state_->content;
}

void AvroEncoder::Header(ByteBuffer* out) const {
  out->Append(std::string_view("Obj\x01", 4));
  AppendLong(2, out);  // a map of two entries in one block
  AppendSized("avro.schema", out);
  AppendSized(state_->schema, out);
  AppendSized("avro.codec", out);
  AppendSized(CodecName(state_->options.codec), out);
  AppendLong(0, out);
  out->Append({state_->options.sync_marker.data(), state_->options.sync_marker.size()});
}

absl::StatusOr<size_t> AvroEncoder::Append(const Batch& batch, size_t first_row, size_t byte_limit,
                                           ByteBuffer* out, Quarantine* quarantine) {
  State& state = *state_;
  if (batch.columns() != state.columns.row_cells) {
    return absl::InternalError(fmt::format("encode {}: expected rows of {} cells, found {}",
                                           state.columns.table, state.columns.row_cells, batch.columns()));
  }
  const size_t rows = batch.rows();
  size_t row = first_row;
  for (; row < rows && out->size() < byte_limit; ++row) {
    const size_t begin = state.open.size();
    if (absl::Status encoded = state.EncodeRow(batch.Row(row), quarantine); !encoded.ok()) {
      state.open.Truncate(begin);
      return encoded;
    }
    ++state.open_rows;
    state.content.Add(state.open.bytes().substr(begin));
    if (state.open.size() >= state.options.block_bytes) HAKOBU_RETURN_IF_ERROR(state.CloseBlock(out));
  }
  return row - std::min(first_row, row);
}

absl::Status AvroEncoder::Finish(ByteBuffer* out) {
  return state_->open_rows == 0 ? absl::OkStatus() : state_->CloseBlock(out);
}

}  // namespace hakobu
