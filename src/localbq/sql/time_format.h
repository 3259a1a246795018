// FORMAT_… and PARSE_… elements (%Y %m %E6S …).
// https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/format-elements#format_elements_date_time
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "localbq/sql/civil.h"

namespace hakobu::localbq::sql {

// nullopt: an element that is not supported (its letter goes to `bad`).
std::optional<std::string> FormatTime(std::string_view format, const CivilTime& civil, int64_t offset_seconds,
                                      std::string_view zone, std::string* bad);

struct ParsedTime {
  CivilTime civil;
  std::optional<int64_t> offset_seconds;  // %z
};
// nullopt: the text does not match (or the element is not supported, which `bad` then names).
std::optional<ParsedTime> ParseWithFormat(std::string_view format, std::string_view text, std::string* bad);

}  // namespace hakobu::localbq::sql
