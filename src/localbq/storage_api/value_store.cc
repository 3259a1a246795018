#include "localbq/storage_api/value_store.h"

#include <fmt/format.h>

#include <cmath>

#include "localbq/storage_api/numeric.h"
#include "localbq/storage_api/temporal.h"
#include "localbq/storage_api/text_check.h"

namespace hakobu::localbq {
namespace {

template <typename... Args>
bool Refuse(const StoreContext& context, fmt::format_string<Args...> format, Args&&... args) {
  *context.error = fmt::format(format, std::forward<Args>(args)...);
  return false;
}

// ---- BOOL, INT64, FLOAT64

bool BoolFromInteger(const Scalar& scalar, idx_t slot, ColumnSink* sink, const StoreContext&) {
  sink->Put<bool>(slot, scalar.integer != 0);
  return true;
}
bool IntegerFromInteger(const Scalar& scalar, idx_t slot, ColumnSink* sink, const StoreContext&) {
  sink->Put<int64_t>(slot, scalar.integer);
  return true;
}
bool DoubleFromDouble(const Scalar& scalar, idx_t slot, ColumnSink* sink, const StoreContext&) {
  sink->Put<double>(slot, scalar.real);
  return true;
}

// ---- STRING, BYTES, JSON, GEOGRAPHY

size_t CodePoints(std::string_view text) {
  size_t count = 0;
  for (const char c : text) count += (static_cast<uint8_t>(c) & 0xc0) != 0x80;
  return count;
}

bool PutChecked(std::string_view text, idx_t slot, ColumnSink* sink, const StoreContext& context) {
  if (!IsUtf8(text)) [[unlikely]]
    return Refuse(context, "Invalid UTF-8 sequence in a STRING value");
  const int64_t limit = sink->column().max_length;
  if (limit > 0 && static_cast<int64_t>(text.size()) > limit) [[unlikely]] {
    const size_t length = CodePoints(text);
    if (static_cast<int64_t>(length) > limit) {
      return Refuse(context, "STRING({}) has maximum length {} but got a value with length {}", limit, limit,
                    length);
    }
  }
  sink->PutText(slot, text);
  return true;
}
bool StringFromText(const Scalar& scalar, idx_t slot, ColumnSink* sink, const StoreContext& context) {
  return PutChecked(scalar.bytes, slot, sink, context);
}
bool BytesFromBytes(const Scalar& scalar, idx_t slot, ColumnSink* sink, const StoreContext& context) {
  const int64_t limit = sink->column().max_length;
  if (limit > 0 && static_cast<int64_t>(scalar.bytes.size()) > limit) [[unlikely]] {
    return Refuse(context, "BYTES({}) has maximum length {} but got a value with length {}", limit, limit,
                  scalar.bytes.size());
  }
  sink->PutText(slot, scalar.bytes);
  return true;
}
bool JsonFromText(const Scalar& scalar, idx_t slot, ColumnSink* sink, const StoreContext& context) {
  if (!IsUtf8(scalar.bytes) || !IsJson(scalar.bytes)) [[unlikely]] {
    return Refuse(context, "Invalid JSON value: syntax error while parsing");
  }
  if (context.refuses_wide_numbers) {
    const std::string_view number = FindWideNumber(scalar.bytes);
    if (!number.empty()) return Refuse(context, "Invalid JSON value: number overflow parsing '{}'", number);
  }
  sink->PutText(slot, scalar.bytes);
  return true;
}

// ---- DATE, TIME, DATETIME, TIMESTAMP

bool DateFromDays(const Scalar& scalar, idx_t slot, ColumnSink* sink, const StoreContext& context) {
  if (scalar.integer < kMinDay || scalar.integer > kMaxDay) [[unlikely]] {
    return Refuse(
        context,
        "Cannot return an invalid date value of {} days relative to the Unix epoch. The range of valid "
        "date values is [0001-01-01, 9999-12-31]",
        scalar.integer);
  }
  sink->Put<int32_t>(slot, static_cast<int32_t>(scalar.integer));
  return true;
}
bool DateFromText(const Scalar& scalar, idx_t slot, ColumnSink* sink, const StoreContext& context) {
  int32_t days = 0;
  if (!ParseDate(scalar.bytes, &days)) return Refuse(context, "Invalid DATE string \"{}\"", scalar.bytes);
  sink->Put(slot, days);
  return true;
}
bool TimeFromPacked(const Scalar& scalar, idx_t slot, ColumnSink* sink, const StoreContext& context) {
  int64_t micros = 0;
  if (!UnpackTime(scalar.integer, &micros)) [[unlikely]] {
    return Refuse(
        context,
        "Cannot return an invalid time value of {} microseconds expressed as civil time, according to "
        "civil_time encoding. The range of valid time values is [00:00:00, 23:59:59.999999]",
        scalar.integer);
  }
  sink->Put(slot, micros);
  return true;
}
bool TimeFromText(const Scalar& scalar, idx_t slot, ColumnSink* sink, const StoreContext& context) {
  int64_t micros = 0;
  if (!ParseTime(scalar.bytes, &micros)) return Refuse(context, "Invalid TIME string \"{}\"", scalar.bytes);
  sink->Put(slot, micros);
  return true;
}
bool TimeFromMicros(const Scalar& scalar, idx_t slot, ColumnSink* sink, const StoreContext& context) {
  if (scalar.integer < 0 || scalar.integer >= kMicrosPerDay) {
    return Refuse(context, "Invalid time value of {} microseconds since midnight", scalar.integer);
  }
  sink->Put(slot, scalar.integer);
  return true;
}
bool DateTimeFromPacked(const Scalar& scalar, idx_t slot, ColumnSink* sink, const StoreContext& context) {
  int64_t micros = 0;
  if (!UnpackDateTime(scalar.integer, &micros)) [[unlikely]] {
    return Refuse(
        context,
        "Cannot return an invalid datetime value of {} microseconds expressed as civil time, according to "
        "civil_time encoding. The range of valid datetime values is [0001-01-01 00:00:00, 9999-12-31 "
        "23:59:59.999999]",
        scalar.integer);
  }
  sink->Put(slot, micros);
  return true;
}
bool DateTimeFromText(const Scalar& scalar, idx_t slot, ColumnSink* sink, const StoreContext& context) {
  int64_t micros = 0;
  if (!ParseDateTime(scalar.bytes, &micros))
    return Refuse(context, "Invalid DATETIME string \"{}\"", scalar.bytes);
  sink->Put(slot, micros);
  return true;
}
bool PutMicros(int64_t micros, idx_t slot, ColumnSink* sink, const StoreContext& context) {
  if (micros < kMinTimestamp || micros > kMaxTimestamp) [[unlikely]] {
    return Refuse(
        context,
        "Cannot return an invalid timestamp value of {} microseconds relative to the Unix epoch. The range "
        "of valid timestamp values is [0001-01-01 00:00:00, 9999-12-31 23:59:59.999999]",
        micros);
  }
  sink->Put(slot, micros);
  return true;
}
bool TimestampFromMicros(const Scalar& scalar, idx_t slot, ColumnSink* sink, const StoreContext& context) {
  return PutMicros(scalar.integer, slot, sink, context);
}
bool TimestampFromMessage(const Scalar& scalar, idx_t slot, ColumnSink* sink, const StoreContext& context) {
  const bool possible =
      std::llabs(scalar.integer) < 1'000'000'000'000 && scalar.nanos >= 0 && scalar.nanos < 1'000'000'000;
  if (!possible)
    return Refuse(context, "Invalid google.protobuf.Timestamp: {} s, {} ns", scalar.integer, scalar.nanos);
  return PutMicros(scalar.integer * kMicrosPerSecond + scalar.nanos / 1000, slot, sink, context);
}

// ---- INTERVAL

bool PutInterval(const IntervalParts& parts, idx_t slot, ColumnSink* sink) {
  sink->Put<duckdb_interval>(slot, {parts.months, parts.days, parts.micros});
  return true;
}
bool IntervalFromText(const Scalar& scalar, idx_t slot, ColumnSink* sink, const StoreContext& context) {
  IntervalParts parts;
  if (!ParseInterval(scalar.bytes, &parts))
    return Refuse(context, "Invalid INTERVAL value \"{}\"", scalar.bytes);
  return PutInterval(parts, slot, sink);
}
bool IntervalFromDuration(const Scalar& scalar, idx_t slot, ColumnSink* sink, const StoreContext& context) {
  if (std::llabs(scalar.integer) > 315'576'000'000 ||
      std::abs(static_cast<int64_t>(scalar.nanos)) > 999'999'999) {
    return Refuse(context, "Invalid google.protobuf.Duration: {} s, {} ns", scalar.integer, scalar.nanos);
  }
  return PutInterval({0, 0, scalar.integer * kMicrosPerSecond + scalar.nanos / 1000}, slot, sink);
}

// ---- NUMERIC, BIGNUMERIC

template <bool kBig>
constexpr int kScale = kBig ? kBigNumericScale : kNumericScale;
template <bool kBig>
constexpr std::string_view kName = kBig ? "BIGNUMERIC" : "NUMERIC";

template <bool kBig>
bool FitsParameters(const Column& column, ScaledInteger* value, const StoreContext& context) {
  if (!RoundTo(kScale<kBig>, column.scale, value) ||
      !FitsPrecision(*value, kScale<kBig>, column.precision, column.scale)) {
    return Refuse(context,
                  "{}({}, {}) has precision {} and scale {} but got a value that is not in range: {}",
                  kName<kBig>, column.precision, column.scale, column.precision, column.scale,
                  ToText(*value, kScale<kBig>));
  }
  return true;
}

template <bool kBig>
bool PutScaled(ScaledInteger value, idx_t slot, ColumnSink* sink, const StoreContext& context) {
  if (kBig ? !FitsBigNumeric(value) : !FitsNumeric(value)) {
    return Refuse(context, "{} out of range: {}", kName<kBig>, ToText(value, kScale<kBig>));
  }
  if (sink->column().precision > 0 && !FitsParameters<kBig>(sink->column(), &value, context)) return false;
  if constexpr (kBig) {
    char* bytes = context.arena->Allocate(35);
    const size_t size = ToDuckDbBignum(value, bytes);
    context.arena->ShrinkLast(35, size);
    sink->PutText(slot, {bytes, size});
  } else {
    const __int128 number = ToInt128(value);
    sink->Put<duckdb_hugeint>(slot, {static_cast<uint64_t>(number), static_cast<int64_t>(number >> 64)});
  }
  return true;
}

template <bool kBig>
bool NumericFromInteger(const Scalar& scalar, idx_t slot, ColumnSink* sink, const StoreContext& context) {
  ScaledInteger value;
  ScaleInt64(scalar.integer, kScale<kBig>, &value);
  return PutScaled<kBig>(value, slot, sink, context);
}
template <bool kBig>
bool NumericFromUnsigned(const Scalar& scalar, idx_t slot, ColumnSink* sink, const StoreContext& context) {
  ScaledInteger value;
  ScaleUint64(static_cast<uint64_t>(scalar.integer), kScale<kBig>, &value);
  return PutScaled<kBig>(value, slot, sink, context);
}
template <bool kBig>
bool NumericFromDouble(const Scalar& scalar, idx_t slot, ColumnSink* sink, const StoreContext& context) {
  ScaledInteger value;
  if (!ScaleDouble(scalar.real, kScale<kBig>, &value)) {
    return Refuse(context, "Invalid {} value: {}", kName<kBig>, scalar.real);
  }
  return PutScaled<kBig>(value, slot, sink, context);
}
template <bool kBig>
bool NumericFromText(const Scalar& scalar, idx_t slot, ColumnSink* sink, const StoreContext& context) {
  ScaledInteger value;
  if (!ParseScaled(scalar.bytes, kScale<kBig>, &value)) {
    return Refuse(context, "Invalid {} value: {}", kName<kBig>, scalar.bytes);
  }
  return PutScaled<kBig>(value, slot, sink, context);
}
template <bool kBig>
bool NumericFromBytes(const Scalar& scalar, idx_t slot, ColumnSink* sink, const StoreContext& context) {
  ScaledInteger value;
  if (scalar.bytes.size() > (kBig ? 32 : 16) || !FromLittleEndian(scalar.bytes, &value)) {
    return Refuse(context, "Invalid {} value: expected 1 to {} bytes, found {}", kName<kBig>, kBig ? 32 : 16,
                  scalar.bytes.size());
  }
  return PutScaled<kBig>(value, slot, sink, context);
}
template <bool kBig>
bool NumericFromDecimal(const Scalar& scalar, idx_t slot, ColumnSink* sink, const StoreContext& context) {
  ScaledInteger value;
  if (!FromLittleEndian(scalar.bytes, &value) || !Rescale(scalar.nanos, kScale<kBig>, &value)) {
    return Refuse(context, "{} out of range", kName<kBig>);
  }
  return PutScaled<kBig>(value, slot, sink, context);
}

template <bool kBig>
StoreFunction FindNumeric(Source source) {
  switch (source) {
    case Source::kInteger:
      return NumericFromInteger<kBig>;
    case Source::kUnsigned:
      return NumericFromUnsigned<kBig>;
    case Source::kDouble:
      return NumericFromDouble<kBig>;
    case Source::kText:
      return NumericFromText<kBig>;
    case Source::kBytes:
      return NumericFromBytes<kBig>;
    case Source::kDecimal:
      return NumericFromDecimal<kBig>;
    default:
      return nullptr;
  }
}

StoreFunction FindTemporal(Source source, Type type) {
  switch (type) {
    case Type::kDate:
      return source == Source::kInteger ? DateFromDays : source == Source::kText ? DateFromText : nullptr;
    case Type::kTime:
      if (source == Source::kMicros) return TimeFromMicros;
      return source == Source::kInteger ? TimeFromPacked : source == Source::kText ? TimeFromText : nullptr;
    case Type::kDateTime:
      if (source == Source::kMicros) return TimestampFromMicros;
      return source == Source::kInteger ? DateTimeFromPacked
             : source == Source::kText  ? DateTimeFromText
                                        : nullptr;
    case Type::kTimestamp:
      if (source == Source::kTimestamp) return TimestampFromMessage;
      return source == Source::kInteger || source == Source::kMicros ? TimestampFromMicros : nullptr;
    default:
      return nullptr;
  }
}

}  // namespace

StoreFunction FindStore(Source source, Type type) {
  const bool is_text = source == Source::kText;
  switch (type) {
    case Type::kBool:
      return source == Source::kBool || source == Source::kInteger || source == Source::kUnsigned
                 ? BoolFromInteger
                 : nullptr;
    case Type::kInt64:
      return source == Source::kInteger || source == Source::kEnum ? IntegerFromInteger : nullptr;
    case Type::kFloat64:
      return source == Source::kDouble ? DoubleFromDouble : nullptr;
    case Type::kString:
      return is_text || source == Source::kEnum ? StringFromText : nullptr;
    case Type::kBytes:
      return is_text || source == Source::kBytes ? BytesFromBytes : nullptr;
    case Type::kJson:
      return is_text ? JsonFromText : nullptr;
    case Type::kGeography:
      return is_text ? StringFromText : nullptr;
    case Type::kNumeric:
      return FindNumeric<false>(source);
    case Type::kBigNumeric:
      return FindNumeric<true>(source);
    case Type::kInterval:
      return is_text ? IntervalFromText : source == Source::kDuration ? IntervalFromDuration : nullptr;
    case Type::kDate:
    case Type::kTime:
    case Type::kDateTime:
    case Type::kTimestamp:
      return FindTemporal(source, type);
    case Type::kRange:
    case Type::kRecord:
      return nullptr;
  }
  return nullptr;
}

}  // namespace hakobu::localbq
