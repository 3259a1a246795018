#include "config/problems.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "base/status.h"

namespace hakobu {

Place ConfigProblems::PlaceOf(std::string key) const {
  for (;;) {
    if (const auto found = keys_.find(key); found != keys_.end()) return found->second.place;
    const size_t cut = key.find_last_of(".[");
    if (cut == std::string::npos) return {};
    key.resize(cut);
  }
}

void ConfigProblems::Add(Place place, std::string key, std::string expected, std::string found,
                         std::string hint) {
  // What `defaults` get wrong shows in every table that starts from them; it is said once.
  const bool said = std::any_of(problems_.begin(), problems_.end(), [&](const ConfigProblem& other) {
    return other.line == place.line && other.column == place.column && other.key == key &&
           other.found == found && other.file == place.file;
  });
  if (said) return;
  problems_.push_back({place.line, place.column, std::move(key), std::move(expected), std::move(found),
                       std::move(hint), std::move(place.file)});
}

bool ConfigProblems::Concerns(std::string_view key) const {
  return std::any_of(problems_.begin(), problems_.end(), [&](const ConfigProblem& problem) {
    if (key.empty() || problem.key.empty()) return key.empty() && problem.key.empty();
    const std::string_view under = std::string_view(problem.key).substr(0, key.size());
    return under == key && (problem.key.size() == key.size() || problem.key[key.size()] == '.' ||
                            problem.key[key.size()] == '[');
  });
}

absl::Status ConfigProblems::ToStatus(std::string_view path) const {
  if (problems_.empty()) return absl::OkStatus();
  std::vector<ConfigProblem> sorted = problems_;
  std::stable_sort(sorted.begin(), sorted.end(), [](const ConfigProblem& left, const ConfigProblem& right) {
    return std::tie(left.file, left.line, left.column) < std::tie(right.file, right.line, right.column);
  });
  std::string text;
  for (const ConfigProblem& problem : sorted) {
    if (!text.empty()) text += '\n';
    text += problem.file.empty() ? path : std::string_view(problem.file);
    if (problem.line > 0) text += fmt::format(":{}:{}", problem.line, problem.column);
    if (!problem.key.empty()) text += fmt::format(": {}", problem.key);
    text += fmt::format(": expected {}, found {}", problem.expected, problem.found);
    if (!problem.hint.empty()) text += fmt::format("; hint: {}", problem.hint);
  }
  return absl::InvalidArgumentError(text);
}

}  // namespace hakobu
