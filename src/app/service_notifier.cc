#include "app/service_notifier.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>

#include "base/escape.h"

namespace hakobu {

ServiceNotifier::ServiceNotifier(StreamObserver* next, std::string_view socket_path)
    : next_(next), address_(socket_path) {
  if (address_.empty() || address_.size() >= sizeof(sockaddr_un::sun_path)) {
    address_.clear();
    return;
  }
  if (address_.front() == '@') address_.front() = '\0';
  socket_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

ServiceNotifier::~ServiceNotifier() {
  Send("STOPPING=1");
  if (socket_ >= 0) close(socket_);
}

void ServiceNotifier::OnStatus(const StreamStatus& status) {
  next_->OnStatus(status);
  if (socket_ < 0) return;
  std::string text = "WATCHDOG=1\n";
  const std::string state = EscapeControl(
      fmt::format("{}{}{}", NameOf(status.state), status.reason.empty() ? "" : ": ", status.reason));
  if (state != told_) text += "STATUS=" + state + "\n";
  told_ = state;
  if (!is_ready_ && status.state == StreamPhase::kStreaming) {
    is_ready_ = true;
    text += "READY=1\n";
  }
  Send(text);
}

void ServiceNotifier::Send(std::string_view text) const {
  if (socket_ < 0) return;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  memcpy(address.sun_path, address_.data(), address_.size());
  const socklen_t length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size());
  static_cast<void>(sendto(socket_, text.data(), text.size(), MSG_NOSIGNAL,
                           reinterpret_cast<const sockaddr*>(&address), length));
}

}  // namespace hakobu
