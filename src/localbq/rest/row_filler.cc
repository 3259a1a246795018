#include "localbq/rest/row_filler.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "absl/strings/escaping.h"
#include "base/status.h"
#include "localbq/storage_api/logical_type.h"
#include "localbq/storage_api/temporal.h"

namespace hakobu::localbq::rest {
namespace {

bool Same(std::string_view text, std::string_view word) {
  return SameName(text, word);
}

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool Refuse(const StoreContext& context, std::string_view text, Type type) {
  *context.error = fmt::format("Could not parse '{}' as {}", text.substr(0, 100), SqlTypeName(type));
  return false;
}

bool StoreBool(std::string_view text, idx_t slot, ColumnSink* sink, const StoreContext& context) {
  for (const std::string_view word : {"true", "t", "yes", "y", "1"}) {
    if (Same(text, word)) {
      sink->Put<bool>(slot, true);
      return true;
    }
  }
  for (const std::string_view word : {"false", "f", "no", "n", "0"}) {
    if (Same(text, word)) {
      sink->Put<bool>(slot, false);
      return true;
    }
  }
  return Refuse(context, text, Type::kBool);
}

bool StoreInt64(std::string_view text, idx_t slot, ColumnSink* sink, const StoreContext& context) {
  if (text.starts_with('+')) text.remove_prefix(1);
  int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value);
  if (error == std::errc() && at != end) {
    // 5.0 and 1e3 are integers too, as JSON writers make them.
    double real = 0;
    const auto [real_at, real_error] = std::from_chars(text.data(), end, real);
    if (real_error != std::errc() || real_at != end || real != std::trunc(real) ||
        std::fabs(real) >= 9.2e18) {
      return Refuse(context, text, Type::kInt64);
    }
    value = static_cast<int64_t>(real);
  } else if (error != std::errc()) {
    return Refuse(context, text, Type::kInt64);
  }
  sink->Put<int64_t>(slot, value);
  return true;
}

bool StoreFloat64(std::string_view text, idx_t slot, ColumnSink* sink, const StoreContext& context) {
  std::string_view digits = text;
  const bool negative = digits.starts_with('-');
  if (negative || digits.starts_with('+')) digits.remove_prefix(1);
  double value = 0;
  if (Same(digits, "inf") || Same(digits, "infinity")) {
    value = HUGE_VAL;
  } else if (Same(digits, "nan")) {
    value = std::nan("");
  } else {
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error == std::errc::result_out_of_range) value = std::strtod(std::string(digits).c_str(), nullptr);
    const bool read = error == std::errc() || error == std::errc::result_out_of_range;
    if (!read || end != digits.data() + digits.size() || digits.empty()) {
      return Refuse(context, text, Type::kFloat64);
    }
  }
  sink->Put<double>(slot, negative ? -value : value);
  return true;
}

bool StoreBytes(std::string_view text, idx_t slot, ColumnSink* sink, const StoreContext& context) {
  std::string bytes;
  if (!absl::Base64Unescape(View(text), &bytes) && !absl::WebSafeBase64Unescape(View(text), &bytes)) {
    return Refuse(context, text, Type::kBytes);
  }
  const StoreFunction store = FindStore(Source::kBytes, Type::kBytes);
  return store({.bytes = context.arena->Copy(bytes)}, slot, sink, context);
}

// Text with a zone, or a number: of seconds, as JSON and CSV writers send it.
bool StoreTimestamp(std::string_view text, idx_t slot, ColumnSink* sink, const StoreContext& context) {
  int64_t micros = 0;
  if (!ParseTimestamp(text, &micros)) {
    double seconds = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (error != std::errc() || end != text.data() + text.size() || std::fabs(seconds) > 3e11) {
      return Refuse(context, text, Type::kTimestamp);
    }
    micros = std::llround(seconds * 1e6);
  }
  const StoreFunction store = FindStore(Source::kMicros, Type::kTimestamp);
  return store({.integer = micros}, slot, sink, context);
}

