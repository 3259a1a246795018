// One small function per kind of field, chosen once per column and written once for both formats: a Sink
// (ProtoSink, AvroSink) puts the bytes. A kernel either writes one whole value, or writes nothing and says
// why it does not fit.
#pragma once

#include <charconv>
#include <limits>

#include "encode/binary_text.h"
#include "encode/civil_zone.h"
#include "encode/column.h"
#include "encode/decimal.h"
#include "encode/geometry.h"
#include "encode/json_check.h"
#include "encode/number_text.h"
#include "encode/problem.h"
#include "encode/temporal.h"
#include "encode/text_form.h"

namespace hakobu {

inline Problem Misfit(const Cell& cell, Problem invalid) {
  return cell.kind == CellKind::kInvalid ? invalid : kAnotherKind;
}

template <typename Sink>
struct Kernels {
  static Kernel Choose(const Column& column) {
    if (column.conversion == Conversion::kAlwaysNull || column.mask == Mask::kNull) return AlwaysNull;
    if (column.mask != Mask::kNone) return Masked;
    switch (column.type) {
      case FieldType::kInt64:
        return column.conversion == Conversion::kTimeMicros ? TimeMicros : Integer;
      case FieldType::kFloat64:
        return column.mode == FieldMode::kRepeated ? Array : Real;
      case FieldType::kNumeric:
        return Numeric;
      case FieldType::kBigNumeric:
        return BigNumeric;
      case FieldType::kBool:
        return Bool;
      case FieldType::kString:
        return column.conversion == Conversion::kHex ? Hex : Text;
      case FieldType::kBytes:
        return Bytes;
      case FieldType::kDate:
        return Date;
      case FieldType::kDateTime:
        return column.conversion == Conversion::kZoned ? DateTimeInZone : DateTime;
      case FieldType::kTime:
        return Time;
      case FieldType::kTimestamp:
        return column.conversion == Conversion::kZoned ? TimestampFromZone : Timestamp;
      case FieldType::kJson:
        return Json;
      case FieldType::kGeography:
        return Geography;
      case FieldType::kInterval:
        return Interval;
    }
    return Text;
  }

  static Problem AlwaysNull(const Column& column, const Cell&, ByteBuffer* out) {
    Sink::Null(column, out);
    return nullptr;
  }

  static Problem Integer(const Column& column, const Cell& cell, ByteBuffer* out) {
    if (cell.kind == CellKind::kUInt64) {
      if (cell.unsigned_integer > static_cast<uint64_t>(std::numeric_limits<int64_t>::max()))
        return kAboveInt64;
    } else if (cell.kind != CellKind::kInt64) [[unlikely]] {
      return Misfit(cell, kNotInteger);
    }
    Sink::Integer(column, cell.integer, out);
    return nullptr;
  }

  static Problem TimeMicros(const Column& column, const Cell& cell, ByteBuffer* out) {
    if (cell.kind != CellKind::kTime) return Misfit(cell, kNotTime);
    Sink::Integer(column, cell.integer, out);
    return nullptr;
  }

  static Problem Bool(const Column& column, const Cell& cell, ByteBuffer* out) {
    if (cell.kind != CellKind::kInt64 && cell.kind != CellKind::kUInt64) return Misfit(cell, kNotBool);
    if (cell.unsigned_integer > 1) return kNotBool;
    Sink::Bool(column, cell.unsigned_integer == 1, out);
    return nullptr;
  }

  static Problem Real(const Column& column, const Cell& cell, ByteBuffer* out) {
    double value = cell.real;
    if (cell.kind == CellKind::kDecimal) {
      // The nearest double of the whole decimal. DECIMAL has at most 65 digits, so it never overflows.
      const std::string_view text = cell.text();
      if (std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc()) return kNotNumber;
    } else if (cell.kind != CellKind::kDouble && cell.kind != CellKind::kFloat) [[unlikely]] {
      return Misfit(cell, kNotNumber);
    }
    Sink::Double(column, value, out);
    return nullptr;
  }

