#include "grants/json_span.h"

#include "base/status.h"

namespace hakobu {
namespace {

constexpr std::string_view kBlank = " \t\r\n";

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  void SkipBlank() {
    at_ = text_.find_first_not_of(kBlank, at_);
    if (at_ == std::string_view::npos) at_ = text_.size();
  }
  bool TakeIf(char c) {
    SkipBlank();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool AtEnd() {
    SkipBlank();
    return at_ >= text_.size();
  }
  // A string with its quotes; empty when there is none.
  std::string_view TakeString() {
    SkipBlank();
    const size_t start = at_;
    if (at_ >= text_.size() || text_[at_] != '"') return {};
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == '\\')
        ++at_;
      else if (text_[at_] == '"')
        return text_.substr(start, ++at_ - start);
    }
    return {};
  }
  std::string_view TakeValue() {
    SkipBlank();
    if (at_ >= text_.size()) return {};
    if (text_[at_] == '"') return TakeString();
    const size_t start = at_;
    if (text_[at_] != '{' && text_[at_] != '[') {
      at_ = text_.find_first_of(" \t\r\n,]}", at_);
      if (at_ == std::string_view::npos) at_ = text_.size();
      return text_.substr(start, at_ - start);
    }
    return TakeNested(start);
  }

 private:
  std::string_view TakeNested(size_t start) {
    std::string open;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"') {
        if (TakeString().empty()) return {};
        continue;
      }
      ++at_;
      if (c == '{' || c == '[') open += c;
      if (c == '}' || c == ']') {
        if (open.back() != (c == '}' ? '{' : '[')) return {};
        open.pop_back();
        if (open.empty()) return text_.substr(start, at_ - start);
      }
    }
    return {};
  }

  std::string_view text_;
  size_t at_ = 0;
};

absl::Status NotJson(std::string_view expected) {
  return absl::InvalidArgumentError("expected " + std::string(expected) + ", found something else");
}

}  // namespace

absl::StatusOr<std::vector<std::pair<std::string_view, std::string_view>>> JsonMembers(
    std::string_view text) {
  std::vector<std::pair<std::string_view, std::string_view>> members;
  Scanner scanner(text);
  if (!scanner.TakeIf('{')) return NotJson("a JSON object");
  if (scanner.TakeIf('}')) return members;
  do {
    const std::string_view name = scanner.TakeString();
    if (name.empty() || !scanner.TakeIf(':')) return NotJson("a JSON object");
    const std::string_view value = scanner.TakeValue();
    if (value.empty()) return NotJson("a JSON object");
    members.emplace_back(name.substr(1, name.size() - 2), value);
  } while (scanner.TakeIf(','));
  if (!scanner.TakeIf('}') || !scanner.AtEnd()) return NotJson("a JSON object");
  return members;
}

absl::StatusOr<std::vector<std::string_view>> JsonElements(std::string_view text) {
  std::vector<std::string_view> elements;
  Scanner scanner(text);
  if (!scanner.TakeIf('[')) return NotJson("a JSON array");
  if (scanner.TakeIf(']')) return elements;
  do {
    const std::string_view value = scanner.TakeValue();
    if (value.empty()) return NotJson("a JSON array");
    elements.push_back(value);
  } while (scanner.TakeIf(','));
  if (!scanner.TakeIf(']') || !scanner.AtEnd()) return NotJson("a JSON array");
  return elements;
}

}  // namespace hakobu