bool StoreRange(std::string_view text, idx_t slot, ColumnSink* sink, const StoreContext& context) {
  const size_t comma = text.find(',');
  if (!text.starts_with('[') || !text.ends_with(')') || comma == std::string_view::npos) {
    return Refuse(context, text, Type::kRange);
  }
  const std::array bounds = {Trimmed(text.substr(1, comma - 1)),
                             Trimmed(text.substr(comma + 1, text.size() - comma - 2))};
  for (size_t i = 0; i < 2; ++i) {
    if (Same(bounds[i], "UNBOUNDED") || Same(bounds[i], "NULL")) continue;
    if (!StoreText(bounds[i], slot, &sink->child(i), context)) return false;
  }
  sink->SetValid(slot);
  return true;
}

}  // namespace

bool StoreText(std::string_view text, idx_t slot, ColumnSink* sink, const StoreContext& context) {
  const Type type = sink->column().type;
  switch (type) {
    case Type::kBool:
      return StoreBool(Trimmed(text), slot, sink, context);
    case Type::kInt64:
      return StoreInt64(Trimmed(text), slot, sink, context);
    case Type::kFloat64:
      return StoreFloat64(Trimmed(text), slot, sink, context);
    case Type::kBytes:
      return StoreBytes(text, slot, sink, context);
    case Type::kTimestamp:
      return StoreTimestamp(Trimmed(text), slot, sink, context);
    case Type::kRange:
      return StoreRange(Trimmed(text), slot, sink, context);
    case Type::kRecord:
      *context.error = fmt::format("Expected a record for field {}", sink->column().name);
      return false;
    case Type::kString:
    case Type::kJson:
    case Type::kGeography:
      return FindStore(Source::kText, type)({.bytes = text}, slot, sink, context);
    default:
      return FindStore(Source::kText, type)({.bytes = Trimmed(text)}, slot, sink, context);
  }
}

RowFiller::RowFiller(const Schema& schema) : schema_(schema), capacity_(duckdb_vector_size()) {
  std::vector<duckdb_logical_type> types;
  for (const Column& column : schema) {
    sinks_.emplace_back(column);
    types.push_back(LogicalTypeOf(column));
  }
  chunk_ = Chunk(duckdb_create_data_chunk(types.data(), types.size()));
  for (duckdb_logical_type& type : types) duckdb_destroy_logical_type(&type);
  Begin();
}

void RowFiller::Begin() {
  chunk_.Reset();
  arena_.Reset();
  rows_ = 0;
  for (idx_t i = 0; i < sinks_.size(); ++i) sinks_[i].Attach(chunk_.column(i), capacity_);
}

void RowFiller::UseDefaults(ColumnDefaults* defaults) {
  defaults_ = defaults;
  nulls_.assign(sinks_.size(), std::vector<bool>(capacity_));
}

absl::Status RowFiller::Finish() {
  for (size_t i = 0; i < sinks_.size(); ++i) {
    const ColumnSink& sink = sinks_[i];
    if (sink.column().mode == Mode::kRequired && !sink.IsSet(rows_) && !TakesDefault(i)) {
      const std::string message = fmt::format("Missing required field: {}.", sink.column().name);
      Discard();
      return absl::InvalidArgumentError(message);
    }
  }
  ++rows_;
  return absl::OkStatus();
}

void RowFiller::Discard() {
  for (ColumnSink& sink : sinks_) sink.ClearSlot(rows_);
  for (std::vector<bool>& nulls : nulls_) nulls[rows_] = false;
}

absl::Status RowFiller::Flush(Emit emit) {
  if (rows_ == 0) return absl::OkStatus();
  for (ColumnSink& sink : sinks_) sink.Finish();
  chunk_.SetRows(rows_);
  if (defaults_ != nullptr) {
    for (size_t i = 0; i < sinks_.size(); ++i) {
      if (!defaults_->Has(i)) continue;
      HAKOBU_RETURN_IF_ERROR(defaults_->Fill(i, chunk_, [&](idx_t row) { return !nulls_[i][row]; }));
    }
  }
  const absl::Status status = emit(chunk_);
  if (defaults_ != nullptr) UseDefaults(defaults_);
  Begin();
  return status;
}

}  // namespace hakobu::localbq::rest
