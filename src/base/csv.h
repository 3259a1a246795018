// CSV as people and spreadsheets write it [RFC 4180], with the place of every field. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hakobu {

struct CsvField {
  std::string text;  // unquoted, blanks around an unquoted field removed
  int line = 0;
  int column = 0;
};

struct CsvRecord {
  int line = 0;
  std::vector<CsvField> fields;
  bool is_broken = false;  // its quotes are wrong, which was said: what its fields hold means nothing
};

// 1-based; a column counts characters (UTF-8 code points), as editors do.
struct CsvFault {
  int line = 0;
  int column = 0;
  std::string expected;
  std::string found;
  std::string hint;  // may be empty
};

struct CsvFile {
  std::vector<CsvRecord> records;  // the header is the first; comments and empty records are left out
  std::vector<CsvFault> faults;
};

// Tolerates: a UTF-8 byte order mark; LF and CRLF line ends; `,`, `;` or tab between fields (the first
// of them in the header line decides); quoted fields with "" for a quote, over several lines; typographic
// quotes are not quotes; lines that begin with `#`; records of nothing but separators; trailing separators.
// Faults, each with its place: UTF-16, bytes that are no UTF-8, NUL and other control characters, a CR alone,
// a quote that is never closed or is followed by text, a quote within an unquoted field.
CsvFile ReadCsv(std::string_view text);

// The field as CSV, quoted where it must be.
std::string CsvQuote(std::string_view field);

}  // namespace hakobu
