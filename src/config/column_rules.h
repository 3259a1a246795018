// What the configuration says of one column: the only place where its masks and exclusions are weighed. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"

namespace hakobu {

struct ColumnTreatment {
  bool delivered = true;
  std::string excluded_by;  // the pattern of `exclude:`, when that is why it is not delivered
  ColumnChoice choice;
  std::string description;  // empty: the source's comment
};

// Names of columns are compared as the servers do, without case and accents. The strongest entry of
// `columns:` that has a key decides it: the table's own before inherited ones, a name before patterns, more
// letters before fewer. Masks are weighed apart (docs/configuration.md, "Masks and exclusions"): only an
// entry of the table itself, by the column's own name, takes a mask back; among all others the stricter mask
// holds.
ColumnTreatment TreatmentOf(const TableOptions& options, std::string_view column);

// Whether `name` is one that `pattern`, a name or a glob, means.
bool MeansColumn(std::string_view pattern, std::string_view name);

// What a name that changes does to what was kept back or hidden.
enum class RenameOutcome : uint8_t {
  kSame,     // the new name is treated as the old one
  kDiffers,  // hidden otherwise and no less, or as the table's own entry for the new name says: may be
             // followed, but earlier rows were delivered otherwise
  kWeaker,   // less is hidden under the new name: the table must stop before a row is sent
};

struct RenameVerdict {
  RenameOutcome outcome = RenameOutcome::kSame;
  std::string reason;  // of kWeaker: "column `email` was left out …"
  std::string hint;    // what to write into the configuration
};

// A column of one table was renamed.
RenameVerdict JudgeColumnRename(const TableOptions& options, std::string_view before, std::string_view after);

// A table was renamed, or swapped with another: `columns` are the columns that it has under its new name,
// each of which had the same name before. Names what would be delivered of it under the new name that was not
// delivered, or hidden, under the old one.
RenameVerdict JudgeTableRename(const TableOptions& before, const TableOptions& after,
                               const std::vector<std::string>& columns);

}  // namespace hakobu
