#include "config/scalar.h"

#include <fmt/format.h>

#include "config/value.h"

namespace hakobu {
namespace {

std::optional<KeyValue> InRange(const Key& key, std::optional<int64_t> value) {
  if (!value || *value < key.least || *value > key.most) return std::nullopt;
  return *value;
}

std::optional<KeyValue> ParseChoice(const Key& key, std::string_view text) {
  for (size_t i = 0; i < key.choices.size(); ++i) {
    if (key.choices[i].name == text) return static_cast<int64_t>(i);
  }
  return std::nullopt;
}

std::optional<KeyValue> ParseDurationInRange(const Key& key, std::string_view text) {
  const std::optional<absl::Duration> duration = ParseDurationText(text);
  if (!duration || !InRange(key, absl::ToInt64Milliseconds(*duration))) return std::nullopt;
  return *duration;
}

std::optional<KeyValue> ParseSizeInRange(const Key& key, std::string_view text) {
  const std::optional<uint64_t> size = ParseSizeText(text);
  if (!size || *size > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) return std::nullopt;
  return InRange(key, static_cast<int64_t>(*size));
}

}  // namespace

std::optional<KeyValue> ParseScalar(const Key& key, std::string_view text) {
  switch (key.kind) {
    case KeyKind::kInteger:
      return InRange(key, ParseIntegerText(text));
    case KeyKind::kNumber: {
      const std::optional<double> number = ParseNumberText(text);
      if (!number || *number < 0) return std::nullopt;
      return *number;
    }
    case KeyKind::kBoolean: {
      const std::optional<bool> boolean = ParseBooleanText(text);
      if (!boolean) return std::nullopt;
      return *boolean;
    }
    case KeyKind::kDuration:
      return ParseDurationInRange(key, text);
    case KeyKind::kSize:
      return ParseSizeInRange(key, text);
    case KeyKind::kChoice:
      return ParseChoice(key, text);
    default:
      return std::string(text);
  }
}

std::string MismatchHint(const Key& key, std::string_view text) {
  const bool bare = ParseIntegerText(text).has_value();
  if (key.kind == KeyKind::kDuration && bare) return fmt::format("say the unit, for example {}s", text);
  if (key.kind == KeyKind::kSize && bare) return fmt::format("say the unit, for example {}B", text);
  if (key.kind == KeyKind::kBoolean && (text == "yes" || text == "on" || text == "True")) return "write true";
  if (key.kind == KeyKind::kBoolean && (text == "no" || text == "off" || text == "False"))
    return "write false";
  if (key.kind != KeyKind::kChoice) return "";
  std::vector<std::string> names;
  for (const Choice& choice : key.choices) names.push_back(choice.name);
  const std::string_view near = NearestName(text, names);
  return near.empty() ? "" : fmt::format("did you mean \"{}\"?", near);
}

bool IsNumberLike(KeyKind kind) {
  return kind == KeyKind::kInteger || kind == KeyKind::kNumber || kind == KeyKind::kBoolean;
}

}  // namespace hakobu