  static Problem Array(const Column& column, const Cell& cell, ByteBuffer* out) {
    if (cell.kind != CellKind::kVector) return Misfit(cell, kNotNumber);
    if (cell.size > column.max_value_bytes) return kTooLarge;
    Sink::Doubles(column, cell.text(), out);
    return nullptr;
  }

  static Problem Numeric(const Column& column, const Cell& cell, ByteBuffer* out) {
    Int128 scaled;
    if (cell.kind == CellKind::kDecimal) [[likely]] {
      if (const DecimalProblem problem = ParseNumeric(cell.text(), &scaled);
          problem != DecimalProblem::kNone) {
        return NumericProblem(problem);
      }
    } else if (cell.kind == CellKind::kUInt64) {
      scaled = NumericFromUnsigned(cell.unsigned_integer);
    } else if (cell.kind == CellKind::kInt64) {
      scaled = NumericFromSigned(cell.integer);
    } else {
      ShortText room;
      if (cell.kind != CellKind::kDouble && cell.kind != CellKind::kFloat) return Misfit(cell, kNotNumber);
      if (const DecimalProblem problem = ParseNumeric(WriteShortText(column, cell, &room), &scaled);
          problem != DecimalProblem::kNone) {
        return NumericProblem(problem);
      }
    }
    Sink::Decimal(column, scaled, out);
    return nullptr;
  }

  static Problem BigNumeric(const Column& column, const Cell& cell, ByteBuffer* out) {
    ShortText room;
    std::string_view text;
    if (cell.kind == CellKind::kDecimal) {
      text = cell.text();
    } else if (cell.kind == CellKind::kDouble || cell.kind == CellKind::kFloat ||
               cell.kind == CellKind::kInt64 || cell.kind == CellKind::kUInt64) {
      text = WriteShortText(column, cell, &room);
    } else {
      return Misfit(cell, kNotNumber);
    }
    Int256 scaled;
    switch (ParseBigNumeric(text, &scaled)) {
      case DecimalProblem::kNone:
        Sink::Decimal(column, scaled, out);
        return nullptr;
      case DecimalProblem::kNotADecimal:
        return kNotNumber;
      case DecimalProblem::kOutOfRange:
        return kOutOfBigNumeric;
      case DecimalProblem::kTooManyFractionDigits:
        return kTooFineForBigNumeric;
    }
    return kNotNumber;
  }

  static Problem Text(const Column& column, const Cell& cell, ByteBuffer* out) {
    if (cell.kind == CellKind::kString || cell.kind == CellKind::kDecimal || cell.kind == CellKind::kJson)
        [[likely]] {
      if (cell.size > column.max_value_bytes) [[unlikely]]
        return kTooLarge;
      Sink::Text(column, cell.text(), out);
      return nullptr;
    }
    ShortText room;
    const std::string_view brief = WriteShortText(column, cell, &room);
    if (!brief.empty()) {
      Sink::Text(column, brief, out);
      return nullptr;
    }
    if (cell.size > column.max_value_bytes) return kTooLarge;
    column.scratch->clear();
    if (const Problem problem = AppendText(column, cell, column.scratch)) return problem;
    Sink::Text(column, *column.scratch, out);
    return nullptr;
  }

  static Problem Hex(const Column& column, const Cell& cell, ByteBuffer* out) {
    if (cell.kind != CellKind::kBytes) return Misfit(cell, kDoesNotDecode);
    if (cell.size > column.max_value_bytes / 2) return kTooLarge;
    WriteHex(cell.text(), Sink::BeginText(column, size_t{2} * cell.size, out));
    return nullptr;
  }

  static Problem Masked(const Column& column, const Cell& cell, ByteBuffer* out) {
    if (cell.size > column.max_value_bytes) return kTooLarge;
    std::string& salted = *column.scratch;
    salted = column.mask_salt;
    if (const Problem problem = AppendText(column, cell, &salted)) return problem;
    ShortText room;
    Sink::Text(column, MaskText(column, salted, &room), out);
    return nullptr;
  }

