#include "config/column_rules.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/glob.h"
#include "row/name_fold.h"

namespace hakobu {
namespace {

// How much a mask hides.
int Strictness(Mask mask) {
  switch (mask) {
    case Mask::kNone:
      return 0;
    case Mask::kFirstN:
      return 1;
    case Mask::kSha256:
      return 2;
    case Mask::kNull:
      return 3;
  }
  return 0;
}

size_t Letters(std::string_view pattern) {
  return static_cast<size_t>(
      std::count_if(pattern.begin(), pattern.end(), [](char c) { return c != '*' && c != '?'; }));
}

// Strongest first.
std::vector<const ColumnRule*> RulesFor(const TableOptions& options, std::string_view column) {
  std::vector<const ColumnRule*> rules;
  for (const ColumnRule& rule : options.columns) {
    if (MeansColumn(rule.pattern, column)) rules.push_back(&rule);
  }
  std::stable_sort(rules.begin(), rules.end(), [](const ColumnRule* left, const ColumnRule* right) {
    if (left->inherited != right->inherited) return right->inherited;
    const bool left_glob = IsGlob(left->pattern);
    const bool right_glob = IsGlob(right->pattern);
    if (left_glob != right_glob) return right_glob;
    return left_glob && Letters(left->pattern) > Letters(right->pattern);
  });
  return rules;
}

// The rule whose mask holds; null when none has one.
const ColumnRule* MaskRule(const std::vector<const ColumnRule*>& rules) {
  const ColumnRule* strictest = nullptr;
  bool inherited_name = false;
  for (const ColumnRule* rule : rules) {
    if (!rule->column.mask.has_value()) continue;
    const bool named = !IsGlob(rule->pattern);
    if (named && !rule->inherited) return rule;
    // A name beats the patterns beside it, not those of the table.
    if (rule->inherited && inherited_name && !named) continue;
    inherited_name |= named;
    if (strictest == nullptr || Strictness(*rule->column.mask) > Strictness(*strictest->column.mask))
      strictest = rule;
  }
  return strictest;
}

// `of` first: a salt or a length that stands beside the mask belongs to it.
template <class Value>
Value Parameter(const ColumnRule& of, const std::vector<const ColumnRule*>& rules,
                std::optional<Value> ColumnConfig::* member) {
  if ((of.column.*member).has_value()) return *(of.column.*member);
  for (const ColumnRule* rule : rules) {
    if ((rule->column.*member).has_value()) return *(rule->column.*member);
  }
  return Value();
}

std::string MaskText(const ColumnChoice& choice) {
  switch (choice.mask) {
    case Mask::kNone:
      return "delivered as it is";
    case Mask::kFirstN:
      return fmt::format("cut to {} characters", choice.mask_keep_characters);
    case Mask::kSha256:
      return "hashed";
    case Mask::kNull:
      return "always NULL";
  }
  return "";
}

std::string_view MaskName(Mask mask) {
  switch (mask) {
    case Mask::kNone:
      return "none";
    case Mask::kFirstN:
      return "first";
    case Mask::kSha256:
      return "sha256";
    case Mask::kNull:
      return "null";
  }
  return "";
}

RenameOutcome CompareTreatments(const ColumnTreatment& before, const ColumnTreatment& after) {
  if (before.delivered != after.delivered)
    return before.delivered ? RenameOutcome::kDiffers : RenameOutcome::kWeaker;
  if (!before.delivered) return RenameOutcome::kSame;
  const int was = Strictness(before.choice.mask);
  const int is = Strictness(after.choice.mask);
  if (was != is) return was < is ? RenameOutcome::kDiffers : RenameOutcome::kWeaker;
  if (before.choice.mask == Mask::kSha256 && before.choice.mask_salt != after.choice.mask_salt)
    return RenameOutcome::kDiffers;
  if (before.choice.mask != Mask::kFirstN) return RenameOutcome::kSame;
  if (before.choice.mask_keep_characters == after.choice.mask_keep_characters) return RenameOutcome::kSame;
  return before.choice.mask_keep_characters < after.choice.mask_keep_characters ? RenameOutcome::kWeaker
                                                                                : RenameOutcome::kDiffers;
}

// Whether the table's own entry for this very name says how it is hidden.
bool IsDecided(const TableOptions& options, std::string_view column) {
  return std::any_of(options.columns.begin(), options.columns.end(), [&](const ColumnRule& rule) {
    return !rule.inherited && rule.column.mask.has_value() && !IsGlob(rule.pattern) &&
           MeansColumn(rule.pattern, column);
  });
}

RenameOutcome Compare(const ColumnTreatment& before, const TableOptions& options, std::string_view column) {
  const RenameOutcome outcome = CompareTreatments(before, TreatmentOf(options, column));
  return outcome == RenameOutcome::kWeaker && IsDecided(options, column) ? RenameOutcome::kDiffers : outcome;
}

std::string StateText(const ColumnTreatment& treatment) {
  return treatment.delivered ? MaskText(treatment.choice) : "left out";
}

// What to write so that `column` is treated as `before`.
std::string HintFor(const ColumnTreatment& before, std::string_view column) {
  if (!before.delivered) {
    return fmt::format("say `exclude: [{}]`, or name it in `columns:` with `mask: none` if it is to be seen",
                       column);
  }
  return fmt::format(
      "give `{}` a mask by its own name in `columns:` (it was `mask: {}`; `mask: none` if it is to be seen)",
      column, MaskName(before.choice.mask));
}

}  // namespace

bool MeansColumn(std::string_view pattern, std::string_view name) {
  return GlobMatches(FoldName(pattern), FoldName(name));
}

ColumnTreatment TreatmentOf(const TableOptions& options, std::string_view column) {
  ColumnTreatment treatment;
  const auto means = [&](const std::string& pattern) { return MeansColumn(pattern, column); };
  const auto excluded = std::find_if(options.exclude.begin(), options.exclude.end(), means);
  const bool included =
      options.include.empty() || std::any_of(options.include.begin(), options.include.end(), means);
  if (excluded != options.exclude.end()) treatment.excluded_by = *excluded;
  treatment.delivered = included && excluded == options.exclude.end();
  const std::vector<const ColumnRule*> rules = RulesFor(options, column);
  for (const ColumnRule* rule : rules) {
    if (treatment.choice.as.empty()) treatment.choice.as = rule->column.as.value_or("");
    if (!treatment.choice.invalid.has_value()) treatment.choice.invalid = rule->column.invalid;
    if (treatment.description.empty()) treatment.description = rule->column.description.value_or("");
  }
  const ColumnRule* mask = MaskRule(rules);
  if (mask == nullptr) return treatment;
  treatment.choice.mask = *mask->column.mask;
  if (treatment.choice.mask == Mask::kSha256)
    treatment.choice.mask_salt = Parameter(*mask, rules, &ColumnConfig::salt);
  if (treatment.choice.mask == Mask::kFirstN)
    treatment.choice.mask_keep_characters = Parameter(*mask, rules, &ColumnConfig::keep);
  return treatment;
}

RenameVerdict JudgeColumnRename(const TableOptions& options, std::string_view before,
                                std::string_view after) {
  const ColumnTreatment was = TreatmentOf(options, before);
  const ColumnTreatment is = TreatmentOf(options, after);
  RenameVerdict verdict{.outcome = Compare(was, options, after), .reason = "", .hint = ""};
  if (verdict.outcome != RenameOutcome::kWeaker) return verdict;
  verdict.reason = fmt::format("column `{}` was {}, and under its new name `{}` it would be {}", before,
                               StateText(was), after, StateText(is));
  verdict.hint = HintFor(was, after);
  return verdict;
}

RenameVerdict JudgeTableRename(const TableOptions& before, const TableOptions& after,
                               const std::vector<std::string>& columns) {
  RenameVerdict verdict;
  for (const std::string& column : columns) {
    const ColumnTreatment was = TreatmentOf(before, column);
    const ColumnTreatment is = TreatmentOf(after, column);
    const RenameOutcome outcome = Compare(was, after, column);
    if (outcome == RenameOutcome::kSame) continue;
    if (outcome == RenameOutcome::kDiffers) {
      if (verdict.outcome == RenameOutcome::kSame) verdict.outcome = outcome;
      continue;
    }
    verdict.outcome = outcome;
    if (!verdict.reason.empty()) verdict.reason += "; ";
    verdict.reason += fmt::format("column `{}` was {}, and under the table's new name it would be {}", column,
                                  StateText(was), StateText(is));
    if (verdict.hint.empty()) verdict.hint = HintFor(was, column);
  }
  return verdict;
}

}  // namespace hakobu
