// What is wrong with grant files: every problem with its file, line and column, said all at once.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace hakobu {

// 1-based; a column counts characters (UTF-8 code points), as editors do. Line 0: the file as a whole.
struct GrantPlace {
  std::string file;
  int line = 0;
  int column = 0;
  std::string ToString() const;  // "grants.csv:12:5"
};

enum class GrantSeverity { kError, kWarning };

struct GrantProblem {
  GrantPlace place;
  GrantSeverity severity = GrantSeverity::kError;
  std::string message;  // "expected …, found …"
  std::string hint;     // may be empty
};

class GrantProblems {
 public:
  void Error(const GrantPlace& place, std::string message, std::string hint = "");
  void Warning(const GrantPlace& place, std::string message, std::string hint = "");
  bool HasErrors() const;
  const std::vector<GrantProblem>& list() const { return list_; }
  // `FILE:LINE:COLUMN: error: MESSAGE; hint: HINT`, one a line, in the order of files and places.
  std::string ToString() const;
  // InvalidArgument with everything, warnings too, when there is an error; else OK.
  absl::Status ToStatus() const;

 private:
  std::vector<GrantProblem> list_;
};

}  // namespace hakobu
