// What becomes of single columns.
#include <fmt/format.h>

#include "delivery/contract/comparison.h"

namespace hakobu {
namespace {

// The mode's own columns.
std::vector<TargetColumn> OwnColumnsOf(ContractMode mode) {
  if (mode == ContractMode::kSoft) return {{"_hakobu_deleted", "BOOL"}};
  if (mode == ContractMode::kHistory) {
    return {{"_hakobu_type", "STRING"},
            {"_hakobu_place", "STRING"},
            {"_hakobu_time", "TIMESTAMP"},
            {"_hakobu_gtid", "STRING"}};
  }
  return {};
}

std::string FormText(const ColumnForm& form) {
  std::string text = form.type;
  if (form.conversion != "plain") text += fmt::format(" ({})", form.conversion);
  if (!form.zone.empty()) text += fmt::format(" in {}", form.zone);
  text += form.mask == "none" ? ", not masked" : fmt::format(", masked by {}", form.mask);
  if (!form.salt.empty()) text += fmt::format(" with salt {}…", form.salt.substr(0, 6));
  if (form.invalid_as_text) text += ", invalid values as text";
  return text;
}

// Types apart: those are held against the target.
bool SameForm(const ColumnForm& a, const ColumnForm& b) {
  return a.conversion == b.conversion && a.zone == b.zone && a.mask == b.mask && a.salt == b.salt &&
         a.invalid_as_text == b.invalid_as_text;
}

}  // namespace

void Comparison::Columns() {
  if (mode_ == ContractMode::kReplace) {
    for (const ColumnForm& form : wanted_.columns) NextVersion(form);
    return;
  }
  for (const ColumnForm& form : wanted_.columns) Column(form);
  OwnColumns();
  if (recorded_ == nullptr) return;
  for (const ColumnForm& form : recorded_->columns) NoLongerDelivered(form);
}

void Comparison::Column(const ColumnForm& form) {
  const ColumnForm* was = recorded_ == nullptr ? nullptr : FindColumn(recorded_->columns, form.name);
  const TargetColumn* found = FindColumn(found_->columns, form.name);
  if (found == nullptr) return Lacking(form, was);
  if (found->type != form.type) return OtherType(form, was, *found);
  if (was != nullptr && !SameForm(*was, form)) OtherForm(form, *was);
  if (was == nullptr && recorded_ != nullptr) Delivered(form);
}

// The new version has its own columns; but whoever reads them may take another form for the old one.
void Comparison::NextVersion(const ColumnForm& form) {
  if (recorded_ == nullptr) return;
  const ColumnForm* was = FindColumn(recorded_->columns, form.name);
  if (was != nullptr && !SameForm(*was, form)) {
    Add(ContractAction::kFollow,
        fmt::format("column `{}` is delivered in another form with the next version", form.name),
        FormText(*was), FormText(form));
  } else if (was == nullptr && FindColumn(recorded_->source_columns, form.source) != nullptr) {
    Add(ContractAction::kFollow,
        fmt::format("column `{}` was left out so far, and is delivered with the next version", form.name),
        "left out", FormText(form));
  }
}

void Comparison::Lacking(const ColumnForm& form, const ColumnForm* was) {
  const bool seen = recorded_ != nullptr && recorded_->found.has_value() &&
                    FindColumn(recorded_->found->columns, form.name) != nullptr;
  if (was == nullptr || !seen) return Delivered(form);
  const std::string what =
      fmt::format("column `{}` was dropped from {} by somebody else", form.name, wanted_.target);
  if (question_.occasion == ContractOccasion::kAnswered) {
    return Add(ContractAction::kStop, what, form.type, "no such column",
               fmt::format("exclude it; or `hakobu repair --recopy {}` brings it and its values back",
                           wanted_.source));
  }
  if (appends()) {
    if (asked()) {
      return Add(ContractAction::kFollow, what + ": it is added again, NULL in rows that are there",
                 form.type, "no such column");
    }
    return Add(
        ContractAction::kRefuse, what, form.type, "no such column",
        fmt::format("exclude it; or `hakobu repair --recopy {}` lets the next run add it again, NULL in rows "
                    "that are there",
                    wanted_.source));
  }
  Add(ContractAction::kAnew,
      what + (mode_ == ContractMode::kHistory ? ": it is added again, NULL in the history so far"
                                              : ": it is added again, and the rows come anew"),
      form.type, "no such column");
}

void Comparison::Delivered(const ColumnForm& form) {
  if (recorded_ == nullptr) return;
  if (FindColumn(recorded_->source_columns, form.source) == nullptr) return;  // new at the source
  if (FindColumn(recorded_->columns, form.name) != nullptr) return;
  const std::string what =
      fmt::format("column `{}` was left out so far: rows that are there have no value in it", form.name);
  Add(Again(), what, "left out", FormText(form));
}

void Comparison::OtherType(const ColumnForm& form, const ColumnForm* was, const TargetColumn& found) {
  const bool of_somebody = was != nullptr && was->type == form.type;
  if (WidensType(form.type, found.type) && question_.occasion != ContractOccasion::kAnswered) {
    if (was != nullptr && !SameForm(*was, form)) OtherForm(form, *was);
    answer_.deliver_as[form.source] = found.type;
    return Add(ContractAction::kFollow,
               fmt::format("column `{}` {}: it is delivered as that", form.name,
                           of_somebody ? "was widened in BigQuery by somebody else" : "is wider in BigQuery"),
               form.type, found.type);
  }
  if (of_somebody) {
    return Add(Halt(),
               fmt::format("the type of column `{}` was changed in BigQuery by somebody else", form.name),
               form.type, found.type,
               WidensType(form.type, found.type) && streams()
                   ? fmt::format("`hakobu repair --recopy {}` delivers it as what it is now", wanted_.source)
                   : "give the table another `target`");
  }
  if (WidensType(found.type, form.type)) {
    if (was != nullptr && !SameForm(*was, form)) OtherForm(form, *was);
    return Add(ContractAction::kFollow, fmt::format("column `{}` is widened in BigQuery too", form.name),
               found.type, form.type);
  }
  if (!streams()) return;  // the comparison of schemas says it, by `schema_changes:`
  Add(ContractAction::kStop,
      fmt::format("column `{}` would get another type, which BigQuery cannot do in place", form.name),
      found.type, form.type,
      fmt::format("say `as: {}` to keep the type, or give the table another `target`", found.type));
}

void Comparison::OtherForm(const ColumnForm& form, const ColumnForm& was) {
  const std::string what =
      fmt::format("column `{}` is to be delivered in another form than the rows that are there", form.name);
  const std::string again = "say what it was again, or deliver to another `target`: what is there stays";
  switch (mode_) {
    case ContractMode::kReplace:
      return;
    case ContractMode::kUpsert:
      return Add(ContractAction::kAnew, what, FormText(was), FormText(form));
    case ContractMode::kSoft:
      return Add(ContractAction::kRefuse,
                 what + ", and the deleted rows that are kept can have only the old one", FormText(was),
                 FormText(form), again);
    case ContractMode::kHistory:
      return Add(ContractAction::kRefuse, what + ", and a history cannot be had anew", FormText(was),
                 FormText(form), again);
    case ContractMode::kAppend:
      return Add(asked() ? ContractAction::kFollow : ContractAction::kRefuse,
                 what + ", and those do not come again", FormText(was), FormText(form), RecopyHint());
    case ContractMode::kIncremental:
      answer_.others_must_go = true;
      return Add(ContractAction::kAnew, what, FormText(was), FormText(form));
  }
}

void Comparison::OwnColumns() {
  for (const TargetColumn& own : OwnColumnsOf(mode_)) {
    const TargetColumn* found = FindColumn(found_->columns, own.name);
    if (found != nullptr && found->type == own.type) continue;
    const bool new_mode = recorded_ == nullptr || recorded_->mode != mode_;
    if (found == nullptr && new_mode && mode_ == ContractMode::kHistory &&
        question_.target_is_empty != true) {
      return Add(ContractAction::kRefuse, fmt::format("the rows of {} are no history", wanted_.target),
                 own.name, "no such column", "deliver the history to another `target`");
    }
    if (found == nullptr && (new_mode || mode_ == ContractMode::kSoft)) {
      Add(ContractAction::kAnew, fmt::format("the target has no column `{}`", own.name), own.type,
          "no such column");
      continue;
    }
    Add(ContractAction::kStop,
        fmt::format("the stream's own column `{}` was changed or dropped by somebody else", own.name),
        own.type, found == nullptr ? "no such column" : found->type, "give the table another `target`");
  }
}

void Comparison::NoLongerDelivered(const ColumnForm& was) {
  if (FindColumn(wanted_.columns, was.name) != nullptr || FindColumn(found_->columns, was.name) == nullptr)
    return;
  if (FindColumn(wanted_.source_columns, was.source) == nullptr) return;  // gone at the source
  Add(ContractAction::kFollow,
      fmt::format("column `{}` is left out from now on; {} keeps the values that it has", was.name,
                  wanted_.target),
      FormText(was), "left out", fmt::format("ALTER TABLE … DROP COLUMN `{}` takes them away", was.name));
}

}  // namespace hakobu
