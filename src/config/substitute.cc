#include "config/substitute.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include "absl/time/clock.h"
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

// /bin/sh with its standard output in a pipe. It stays in our process group, so that it may ask on the
// terminal and ends with Ctrl-C.
class ShellCommand {
 public:
  absl::Status Start(const std::string& command) {
    if (pipe2(pipe_.data(), O_CLOEXEC) != 0) return Failed(errno);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, pipe_[1], STDOUT_FILENO);
    std::array<std::string, 3> words = {"sh", "-c", command};
    const std::array<char*, 4> arguments = {words[0].data(), words[1].data(), words[2].data(), nullptr};
    const int error = posix_spawn(&pid_, "/bin/sh", &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    close(std::exchange(pipe_[1], -1));
    return error == 0 ? absl::OkStatus() : Failed(error);
  }

  // False when it has not closed its output before `deadline`.
  bool Read(absl::Time deadline, std::string* output) {
    std::array<char, 4096> buffer;
    for (;;) {
      const absl::Duration left = deadline - absl::Now();
      pollfd readable{pipe_[0], POLLIN, 0};
      const int ready =
          poll(&readable, 1, static_cast<int>(std::max<int64_t>(0, absl::ToInt64Milliseconds(left))));
      if (ready == 0) return false;
      const ssize_t size = ready < 0 ? -1 : read(pipe_[0], buffer.data(), buffer.size());
      if (size < 0 && errno == EINTR) continue;
      if (size <= 0) return true;
      output->append(buffer.data(), static_cast<size_t>(size));
    }
  }

  // Its wait status.
  int Wait() {
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return status;
  }

  ~ShellCommand() {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      Wait();
    }
    for (const int end : pipe_) {
      if (end >= 0) close(end);
    }
  }

 private:
  static absl::Status Failed(int error) {
    return absl::InvalidArgumentError(fmt::format("a command that runs, found {}", std::strerror(error)));
  }

  std::array<int, 2> pipe_ = {-1, -1};
  pid_t pid_ = -1;
};

absl::StatusOr<std::string> FromCommand(const std::string& text, absl::Duration patience) {
  ShellCommand command;
  HAKOBU_RETURN_IF_ERROR(command.Start(text));
  std::string output;
  if (!command.Read(absl::Now() + patience, &output)) {
    return absl::InvalidArgumentError(fmt::format("the command to end within {} s, found it still running",
                                                  absl::ToDoubleSeconds(patience)));
  }
  const int result = command.Wait();
  if (!WIFEXITED(result) || WEXITSTATUS(result) != 0) {
    return absl::InvalidArgumentError(
        fmt::format("the command to end with 0, found {}", WIFEXITED(result) ? WEXITSTATUS(result) : result));
  }
  return WithoutTrailingNewlines(output);
}

absl::StatusOr<std::string> Resolve(std::string_view reference, const std::string& folder,
                                    const Environment& environment, absl::Duration patience) {
  const size_t colon = reference.find(':');
  const std::string kind(reference.substr(0, colon));
  const std::string argument(colon == std::string_view::npos ? "" : reference.substr(colon + 1));
  if (!argument.empty()) {
    if (kind == "env") return FromEnvironment(argument, environment);
    if (kind == "file") return FromFile(argument, folder);
    if (kind == "command") return FromCommand(argument, patience);
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
                                       const Environment& environment, absl::Duration patience,
                                       std::vector<std::string>* values) {
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
    HAKOBU_ASSIGN_OR_RETURN(
        std::string value, Resolve(text.substr(dollar + 2, end - dollar - 2), folder, environment, patience));
    result += value;
    if (values != nullptr) values->push_back(std::move(value));
    text.remove_prefix(end + 1);
  }
  result += text;
  return result;
}

}  // namespace hakobu
