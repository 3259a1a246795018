#include "config/condition.h"

#include <fmt/format.h>

#include <cctype>

namespace hakobu {
namespace {

// Reads a condition as MySQL's lexer cuts it: texts, quoted names, comments, and all else byte by byte.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  std::optional<ConditionFault> Scan() {
    while (at_ < text_.size()) {
      if (auto fault = Step()) return fault;
    }
    if (depth_ > 0) return ConditionFault{"as many `)` as `(`", "a `(` that is not closed", ""};
    return std::nullopt;
  }

 private:
  std::optional<ConditionFault> Step() {
    const char c = text_[at_];
    if (c == '\'' || c == '"' || c == '`') return Quoted(c);
    if (Rest().starts_with("/*")) return Comment();
    if (c == '#' || IsDashComment()) {
      at_ = std::min(text_.find('\n', at_), text_.size());
      return std::nullopt;
    }
    ++at_;
    if (c == ';') return ConditionFault{"one condition", "a `;`", ""};
    if (c == '(') ++depth_;
    if (c == ')' && --depth_ < 0)
      return ConditionFault{"as many `(` as `)`", "a `)` that closes nothing",
                            "a condition stands in parentheses beside others"};
    return std::nullopt;
  }

  std::optional<ConditionFault> Quoted(char quote) {
    for (++at_; at_ < text_.size(); ++at_) {
      // Whether a backslash escapes is the server's setting, so that one text would be read in two ways.
      if (quote != '`' && text_[at_] == '\\' && at_ + 1 < text_.size() &&
          (text_[at_ + 1] == '\'' || text_[at_ + 1] == '"')) {
        return ConditionFault{"a quote in a text written twice", fmt::format("`\\{}`", text_[at_ + 1]),
                              "write 'it''s'"};
      }
      if (text_[at_] != quote) continue;
      ++at_;
      return std::nullopt;  // a doubled quote begins the next text
    }
    return ConditionFault{"every text and name closed", fmt::format("a `{}` that is not", quote), ""};
  }

  std::optional<ConditionFault> Comment() {
    const std::string_view rest = Rest();
    if (rest.starts_with("/*!") || rest.starts_with("/*M!") || rest.starts_with("/*+"))
      return ConditionFault{"a condition", fmt::format("`{}`, which some servers run", rest.substr(0, 3)),
                            ""};
    const size_t end = text_.find("*/", at_ + 2);
    if (end == std::string_view::npos)
      return ConditionFault{"every comment closed", "a `/*` that is not", ""};
    at_ = end + 2;
    return std::nullopt;
  }

  bool IsDashComment() const {
    const std::string_view rest = Rest();
    return rest.starts_with("--") && (rest.size() == 2 || static_cast<unsigned char>(rest[2]) <= ' ');
  }

  std::string_view Rest() const { return text_.substr(at_); }

  std::string_view text_;
  size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

std::optional<ConditionFault> FaultOfCondition(std::string_view condition) {
  return Scanner(condition).Scan();
}

std::string BothConditions(std::string_view first, std::string_view second) {
  if (first.empty() || second.empty()) return std::string(first.empty() ? second : first);
  // A comment at the end must not take the parenthesis with it.
  return fmt::format("({}\n) AND ({}\n)", first, second);
}

}  // namespace hakobu
