#include "localbq/rest/cells.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string_view>

#include "absl/strings/escaping.h"
#include "base/status.h"
#include "localbq/storage_api/numeric.h"
#include "localbq/storage_api/temporal.h"

namespace hakobu::localbq::rest {
namespace {

constexpr int64_t kMicrosPerHour = 3'600 * kMicrosPerSecond;

void AppendJsonText(std::string_view text, std::string* out) {
  out->push_back('"');
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out->push_back('\\');
      out->push_back(c);
    } else if (c == '\n') {
      out->append("\\n");
    } else if (byte < 0x20) {
      fmt::format_to(std::back_inserter(*out), "\\u{:04x}", static_cast<unsigned>(byte));
    } else {
      out->push_back(c);
    }
  }
  out->push_back('"');
}

std::string_view TextAt(duckdb_vector vector, idx_t row) {
  auto* texts = static_cast<duckdb_string_t*>(duckdb_vector_get_data(vector));
  return {duckdb_string_t_data(&texts[row]), duckdb_string_t_length(texts[row])};
}

template <typename T>
T At(duckdb_vector vector, idx_t row) {
  return static_cast<T*>(duckdb_vector_get_data(vector))[row];
}

std::string FloatText(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  if (value == std::trunc(value) && std::fabs(value) < 1e15) {
    const std::string sign = std::signbit(value) && value == 0 ? "-" : "";
    return sign + fmt::format("{}.0", static_cast<int64_t>(value));
  }
  char buffer[32];
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, value);
  std::string text(buffer, end);
  // to_chars writes 1e+20, Google 1.0E20.
  const size_t exponent = text.find('e');
  if (exponent == std::string::npos) return text;
  std::string mantissa = text.substr(0, exponent), power = text.substr(exponent + 1);
  if (mantissa.find('.') == std::string::npos) mantissa += ".0";
  const bool negative = power.starts_with('-');
  power.erase(0, power.find_first_not_of("+-0"));
  return mantissa + "E" + (negative ? "-" : "") + power;
}

