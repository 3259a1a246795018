#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "app/check.h"
#include "app/command.h"
#include "base/status.h"

namespace hakobu {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kHint = "; hint: ";
constexpr std::string_view kItem = "\n  - ";

size_t Count(const Findings& findings, FindingLevel level) {
  return static_cast<size_t>(std::count_if(findings.list().begin(), findings.list().end(),
                                           [&](const Finding& finding) { return finding.level == level; }));
}

std::string Counted(size_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string_view Mark(FindingLevel level) {
  switch (level) {
    case FindingLevel::kOk:
      return "ok     ";
    case FindingLevel::kNote:
      return "note   ";
    case FindingLevel::kWarning:
      return "warning";
    case FindingLevel::kProblem:
      return "PROBLEM";
  }
  return "";
}

}  // namespace

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
  list_.push_back({level, std::move(subject), std::move(text), std::move(hint), code});
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
    list_.push_back(std::move(finding));
  }
}

void Findings::GroupBySubject() {
  // The sides first, then the tables ("database.table").
  std::map<std::string, std::pair<bool, size_t>> order;
  for (const Finding& finding : list_) {
    const bool is_table = finding.subject.find('.') != std::string::npos;
    order.emplace(finding.subject, std::pair{is_table, order.size()});
  }
  std::stable_sort(list_.begin(), list_.end(), [&](const Finding& left, const Finding& right) {
    return order.at(left.subject) < order.at(right.subject);
  });
}

bool Findings::has_problems() const {
  return std::any_of(list_.begin(), list_.end(),
                     [](const Finding& finding) { return finding.level == FindingLevel::kProblem; });
}

int CheckExitCode(const Findings& findings) {
  bool configuration = true;
  bool refusals = true;
  for (const Finding& finding : findings.list()) {
    if (finding.level != FindingLevel::kProblem) continue;
    configuration &= finding.code == absl::StatusCode::kInvalidArgument;
    refusals &= finding.code == absl::StatusCode::kDataLoss;
  }
  if (!findings.has_problems()) return kExitDone;
  if (configuration) return kExitUsage;
  return refusals ? kExitWouldLoseData : kExitFailed;
}

std::string CheckText(const Findings& findings) {
  std::string text;
  std::string subject;
  for (const Finding& finding : findings.list()) {
    if (finding.subject != subject) text += fmt::format("{}{}\n", text.empty() ? "" : "\n", finding.subject);
    subject = finding.subject;
    text += fmt::format("  {}  {}\n", Mark(finding.level), finding.text);
    if (!finding.hint.empty()) text += fmt::format("           hint: {}\n", finding.hint);
  }
  const size_t problems = Count(findings, FindingLevel::kProblem);
  const size_t warnings = Count(findings, FindingLevel::kWarning);
  return text + fmt::format("\n{}, {}.\n", problems == 0 ? "No problem" : Counted(problems, "problem"),
                            Counted(warnings, "warning"));
}

std::string CheckJson(const Findings& findings) {
  Json list = Json::array();
  for (const Finding& finding : findings.list()) {
    list.push_back({{"level", FindingLevelName(finding.level)},
                    {"subject", finding.subject},
                    {"text", finding.text},
                    {"hint", finding.hint}});
  }
  const Json json = {{"ok", !findings.has_problems()},
                     {"problems", Count(findings, FindingLevel::kProblem)},
                     {"warnings", Count(findings, FindingLevel::kWarning)},
                     {"findings", list}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace hakobu
