#include "notify/shell_command.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "absl/time/clock.h"

namespace hakobu {
namespace {

constexpr absl::Duration kPollEvery = absl::Milliseconds(50);

std::vector<std::string> EnvironmentWith(const std::vector<std::pair<std::string, std::string>>& variables) {
  std::vector<std::string> all;
  for (char** each = environ; *each != nullptr; ++each) all.emplace_back(*each);
  for (const auto& [name, value] : variables) all.push_back(name + "=" + value);
  return all;
}

std::vector<char*> Pointers(std::vector<std::string>* texts) {
  std::vector<char*> pointers;
  for (std::string& text : *texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

absl::Status Started(const std::string& command, int input,
                     const std::vector<std::pair<std::string, std::string>>& variables, pid_t* pid) {
  std::vector<std::string> words = {"sh", "-c", command};
  std::vector<std::string> environment = EnvironmentWith(variables);
  const std::vector<char*> arguments = Pointers(&words), values = Pointers(&environment);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  // Signals that this program waits for by itself would be blocked in the command as well.
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
  const int error = posix_spawn(pid, "/bin/sh", &actions, &attributes, arguments.data(), values.data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error == 0) return absl::OkStatus();
  return absl::UnavailableError(fmt::format("run the command: {}", std::strerror(error)));
}

// What it does not read is no failure: it may not want it.
void Write(int to, std::string_view* left) {
  while (!left->empty()) {
    const ssize_t written = send(to, left->data(), left->size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
    if (written < 0) {
      *left = {};
      return;
    }
    left->remove_prefix(static_cast<size_t>(written));
  }
}

absl::Status Result(int status) {
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return absl::OkStatus();
  return absl::UnavailableError(WIFEXITED(status)
                                    ? fmt::format("the command ended with {}", WEXITSTATUS(status))
                                    : fmt::format("the command was ended by signal {}", WTERMSIG(status)));
}

}  // namespace

absl::Status RunShellCommand(const std::string& command, const std::string& input,
                             const std::vector<std::pair<std::string, std::string>>& variables,
                             absl::Duration patience, const Cancellation& cancel) {
  std::array<int, 2> ends;
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
    return absl::UnavailableError(fmt::format("run the command: {}", std::strerror(errno)));
  pid_t pid = -1;
  absl::Status started = Started(command, ends[1], variables, &pid);
  close(ends[1]);
  if (!started.ok()) {
    close(ends[0]);
    return started;
  }
  std::string_view left = input;
  const absl::Time deadline = absl::Now() + patience;
  int input_end = ends[0];
  int status = 0;
  for (;;) {
    if (input_end >= 0) Write(input_end, &left);
    if (input_end >= 0 && left.empty()) close(std::exchange(input_end, -1));
    const pid_t ended = waitpid(pid, &status, WNOHANG);
    if (ended == pid) break;
    if (cancel.cancelled() || absl::Now() >= deadline) {
      kill(-pid, SIGKILL);
      while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
      }
      if (input_end >= 0) close(input_end);
      return cancel.cancelled() ? absl::CancelledError("stopped on request")
                                : absl::DeadlineExceededError(fmt::format("the command ran for more than {}",
                                                                          absl::FormatDuration(patience)));
    }
    cancel.WaitFor(kPollEvery);
  }
  if (input_end >= 0) close(input_end);
  return Result(status);
}

}  // namespace hakobu
