#include "grants/problems.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace hakobu {

std::string GrantPlace::ToString() const {
  if (line == 0) return file;
  return fmt::format("{}:{}:{}", file, line, column);
}

namespace {

// One problem is one line, whatever the field that it shows holds.
std::string OneLine(std::string_view text) {
  std::string line;
  for (const char c : text) {
    if (c == '\n') {
      line += "\\n";
    } else {
      line += c;
    }
  }
  return line;
}

}  // namespace

void GrantProblems::Error(const GrantPlace& place, std::string message, std::string hint) {
  list_.push_back({place, GrantSeverity::kError, std::move(message), std::move(hint)});
}

void GrantProblems::Warning(const GrantPlace& place, std::string message, std::string hint) {
  list_.push_back({place, GrantSeverity::kWarning, std::move(message), std::move(hint)});
}

bool GrantProblems::HasErrors() const {
  return std::any_of(list_.begin(), list_.end(),
                     [](const GrantProblem& problem) { return problem.severity == GrantSeverity::kError; });
}

std::string GrantProblems::ToString() const {
  std::vector<const GrantProblem*> sorted;
  for (const GrantProblem& problem : list_) sorted.push_back(&problem);
  std::stable_sort(sorted.begin(), sorted.end(), [](const GrantProblem* a, const GrantProblem* b) {
    return std::tie(a->place.file, a->place.line, a->place.column) <
           std::tie(b->place.file, b->place.line, b->place.column);
  });
  std::string text;
  for (const GrantProblem* problem : sorted) {
    const bool error = problem->severity == GrantSeverity::kError;
    text += fmt::format("{}: {}: {}", problem->place.ToString(), error ? "error" : "warning",
                        OneLine(problem->message));
    if (!problem->hint.empty()) text += "; hint: " + problem->hint;
    text += '\n';
  }
  return text;
}

absl::Status GrantProblems::ToStatus() const {
  if (!HasErrors()) return absl::OkStatus();
  std::string text = ToString();
  text.pop_back();
  return absl::InvalidArgumentError(text);
}

}  // namespace hakobu
