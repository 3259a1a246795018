// What was left out or masked, and must not come in clear under another name.
#include <fmt/format.h>

#include <initializer_list>
#include <string_view>
#include <vector>

#include "absl/strings/ascii.h"
#include "delivery/contract/comparison.h"

namespace hakobu {
namespace {

// Values of one kind can be those of another column after a change of the type.
enum class Kind : uint8_t { kText, kNumber, kTime, kOther };

Kind KindOf(std::string_view declared) {
  const std::string type = absl::AsciiStrToLower(View(declared));
  const auto begins = [&](std::initializer_list<std::string_view> words) {
    return std::any_of(words.begin(), words.end(),
                       [&](std::string_view word) { return type.starts_with(word); });
  };
  if (type.find("char") != std::string::npos || type.find("text") != std::string::npos ||
      type.find("blob") != std::string::npos || begins({"binary", "varbinary", "enum", "set", "json"}))
    return Kind::kText;
  if (begins({"date", "time", "year"})) return Kind::kTime;
  if (begins({"tinyint", "smallint", "mediumint", "int", "bigint", "decimal", "numeric", "float", "double",
              "bit"}))
    return Kind::kNumber;
  return Kind::kOther;
}

using Shapes = std::vector<SourceShape>;

// The nearest column before `name` that `other` has too; empty: it is the first.
std::string_view ColumnBefore(const Shapes& shapes, std::string_view name, const Shapes& other) {
  std::string_view before;
  for (const SourceShape& shape : shapes) {
    if (SameColumn(shape.name, name)) break;
    if (FindColumn(other, shape.name) != nullptr) before = shape.name;
  }
  return before;
}

// The columns that both have, in the order of the first.
std::vector<const SourceShape*> Common(const Shapes& shapes, const Shapes& other) {
  std::vector<const SourceShape*> common;
  for (const SourceShape& shape : shapes) {
    if (FindColumn(other, shape.name) != nullptr) common.push_back(&shape);
  }
  return common;
}

std::string HiddenText(const ColumnForm& form) {
  return fmt::format("{}, masked by {}{}", form.type, form.mask,
                     form.salt.empty() ? "" : fmt::format(" with salt {}…", form.salt.substr(0, 6)));
}

}  // namespace

const ColumnForm* Comparison::FormBefore(std::string_view source) const {
  for (const ColumnForm& form : recorded_->columns) {
    if (SameColumn(form.source, source)) return &form;
  }
  return nullptr;
}

bool Comparison::HidesAsMuch(const ColumnForm& form, std::string_view before) const {
  const ColumnForm* was = FormBefore(before);
  if (form.mask == "null") return true;
  if (was == nullptr) return false;
  return was->mask == "none" || (was->mask == form.mask && was->salt == form.salt);
}

void Comparison::ProtectedColumns() {
  if (recorded_ == nullptr) return;
  for (const ColumnForm& form : wanted_.columns) {
    if (question_.named.contains(form.source)) continue;
    const std::optional<std::string> before = ShownColumn(form);
    if (!before.has_value()) continue;
    const ColumnForm* was = FormBefore(*before);
    Add(Halt(),
        fmt::format("column `{}` of the source is `{}` now, and would be delivered {}", *before, form.source,
                    was == nullptr ? "though it was left out" : "without its mask"),
        was == nullptr ? "left out" : HiddenText(*was),
        fmt::format("{}, {}", form.type, form.mask == "none" ? "not masked" : "masked by " + form.mask),
        fmt::format("exclude or mask `{}`, or name it under `columns:` if it may be delivered so{}",
                    form.source,
                    streams() ? fmt::format("; then `hakobu repair --recopy {}`", wanted_.source) : ""));
  }
}

std::optional<std::string> Comparison::ShownColumn(const ColumnForm& form) const {
  const auto told = question_.renamed.find(form.source);
  if (told != question_.renamed.end()) {
    if (HidesAsMuch(form, told->second)) return std::nullopt;
    return told->second;
  }
  if (question_.occasion == ContractOccasion::kAltered) return std::nullopt;  // the statement has said it all
  if (FindColumn(recorded_->source_columns, form.source) == nullptr) return GoneColumn(form);
  // A stream has followed what changed names.
  const bool guesses = !streams() || question_.occasion == ContractOccasion::kReplaced;
  return guesses ? SwappedColumn(form) : std::nullopt;
}

// A new column, while one that was protected is gone: nothing tells whether that was dropped or renamed, and
// perhaps retyped. It is taken for renamed where the place or the kind of the values is the same.
std::optional<std::string> Comparison::GoneColumn(const ColumnForm& form) const {
  const SourceShape* is = FindColumn(wanted_.source_columns, form.source);
  if (is == nullptr) return std::nullopt;
  const std::string_view place = ColumnBefore(wanted_.source_columns, is->name, recorded_->source_columns);
  for (const SourceShape& before : recorded_->source_columns) {
    if (FindColumn(wanted_.source_columns, before.name) != nullptr || HidesAsMuch(form, before.name))
      continue;
    if (KindOf(before.declared) == KindOf(is->declared) ||
        SameColumn(ColumnBefore(recorded_->source_columns, before.name, wanted_.source_columns), place))
      return before.name;
  }
  return std::nullopt;
}

// All names are there still, in another order: columns may have changed their names. Then each place kept its
// type; where types have gone with the names, columns were moved.
std::optional<std::string> Comparison::SwappedColumn(const ColumnForm& form) const {
  const std::vector<const SourceShape*> before = Common(recorded_->source_columns, wanted_.source_columns);
  const std::vector<const SourceShape*> now = Common(wanted_.source_columns, recorded_->source_columns);
  const auto place_of = [](const std::vector<const SourceShape*>& shapes, std::string_view name) {
    const auto at = std::find_if(shapes.begin(), shapes.end(),
                                 [&](const SourceShape* shape) { return SameColumn(shape->name, name); });
    return static_cast<size_t>(at - shapes.begin());
  };
  const size_t place = place_of(now, form.source);
  if (place == now.size() || before.size() != now.size()) return std::nullopt;
  const std::string& was = before[place]->name;
  if (SameColumn(was, form.source) || HidesAsMuch(form, was)) return std::nullopt;
  // The names that went round.
  size_t at = place;
  do {
    if (now[at]->declared != before[at]->declared) return std::nullopt;
    at = place_of(now, before[at]->name);
  } while (at != place);
  return was;
}

}  // namespace hakobu
