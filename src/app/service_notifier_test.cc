#include "app/service_notifier.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>
#include <filesystem>
#include <string>

namespace hakobu {
namespace {

// A service manager's end of $NOTIFY_SOCKET.
class Manager {
 public:
  explicit Manager(bool is_abstract) {
    char folder[] = "/tmp/hakobu-notify-XXXXXX";
    folder_ = mkdtemp(folder);
    path_ = (is_abstract ? "@" : "") + folder_ + "/socket";
    std::string bytes = path_;
    if (is_abstract) bytes.front() = '\0';
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    memcpy(address.sun_path, bytes.data(), bytes.size());
    socket_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + bytes.size());
    EXPECT_EQ(bind(socket_, reinterpret_cast<sockaddr*>(&address), length), 0) << strerror(errno);
  }
  ~Manager() {
    close(socket_);
    std::filesystem::remove_all(folder_);
  }
  // The next datagram; empty: none.
  std::string Next() const {
    char text[4096];
    const ssize_t length = recv(socket_, text, sizeof(text), 0);
    return length <= 0 ? "" : std::string(text, static_cast<size_t>(length));
  }
  const std::string& path() const { return path_; }

 private:
  std::string folder_, path_;
  int socket_ = -1;
};

class Recorder : public StreamObserver {
 public:
  void OnStatus(const StreamStatus& status) override { seen.push_back(status.state); }
  std::vector<StreamPhase> seen;
};

StreamStatus In(StreamPhase phase, std::string reason = "") {
  StreamStatus status;
  status.state = phase;
  status.reason = std::move(reason);
  return status;
}

TEST(ServiceNotifier, IsReadyOnceTheLogIsFollowedAndGivesSignsOfLife) {
  for (const bool is_abstract : {false, true}) {
    const Manager manager(is_abstract);
    Recorder recorder;
    {
      ServiceNotifier notifier(&recorder, manager.path());
      notifier.OnStatus(In(StreamPhase::kStarting, "BigQuery does not answer\nREADY=1"));
      EXPECT_EQ(manager.Next(), fmt::format("WATCHDOG=1\nSTATUS={}: BigQuery does not answer\\nREADY=1\n",
                                            NameOf(StreamPhase::kStarting)));
      notifier.OnStatus(In(StreamPhase::kStreaming));
      EXPECT_EQ(manager.Next(),
                fmt::format("WATCHDOG=1\nSTATUS={}\nREADY=1\n", NameOf(StreamPhase::kStreaming)));
      notifier.OnStatus(In(StreamPhase::kStreaming));
      EXPECT_EQ(manager.Next(), "WATCHDOG=1\n");
      EXPECT_EQ(manager.Next(), "");
    }
    EXPECT_EQ(manager.Next(), "STOPPING=1");
    EXPECT_THAT(recorder.seen, testing::ElementsAre(StreamPhase::kStarting, StreamPhase::kStreaming,
                                                    StreamPhase::kStreaming));
  }
}

TEST(ServiceNotifier, OnlyPassesOnWhereNobodyListens) {
  Recorder recorder;
  const std::string too_long(200, 'x');
  for (const std::string& path : {std::string(), std::string("/nonexistent/socket"), too_long}) {
    ServiceNotifier notifier(&recorder, path);
    notifier.OnStatus(In(StreamPhase::kStreaming));
  }
  EXPECT_EQ(recorder.seen.size(), 3u);
}

}  // namespace
}  // namespace hakobu
