#include "delivery/contract/renamed.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "row/name_fold.h"

namespace hakobu {
namespace {

constexpr char kNoMask[] = "none";

const ColumnForm* Delivered(const TableContract& contract, const std::string& column) {
  const auto found = std::find_if(contract.columns.begin(), contract.columns.end(),
                                  [&](const ColumnForm& form) { return SameName(form.source, column); });
  return found == contract.columns.end() ? nullptr : &*found;
}

bool Has(const TableContract& contract, const std::string& column) {
  return std::any_of(contract.source_columns.begin(), contract.source_columns.end(),
                     [&](const SourceShape& shape) { return SameName(shape.name, column); });
}

bool IsHidden(const TableContract& contract, const std::string& column) {
  const ColumnForm* form = Delivered(contract, column);
  return form == nullptr || form->mask != kNoMask;
}

bool MayBeTheSame(const TableContract& gone, const TableContract& appeared) {
  size_t common = 0;
  for (const SourceShape& shape : gone.source_columns) {
    const bool is_there = Has(appeared, shape.name);
    if (!is_there && IsHidden(gone, shape.name)) return false;
    common += is_there ? 1 : 0;
  }
  return common > 0 && 2 * common >= std::max(gone.source_columns.size(), appeared.source_columns.size());
}

}  // namespace

RenamedVerdict JudgeRenamed(const TableContract& gone, const TableContract& appeared) {
  if (!MayBeTheSame(gone, appeared)) return {};
  for (const SourceShape& shape : gone.source_columns) {
    const ColumnForm* was = Delivered(gone, shape.name);
    const ColumnForm* is = Delivered(appeared, shape.name);
    if (is == nullptr || is->mask == "null") continue;
    if (was == nullptr) return {RenamedOutcome::kWeaker, fmt::format("column `{}` was left out", shape.name)};
    if (was->mask != kNoMask && (was->mask != is->mask || was->salt != is->salt)) {
      return {RenamedOutcome::kWeaker, fmt::format("column `{}` was masked ({})", shape.name, was->mask)};
    }
  }
  if (!gone.filter.empty() && gone.filter != appeared.filter)
    return {RenamedOutcome::kWeaker, "its rows were chosen by another `where`"};
  return {RenamedOutcome::kSame, ""};
}

}  // namespace hakobu
