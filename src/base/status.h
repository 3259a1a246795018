// Errors as chains of verb phrases: `deliver shop.members: read chunk 17: lost connection (2013)`.
// Each layer adds its own phrase with Annotate; WithHint ends the chain with what the user can do.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace hakobu {

// `phrase: <message>`, same code and payloads. OK stays OK.
absl::Status Annotate(const absl::Status& status, std::string_view phrase);

// `<message>; hint: <hint>`. A message that already carries a hint keeps its own: the innermost knows best.
absl::Status WithHint(const absl::Status& status, std::string_view hint);

// absl's own string_view type differs from std's in this distribution; this is the one bridge.
inline absl::string_view View(std::string_view text) {
  return {text.data(), text.size()};
}
inline std::string_view View(absl::string_view text) {
  return {text.data(), text.size()};
}

#define HAKOBU_CONCAT_INNER(a, b) a##b
#define HAKOBU_CONCAT(a, b) HAKOBU_CONCAT_INNER(a, b)

#define HAKOBU_RETURN_IF_ERROR(expression)     \
  do {                                         \
    absl::Status hakobu_status = (expression); \
    if (!hakobu_status.ok()) [[unlikely]]      \
      return hakobu_status;                    \
  } while (false)

#define HAKOBU_ASSIGN_OR_RETURN(declaration, expression) \
  HAKOBU_ASSIGN_OR_RETURN_INNER(HAKOBU_CONCAT(hakobu_result_, __LINE__), declaration, expression)
#define HAKOBU_ASSIGN_OR_RETURN_INNER(result, declaration, expression) \
  auto result = (expression);                                          \
  if (!result.ok()) [[unlikely]]                                       \
    return std::move(result).status();                                 \
  declaration = *std::move(result)

}  // namespace hakobu
