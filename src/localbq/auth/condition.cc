#include "localbq/auth/condition.h"

#include <cctype>
#include <variant>

#include "base/status.h"

namespace hakobu::localbq::auth {
namespace {

using CelValue = std::variant<bool, std::string, absl::Time>;

class Evaluator {
 public:
  Evaluator(std::string_view text, const ConditionFacts& facts) : rest_(text), facts_(facts) {}

  std::optional<bool> Evaluate() {
    const std::optional<CelValue> value = Or();
    SkipSpace();
    if (!value || !rest_.empty() || !std::holds_alternative<bool>(*value)) return std::nullopt;
    return std::get<bool>(*value);
  }

 private:
  void SkipSpace() {
    while (!rest_.empty() && std::isspace(static_cast<unsigned char>(rest_.front())) != 0)
      rest_.remove_prefix(1);
  }
  bool Take(std::string_view token) {
    SkipSpace();
    if (!rest_.starts_with(token)) return false;
    rest_.remove_prefix(token.size());
    return true;
  }
  // Both sides are read whatever the first says: what is not understood never holds.
  std::optional<CelValue> Or() {
    std::optional<CelValue> left = And();
    while (left && Take("||")) {
      const std::optional<CelValue> right = And();
      left = Joined(left, right, false);
    }
    return left;
  }
  std::optional<CelValue> And() {
    std::optional<CelValue> left = Comparison();
    while (left && Take("&&")) {
      const std::optional<CelValue> right = Comparison();
      left = Joined(left, right, true);
    }
    return left;
  }
  static std::optional<CelValue> Joined(const std::optional<CelValue>& left,
                                        const std::optional<CelValue>& right, bool is_and) {
    if (!left || !right || !std::holds_alternative<bool>(*left) || !std::holds_alternative<bool>(*right))
      return std::nullopt;
    const bool a = std::get<bool>(*left), b = std::get<bool>(*right);
    return is_and ? a && b : a || b;
  }
  std::optional<CelValue> Comparison() {
    const std::optional<CelValue> left = Unary();
    if (!left) return std::nullopt;
    for (const std::string_view sign : {"==", "!=", "<=", ">=", "<", ">"}) {
      if (!Take(sign)) continue;
      const std::optional<CelValue> right = Unary();
      if (!right || right->index() != left->index()) return std::nullopt;
      if (sign == "==") return *left == *right;
      if (sign == "!=") return *left != *right;
      if (std::holds_alternative<bool>(*left)) return std::nullopt;
      if (sign == "<") return *left < *right;
      if (sign == "<=") return *left <= *right;
      if (sign == ">") return *left > *right;
      return *left >= *right;
    }
    return left;
  }
  std::optional<CelValue> Unary() {
    SkipSpace();
    if (rest_.starts_with('!') && !rest_.starts_with("!=")) {
      rest_.remove_prefix(1);
      const std::optional<CelValue> value = Unary();
      if (!value || !std::holds_alternative<bool>(*value)) return std::nullopt;
      return !std::get<bool>(*value);
    }
    if (Take("(")) {
      const std::optional<CelValue> value = Or();
      return Take(")") ? value : std::nullopt;
    }
    return Primary();
  }
  std::optional<std::string> Literal() {
    SkipSpace();
    if (rest_.empty() || (rest_.front() != '"' && rest_.front() != '\'')) return std::nullopt;
    const size_t end = rest_.find(rest_.front(), 1);
    if (end == std::string_view::npos) return std::nullopt;
    const std::string text(rest_.substr(1, end - 1));
    rest_.remove_prefix(end + 1);
    return text.find('\\') == std::string::npos ? std::optional(text) : std::nullopt;
  }
  std::optional<CelValue> Method(const std::string& text, bool from_start) {
    const std::optional<std::string> part = Literal();
    if (!part || !Take(")")) return std::nullopt;
    return from_start ? text.starts_with(*part) : text.ends_with(*part);
  }
  std::optional<CelValue> Text(const std::string& text) {
    if (Take(".startsWith(")) return Method(text, true);
    if (Take(".endsWith(")) return Method(text, false);
    return text;
  }
  std::optional<CelValue> Primary() {
    SkipSpace();
    if (const std::optional<std::string> literal = Literal()) return Text(*literal);
    if (Take("true")) return true;
    if (Take("false")) return false;
    if (Take("request.time")) return facts_.now;
    if (Take("resource.name")) return Text(facts_.resource_name);
    if (Take("resource.type")) return Text(facts_.resource_type);
    if (Take("resource.service")) return Text("bigquery.googleapis.com");
    if (Take("timestamp(")) {
      const std::optional<std::string> literal = Literal();
      absl::Time time;
      std::string error;
      if (!literal || !Take(")") ||
          !absl::ParseTime(absl::RFC3339_full, View(std::string_view(*literal)), &time, &error))
        return std::nullopt;
      return time;
    }
    return std::nullopt;
  }

  std::string_view rest_;
  const ConditionFacts& facts_;
};

}  // namespace

std::optional<bool> ConditionHolds(std::string_view expression, const ConditionFacts& facts) {
  return Evaluator(expression, facts).Evaluate();
}

}  // namespace hakobu::localbq::auth