// h:mm:ss with microseconds when there are any: all six digits.
std::string ClockText(int64_t micros) {
  const int64_t seconds = micros / kMicrosPerSecond;
  std::string text = fmt::format("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
  if (const int64_t rest = micros % kMicrosPerSecond; rest != 0) text += fmt::format(".{:06}", rest);
  return text;
}

std::string DateText(int64_t days) {
  // Howard Hinnant's days-to-civil.
  const int64_t z = days + 719468;
  const int64_t era = (z >= 0 ? z : z - 146096) / 146097;
  const int64_t day_of_era = z - era * 146097;
  const int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t shifted_month = (5 * day_of_year + 2) / 153;
  const int64_t month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
  const int64_t year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
  return fmt::format("{:04}-{:02}-{:02}", year, month, day_of_year - (153 * shifted_month + 2) / 5 + 1);
}

std::string DateTimeText(int64_t micros) {
  int64_t days = micros / kMicrosPerDay, rest = micros % kMicrosPerDay;
  if (rest < 0) {
    --days;
    rest += kMicrosPerDay;
  }
  return DateText(days) + "T" + ClockText(rest);
}

std::string TimestampText(int64_t micros, TimestampFormat format) {
  if (format == TimestampFormat::kInt64Micros) return std::to_string(micros);
  // Seconds as a double, the way Java writes one: 1.7E9, 1.700000000123456E9.
  const int64_t magnitude = std::abs(micros);
  std::string digits = fmt::format("{}", magnitude);
  const std::string sign = micros < 0 ? "-" : "";
  if (magnitude < 10'000'000 * kMicrosPerSecond && magnitude >= 1000) {
    std::string text =
        fmt::format("{}{}.{:06}", sign, magnitude / kMicrosPerSecond, magnitude % kMicrosPerSecond);
    while (text.ends_with('0') && text[text.size() - 2] != '.') text.pop_back();
    return text;
  }
  if (magnitude == 0) return "0.0";
  const int exponent = static_cast<int>(digits.size()) - 1 - 6;
  while (digits.size() > 1 && digits.ends_with('0')) digits.pop_back();
  return fmt::format("{}{}.{}E{}", sign, digits[0], digits.size() > 1 ? digits.substr(1) : "0", exponent);
}

std::string IntervalText(const duckdb_interval& interval) {
  const int32_t months = std::abs(interval.months);
  const int64_t micros = std::abs(interval.micros);
  std::string text =
      fmt::format("{}{}-{} {} {}{}:{}:{}", interval.months < 0 ? "-" : "", months / 12, months % 12,
                  interval.days, interval.micros < 0 ? "-" : "", micros / kMicrosPerHour,
                  micros / (60 * kMicrosPerSecond) % 60, micros / kMicrosPerSecond % 60);
  if (const int64_t rest = micros % kMicrosPerSecond; rest != 0) text += fmt::format(".{:06}", rest);
  return text;
}

std::string NumericText(duckdb_hugeint value) {
  const __int128 number = static_cast<__int128>(value.upper) << 64 | value.lower;
  return ToText(FromInt128(number), kNumericScale);
}

std::string BigNumericText(std::string_view bytes) {
  ScaledInteger value;
  return FromDuckDbBignum(bytes, &value) ? ToText(value, kBigNumericScale) : std::string("NaN");
}

bool IsNull(duckdb_vector vector, idx_t row) {
  uint64_t* validity = duckdb_vector_get_validity(vector);
  return validity != nullptr && !duckdb_validity_row_is_valid(validity, row);
}

void AppendFields(const Schema& fields, duckdb_vector record, idx_t row, TimestampFormat format,
                  std::string* out);

std::string ScalarText(Type type, duckdb_vector vector, idx_t row, TimestampFormat format) {
  switch (type) {
    case Type::kInt64:
      return std::to_string(At<int64_t>(vector, row));
    case Type::kFloat64:
      return FloatText(At<double>(vector, row));
    case Type::kBool:
      return At<bool>(vector, row) ? "true" : "false";
    case Type::kBytes: {
      std::string encoded;
      absl::Base64Escape(View(TextAt(vector, row)), &encoded);
      return encoded;
    }
    case Type::kNumeric:
      return NumericText(At<duckdb_hugeint>(vector, row));
    case Type::kBigNumeric:
      return BigNumericText(TextAt(vector, row));
    case Type::kDate:
      return DateText(At<int32_t>(vector, row));
    case Type::kDateTime:
      return DateTimeText(At<int64_t>(vector, row));
    case Type::kTime:
      return ClockText(At<int64_t>(vector, row));
    case Type::kTimestamp:
      return TimestampText(At<int64_t>(vector, row), format);
    case Type::kInterval:
      return IntervalText(At<duckdb_interval>(vector, row));
    default:
      return std::string(TextAt(vector, row));
  }
}

std::string RangeText(const Column& column, duckdb_vector vector, idx_t row, TimestampFormat format) {
  std::string bounds[2];
  for (idx_t i = 0; i < 2; ++i) {
    const duckdb_vector bound = duckdb_struct_vector_get_child(vector, i);
    bounds[i] = IsNull(bound, row) ? "UNBOUNDED" : ScalarText(column.range_element, bound, row, format);
  }
  return fmt::format("[{}, {})", bounds[0], bounds[1]);
}

void AppendElement(const Column& column, duckdb_vector vector, idx_t row, TimestampFormat format,
                   std::string* out) {
  if (IsNull(vector, row)) {
    out->append("null");
  } else if (column.type == Type::kRecord) {
    AppendFields(column.fields, vector, row, format, out);
  } else if (column.type == Type::kRange) {
    AppendJsonText(RangeText(column, vector, row, format), out);
  } else if (column.type == Type::kString || column.type == Type::kJson || column.type == Type::kGeography) {
    AppendJsonText(TextAt(vector, row), out);
  } else {
    out->push_back('"');
    out->append(ScalarText(column.type, vector, row, format));
    out->push_back('"');
  }
}

void AppendValue(const Column& column, duckdb_vector vector, idx_t row, TimestampFormat format,
                 std::string* out) {
  out->append("{\"v\":");
  if (column.mode != Mode::kRepeated) {
    AppendElement(column, vector, row, format, out);
  } else {
    out->push_back('[');
    if (!IsNull(vector, row)) {
      const auto list = At<duckdb_list_entry>(vector, row);
      const duckdb_vector elements = duckdb_list_vector_get_child(vector);
      for (idx_t i = 0; i < list.length; ++i) {
        if (i > 0) out->push_back(',');
        out->append("{\"v\":");
        AppendElement(column, elements, list.offset + i, format, out);
        out->push_back('}');
      }
    }
    out->push_back(']');
  }
  out->push_back('}');
}

void AppendFields(const Schema& fields, duckdb_vector record, idx_t row, TimestampFormat format,
                  std::string* out) {
  out->append("{\"f\":[");
  for (idx_t i = 0; i < fields.size(); ++i) {
    if (i > 0) out->push_back(',');
    AppendValue(fields[i], duckdb_struct_vector_get_child(record, i), row, format, out);
  }
  out->append("]}");
}

}  // namespace

void AppendRow(const Schema& schema, duckdb_data_chunk chunk, idx_t row, TimestampFormat format,
               std::string* out) {
  out->append("{\"f\":[");
  for (idx_t i = 0; i < schema.size(); ++i) {
    if (i > 0) out->push_back(',');
    AppendValue(schema[i], duckdb_data_chunk_get_vector(chunk, i), row, format, out);
  }
  out->append("]}");
}

}  // namespace hakobu::localbq::rest
