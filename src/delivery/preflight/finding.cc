#include "delivery/preflight/finding.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/status.h"
#include "delivery/table_work.h"

namespace hakobu {
namespace {

constexpr std::string_view kHint = "; hint: ";
constexpr std::string_view kItem = "\n  - ";

absl::Status ProblemsThat(const std::vector<Finding>& list, const auto& concern) {
  Problems problems;
  for (const Finding& finding : list) {
    if (finding.level == FindingLevel::kProblem && concern(finding)) problems.Add(finding.ToStatus());
  }
  return problems.Status();
}

}  // namespace

absl::Status Finding::ToStatus() const {
  const bool said = !concerns_table() || text.find(subject) != std::string::npos;
  return WithHint(absl::Status(code, said ? text : fmt::format("{}: {}", subject, text)), hint);
}

std::string_view FindingLevelName(FindingLevel level) {
  switch (level) {
    case FindingLevel::kOk:
      return "ok";
    case FindingLevel::kNote:
      return "note";
    case FindingLevel::kWarning:
      return "warning";
    case FindingLevel::kProblem:
      return "problem";
  }
  return "";
}

void Findings::Add(FindingLevel level, std::string subject, std::string text, std::string hint) {
  const auto code =
      level == FindingLevel::kProblem ? absl::StatusCode::kFailedPrecondition : absl::StatusCode::kOk;
  Take({level, std::move(subject), std::move(text), std::move(hint), code});
}

void Findings::AddStatus(const std::string& subject, const absl::Status& status) {
  if (status.ok()) return;
  std::string_view rest = View(status.message());
  // A list of problems: each is one.
  size_t item = rest.find(kItem);
  if (item != std::string_view::npos) rest.remove_prefix(item + kItem.size());
  while (!rest.empty()) {
    item = rest.find(kItem);
    std::string_view text = rest.substr(0, item);
    rest.remove_prefix(item == std::string_view::npos ? rest.size() : item + kItem.size());
    const size_t hint = text.find(kHint);
    Finding finding{FindingLevel::kProblem, subject, std::string(text.substr(0, hint)), "", status.code()};
    if (hint != std::string_view::npos) finding.hint = text.substr(hint + kHint.size());
    const std::string prefix = subject + ": ";
    if (finding.text.starts_with(prefix)) finding.text.erase(0, prefix.size());
    Take(std::move(finding));
  }
}

void Findings::Take(Finding finding) {
  const bool said = std::any_of(list_.begin(), list_.end(), [&](const Finding& other) {
    return other.level == finding.level && other.subject == finding.subject && other.text == finding.text;
  });
  if (!said) list_.push_back(std::move(finding));
}

void Findings::GroupBySubject() {
  // The sides first, then the tables ("database.table").
  std::map<std::string, std::pair<bool, size_t>> order;
  for (const Finding& finding : list_) {
    order.emplace(finding.subject, std::pair{finding.concerns_table(), order.size()});
  }
  std::stable_sort(list_.begin(), list_.end(), [&](const Finding& left, const Finding& right) {
    return order.at(left.subject) < order.at(right.subject);
  });
}

bool Findings::has_problems() const {
  return std::any_of(list_.begin(), list_.end(),
                     [](const Finding& finding) { return finding.level == FindingLevel::kProblem; });
}

bool Findings::HasProblemOf(std::string_view subject) const {
  return !ProblemsOf(subject).ok();
}

absl::Status Findings::ProblemsOf(std::string_view subject) const {
  return ProblemsThat(list_, [&](const Finding& finding) { return finding.subject == subject; });
}

absl::Status Findings::GeneralProblems() const {
  return ProblemsThat(list_, [](const Finding& finding) { return !finding.concerns_table(); });
}

}  // namespace hakobu
