// `hakobu explain WORD`: what an exit code, a state or a cause of an alert means, and what to do about it.
#pragma once

#include <span>
#include <string_view>

#include "app/command.h"

namespace hakobu {

struct ExplainedWord {
  std::string_view word;  // "3", "interrupted", "stream:lag"
  std::string_view kind;  // "exit code", "state of a run", "alert" …
  std::string_view meaning;
  std::string_view advice;  // what to do; empty: nothing
};
std::span<const ExplainedWord> ExplainedWords();

void RegisterExplainWordCommand(CLI::App& app, CommandLine& line);

}  // namespace hakobu
