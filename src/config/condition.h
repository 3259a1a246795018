// Conditions on rows (`where:`), which are put into parentheses beside others. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace hakobu {

struct ConditionFault {
  std::string expected;
  std::string found;
  std::string hint;
};

// What would let a part of the condition escape its parentheses or read otherwise than it looks; nullopt when
// there is nothing. Not a check of its grammar, which is the server's.
std::optional<ConditionFault> FaultOfCondition(std::string_view condition);

// Both, each in parentheses of its own; either may be empty.
std::string BothConditions(std::string_view first, std::string_view second);

}  // namespace hakobu
