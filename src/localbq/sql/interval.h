// INTERVAL: months, days and microseconds, and their text "Y-M D H:M:S.F".
// https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/data-types#interval_type
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hakobu::localbq::sql {

struct IntervalParts {
  int64_t months = 0, days = 0, micros = 0;
};

// "1-2 3 4:5:6.789", the whole form.
std::optional<IntervalParts> ParseInterval(std::string_view text);
// INTERVAL '<text>' FROM part TO part: "1-2" YEAR TO MONTH, "4:5" HOUR TO MINUTE …
std::optional<IntervalParts> ParseIntervalRange(std::string_view text, std::string_view from,
                                                std::string_view to);
// INTERVAL n part; nullopt: no such part.
std::optional<IntervalParts> IntervalOf(int64_t count, std::string_view part);

std::string IntervalText(const IntervalParts& parts);  // 0-0 0 0:10:0
std::string IntervalSql(const IntervalParts& parts);   // a DuckDB expression

}  // namespace hakobu::localbq::sql
