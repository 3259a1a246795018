#include "config/substitute.h"

#include <fmt/format.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/status.h"

namespace hakobu {
namespace {

std::string WithoutTrailingNewlines(std::string text) {
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  return text;
}

absl::StatusOr<std::string> FromEnvironment(const std::string& name, const Environment& environment) {
  const std::optional<std::string> value = environment(name);
  if (!value) {
    return absl::InvalidArgumentError(fmt::format("the environment variable {}, found it not set", name));
  }
  return *value;
}

absl::StatusOr<std::string> FromFile(const std::string& name, const std::string& folder) {
  const std::filesystem::path path = std::filesystem::path(folder) / name;
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf())) {
    const std::string why = errno != 0 ? fmt::format(" ({})", std::strerror(errno)) : "";
    return absl::InvalidArgumentError(fmt::format("a readable file {}, found none{}", path.string(), why));
  }
  return WithoutTrailingNewlines(text.str());
}

absl::StatusOr<std::string> FromCommand(const std::string& command) {
  FILE* pipe = popen(command.c_str(), "re");
  if (pipe == nullptr) {
    return absl::InvalidArgumentError(fmt::format("a command that runs, found {}", std::strerror(errno)));
  }
  std::string output;
  char buffer[4096];
  while (const size_t size = std::fread(buffer, 1, sizeof(buffer), pipe)) output.append(buffer, size);
  const int result = pclose(pipe);
  if (!WIFEXITED(result) || WEXITSTATUS(result) != 0) {
    return absl::InvalidArgumentError(
        fmt::format("the command to end with 0, found {}", WIFEXITED(result) ? WEXITSTATUS(result) : result));
  }
  return WithoutTrailingNewlines(output);
}

absl::StatusOr<std::string> Resolve(std::string_view reference, const std::string& folder,
                                    const Environment& environment) {
  const size_t colon = reference.find(':');
  const std::string kind(reference.substr(0, colon));
  const std::string argument(colon == std::string_view::npos ? "" : reference.substr(colon + 1));
  if (!argument.empty()) {
    if (kind == "env") return FromEnvironment(argument, environment);
    if (kind == "file") return FromFile(argument, folder);
    if (kind == "command") return FromCommand(argument);
  }
  return absl::InvalidArgumentError(
      fmt::format("${{env:NAME}}, ${{file:PATH}} or ${{command:…}}, found ${{{}}}", reference));
}

// The place of the '}' that closes the reference starting at `begin` (its "${"); braces inside are counted.
size_t ClosingBrace(std::string_view text, size_t begin) {
  int depth = 0;
  for (size_t at = begin; at < text.size(); ++at) {
    if (text[at] == '{') ++depth;
    if (text[at] == '}' && --depth == 0) return at;
  }
  return std::string_view::npos;
}

}  // namespace

bool HasSubstitutions(std::string_view text) {
  for (size_t at = text.find("${"); at != std::string_view::npos; at = text.find("${", at + 2)) {
    if (at == 0 || text[at - 1] != '$') return true;
  }
  return false;
}

absl::StatusOr<std::string> Substitute(std::string_view text, const std::string& folder,
                                       const Environment& environment) {
  std::string result;
  while (!text.empty()) {
    const size_t dollar = text.find("${");
    if (dollar == std::string_view::npos) break;
    result += text.substr(0, dollar);
    if (dollar > 0 && text[dollar - 1] == '$') {
      result += '{';
      text.remove_prefix(dollar + 2);
      continue;
    }
    const size_t end = ClosingBrace(text, dollar);
    if (end == std::string_view::npos) {
      return absl::InvalidArgumentError("a `}` after `${`, found the end of the text");
    }
    HAKOBU_ASSIGN_OR_RETURN(std::string value,
                            Resolve(text.substr(dollar + 2, end - dollar - 2), folder, environment));
    result += value;
    text.remove_prefix(end + 1);
  }
  result += text;
  return result;
}

}  // namespace hakobu
