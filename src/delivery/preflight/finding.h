// What a look at both sides found, each thing with the table it is about.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace hakobu {

enum class FindingLevel : uint8_t { kOk, kNote, kWarning, kProblem };
std::string_view FindingLevelName(FindingLevel level);

struct Finding {
  FindingLevel level = FindingLevel::kProblem;
  std::string
      subject;  // "source", "destination", or a table or an entry of `tables:` ("shop.members", "shop.*")
  std::string text;
  std::string hint;                               // what to do; may be empty
  absl::StatusCode code = absl::StatusCode::kOk;  // of a problem

  // One table's trouble is that table's: the others are delivered.
  bool concerns_table() const { return subject.find('.') != std::string::npos; }
  absl::Status ToStatus() const;
};

// Collects findings in the order they are made, each once.
class Findings {
 public:
  void Add(FindingLevel level, std::string subject, std::string text, std::string hint = "");
  // A status as one problem, or as many as it lists ("2 problems\n  - …"); its hint is taken apart. OK adds
  // nothing.
  void AddStatus(const std::string& subject, const absl::Status& status);
  const std::vector<Finding>& list() const { return list_; }
  bool has_problems() const;
  bool HasProblemOf(std::string_view subject) const;
  // All problems of one subject in one status; OK when it has none.
  absl::Status ProblemsOf(std::string_view subject) const;
  // Those that concern no single table, in one status: nothing can be delivered until they are gone.
  absl::Status GeneralProblems() const;
  // Brings what is said of one subject together; subjects stay in the order they were first named.
  void GroupBySubject();

 private:
  void Take(Finding finding);

  std::vector<Finding> list_;
};

}  // namespace hakobu
