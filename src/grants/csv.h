// A grants file as CSV (base/csv.h), its faults among the grants' other problems.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "base/csv.h"
#include "grants/problems.h"

namespace hakobu {

inline CsvFile ParseCsv(std::string_view text, const std::string& file, GrantProblems* problems) {
  CsvFile csv = ReadCsv(text);
  for (const CsvFault& fault : csv.faults) {
    problems->Error({file, fault.line, fault.column},
                    fmt::format("expected {}, found {}", fault.expected, fault.found), fault.hint);
  }
  return csv;
}

}  // namespace hakobu