  // decode/ gives what is no text as upper-case hexadecimal digits.
  static Problem BytesOfHex(const Column& column, std::string_view digits, ByteBuffer* out) {
    const auto value = [](char digit) { return digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10; };
    if (digits.size() / 2 > column.max_value_bytes) return kTooLarge;
    char* at = Sink::BeginText(column, digits.size() / 2, out);
    for (size_t i = 0; i + 1 < digits.size(); i += 2) {
      *at++ = static_cast<char>(value(digits[i]) << 4 | value(digits[i + 1]));
    }
    return nullptr;
  }

  // Bytes of binary columns, UTF-8 of texts, the raw bytes of texts that do not decode, WKB, and BIT's bytes.
  static Problem Bytes(const Column& column, const Cell& cell, ByteBuffer* out) {
    switch (cell.kind) {
      case CellKind::kUInt64: {
        char* at = Sink::BeginText(column, column.bit_bytes, out);
        for (uint32_t i = 0; i < column.bit_bytes; ++i) {
          at[i] = static_cast<char>(cell.unsigned_integer >> (8 * (column.bit_bytes - 1 - i)));
        }
        return nullptr;
      }
      case CellKind::kInvalid:
        if (cell.text().starts_with("0x")) return BytesOfHex(column, cell.text().substr(2), out);
        [[fallthrough]];
      case CellKind::kBytes:
      case CellKind::kString:
        if (cell.size > column.max_value_bytes) return kTooLarge;
        Sink::Text(column, cell.text(), out);
        return nullptr;
      case CellKind::kGeometry:
        if (cell.size > column.max_value_bytes) return kTooLarge;
        Sink::Text(column, Wkb(cell.text()), out);
        return nullptr;
      default:
        return kAnotherKind;
    }
  }

  static Problem Date(const Column& column, const Cell& cell, ByteBuffer* out) {
    if (cell.kind != CellKind::kDate) [[unlikely]]
      return Misfit(cell, kNotDate);
    if (cell.integer < kMinDays || cell.integer > kMaxDays) [[unlikely]]
      return kNotDate;
    Sink::Date(column, cell.integer, out);
    return nullptr;
  }

  static Problem DateTime(const Column& column, const Cell& cell, ByteBuffer* out) {
    if (cell.kind != CellKind::kDateTime) [[unlikely]]
      return Misfit(cell, kNotDate);
    if (cell.integer < kMinMicros || cell.integer > kMaxMicros) [[unlikely]]
      return kNotDate;
    Sink::DateTime(column, cell.integer, out);
    return nullptr;
  }

  static Problem DateTimeInZone(const Column& column, const Cell& cell, ByteBuffer* out) {
    if (cell.kind != CellKind::kTimestamp) return Misfit(cell, kNotDate);
    if (cell.integer < kMinMicros || cell.integer > kMaxMicros) return kNotDate;
    const int64_t civil = CivilInZone(cell.integer, column.zone);
    if (civil < kMinMicros || civil > kMaxMicros) return kOutsideYears;
    Sink::DateTime(column, civil, out);
    return nullptr;
  }

  static Problem Time(const Column& column, const Cell& cell, ByteBuffer* out) {
    if (cell.kind != CellKind::kTime) return Misfit(cell, kNotTime);
    if (cell.integer < 0 || cell.integer >= kMicrosPerDay) return kNotTimeOfDay;
    Sink::Time(column, cell.integer, out);
    return nullptr;
  }

