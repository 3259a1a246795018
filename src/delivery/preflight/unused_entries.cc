#include "delivery/preflight/unused_entries.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "base/glob.h"
#include "config/column_rules.h"
#include "config/value.h"

namespace hakobu {
namespace {

bool Contains(const std::vector<std::string>& list, const std::string& text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

// The columns that one section of the file is about.
class SectionColumns {
 public:
  SectionColumns(std::string subject, Findings* findings)
      : subject_(std::move(subject)), findings_(findings) {}

  void Add(const TableWork& work) {
    for (const SourceColumn& column : work.source.columns) names_.push_back(column.name);
  }
  bool empty() const { return names_.empty(); }

  void Check(std::string_view key, const std::string& pattern) {
    const bool used = std::any_of(names_.begin(), names_.end(),
                                  [&](const std::string& name) { return MeansColumn(pattern, name); });
    if (used) return;
    if (IsGlob(pattern)) {
      findings_->Add(FindingLevel::kNote, subject_,
                     fmt::format("{}: `{}` means no column yet", key, pattern));
    } else {
      findings_->Add(FindingLevel::kWarning, subject_,
                     fmt::format("{}: there is no column `{}`", key, pattern), DidYouMean(pattern, names_));
    }
  }

 private:
  std::string subject_;
  Findings* findings_;
  std::vector<std::string> names_;
};

void CheckSection(const TableOptions& options, const TableOptions* defaults, SectionColumns* columns) {
  if (columns->empty()) return;
  const bool own_include = defaults == nullptr || options.include != defaults->include;
  for (const std::string& pattern : own_include ? options.include : std::vector<std::string>()) {
    columns->Check("include", pattern);
  }
  for (const std::string& pattern : options.exclude) {
    if (defaults == nullptr || !Contains(defaults->exclude, pattern)) columns->Check("exclude", pattern);
  }
  for (const ColumnRule& rule : options.columns) {
    if (!rule.inherited && !rule.must_exist) columns->Check("columns", rule.pattern);
  }
}

}  // namespace

void CheckUnusedEntries(const Config& config, const std::vector<const TableWork*>& tables,
                        Findings* findings) {
  SectionColumns all("defaults", findings);
  for (const TableWork* work : tables) all.Add(*work);
  CheckSection(config.defaults, nullptr, &all);
  for (const TableRule& rule : config.tables) {
    SectionColumns columns(rule.pattern, findings);
    for (const TableWork* work : tables) {
      if (GlobMatches(rule.pattern, work->name)) columns.Add(*work);
    }
    CheckSection(rule.options, &config.defaults, &columns);
  }
}

}  // namespace hakobu
