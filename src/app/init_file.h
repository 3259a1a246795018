// The text of a first hakobu.yaml. Pure.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "row/source_table.h"

namespace hakobu {

struct InitFacts {
  std::string server;                                    // "db.internal:3306 (MySQL 9.7.0)"
  std::string written_on;                                // "2026-11-22"
  std::map<std::string, std::string> source;             // keys of `source:`, YAML values
  std::map<std::string, std::string> destination;        // keys of `destination:`, YAML values
  std::vector<SourceTable> tables;                       // in the order they are written
  std::vector<std::string> left_out;                     // "shop._t_gho: a helper table of gh-ost for `t`"
  std::map<std::string, std::set<std::string>> indexed;  // "database.table" -> columns that lead an index
};

struct InitResult {
  std::string text;
  size_t personal_columns = 0;
  bool needs_salt = false;
};

InitResult MakeInitFile(const InitFacts& facts);

// `text` as a YAML scalar: plain where that is safe, else in double quotes.
std::string YamlScalar(std::string_view text);

}  // namespace hakobu