  // TIMESTAMP's own instant, or a civil date or time taken as UTC.
  static Problem Timestamp(const Column& column, const Cell& cell, ByteBuffer* out) {
    int64_t micros = cell.integer;
    if (cell.kind == CellKind::kTime && column.conversion == Conversion::kCivilAsUtc) {
      if (micros < 0 || micros >= kMicrosPerDay) return kNotTimeOfDay;
    } else if (cell.kind == CellKind::kDate && column.conversion == Conversion::kCivilAsUtc) {
      if (micros < kMinDays || micros > kMaxDays) return kNotDate;
      micros *= kMicrosPerDay;
    } else if (cell.kind != CellKind::kTimestamp &&
               !(cell.kind == CellKind::kDateTime && column.conversion == Conversion::kCivilAsUtc))
        [[unlikely]] {
      return Misfit(cell, kNotDate);
    }
    if (micros < kMinMicros || micros > kMaxMicros) [[unlikely]]
      return kNotDate;
    Sink::Timestamp(column, micros, out);
    return nullptr;
  }

  static Problem TimestampFromZone(const Column& column, const Cell& cell, ByteBuffer* out) {
    int64_t civil = cell.integer;
    if (cell.kind == CellKind::kDate && civil >= kMinDays && civil <= kMaxDays) {
      civil *= kMicrosPerDay;
    } else if (cell.kind != CellKind::kDateTime) {
      return Misfit(cell, kNotDate);
    }
    if (civil < kMinMicros || civil > kMaxMicros) return kNotDate;
    int64_t instant;
    if (!InstantFromZone(civil, column.zone, &instant)) return kSkippedHour;
    if (instant < kMinMicros || instant > kMaxMicros) return kOutsideYears;
    Sink::Timestamp(column, instant, out);
    return nullptr;
  }

  static Problem Json(const Column& column, const Cell& cell, ByteBuffer* out) {
    if (cell.kind != CellKind::kJson && cell.kind != CellKind::kString) return Misfit(cell, kNotJson);
    if (cell.size > column.max_value_bytes) return kTooLarge;
    if (column.unchecked_json && !IsJson(cell.text())) return kNotJson;
    if (HasWideNumber(cell.text())) return kWideJsonNumber;
    Sink::Text(column, cell.text(), out);
    return nullptr;
  }

  static Problem Geography(const Column& column, const Cell& cell, ByteBuffer* out) {
    if (cell.kind != CellKind::kGeometry) return Misfit(cell, kNotGeometry);
    if (cell.size > column.max_value_bytes) return kTooLarge;
    column.scratch->clear();
    const Problem problem = ProblemOf(AppendWkt(cell.text(), GeometryUse::kGeography, column.scratch));
    if (problem == nullptr) Sink::Text(column, *column.scratch, out);
    return problem;
  }

  static Problem Interval(const Column& column, const Cell& cell, ByteBuffer* out) {
    if (cell.kind != CellKind::kTime) return Misfit(cell, kNotTime);
    ShortText room;
    const char* end = WriteInterval(cell.integer, room.data());
    Sink::Text(column, {room.data(), static_cast<size_t>(end - room.data())}, out);
    return nullptr;
  }

 private:
  static Problem NumericProblem(DecimalProblem problem) {
    if (problem == DecimalProblem::kOutOfRange) return kOutOfNumeric;
    return problem == DecimalProblem::kTooManyFractionDigits ? kTooFineForNumeric : kNotNumber;
  }
};

// Encodes one row's columns at the end of `out`. On an error `out` holds a part of the row, to be cut back.
template <typename Sink>
absl::Status EncodeCells(const Columns& columns, std::span<const Cell> row, ByteBuffer* out,
                         Quarantine* quarantine) {
  for (const Column& column : columns.all) {
    const Cell& cell = row[column.place];
    if (cell.kind == CellKind::kNull) {
      if (column.mode == FieldMode::kRequired) [[unlikely]]
        return NullRefused(columns, column, row);
      Sink::Null(column, out);
      continue;
    }
    const Problem problem = column.kernel(column, cell, out);
    if (problem == nullptr) [[likely]]
      continue;
    const absl::StatusOr<Settlement> settled = Settle(columns, column, row, problem, quarantine);
    if (!settled.ok()) return settled.status();
    if (*settled == Settlement::kText) {
      Sink::Text(column, *columns.scratch, out);
    } else {
      Sink::Null(column, out);
    }
  }
  return absl::OkStatus();
}

}  // namespace hakobu
