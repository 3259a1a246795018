// CSV as people and spreadsheets write it [RFC 4180], with the place of every field. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "grants/problems.h"

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

struct CsvFile {
  std::vector<CsvRecord> records;  // the header is the first; comments and empty records are left out
};

// Tolerates: a UTF-8 byte order mark; LF, CRLF and CR line ends; `,`, `;` or tab between fields (the first
// of them in the header line decides); quoted fields with "" for a quote, over several lines; typographic
// quotes are not quotes; lines that begin with `#`; records of nothing but separators; trailing separators.
// Refuses, each with its place: UTF-16, bytes that are no UTF-8, NUL and other control characters, a quote
// that is never closed or is followed by text, a quote within an unquoted field.
CsvFile ParseCsv(std::string_view text, const std::string& file, GrantProblems* problems);

// The field as CSV, quoted where it must be.
std::string CsvQuote(std::string_view field);

}  // namespace hakobu
