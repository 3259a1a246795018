// GoogleSQL that compares two sets of rows in which a row may stand more than once. Pure.
#pragma once

#include <string>
#include <vector>

#include "row/field.h"

namespace hakobu {

// Differences between them, in one row: how many are missing, different (the key is on both sides) and extra
// in `target`; and the first keys. `source` and `target`: table expressions with the columns of `fields`; the
// target's may have a further INT64 column `sign`, 1 or -1: what a row counts. `keys`: of `fields`; empty:
// rows are told apart by all they have, and none is different.
struct MultisetQuestion {
  std::vector<const Field*> fields;
  std::vector<const Field*> keys;
  std::string source;
  std::string target;
  std::string sign;        // the target's column; empty: every row counts 1
  bool extra_keys = true;  // the first keys are also those of extra rows
};
std::string MultisetSql(const MultisetQuestion& question);

}  // namespace hakobu
