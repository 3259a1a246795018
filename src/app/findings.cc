#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "app/check.h"
#include "app/command.h"

namespace hakobu {
namespace {

using Json = nlohmann::ordered_json;

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
