// Tells a service manager (systemd, Type=notify) what state a stream is in.
// The protocol: sd_notify(3): datagrams of NAME=VALUE lines to the socket that $NOTIFY_SOCKET names.
#pragma once

#include <string>
#include <string_view>

#include "delivery/stream/stream.h"

namespace hakobu {

// Passes every status on, and says: READY=1 once the log is followed, STATUS=… with each change of state,
// WATCHDOG=1 with each sign of life, STOPPING=1 at the end. Without $NOTIFY_SOCKET it only passes on.
// A lost datagram is no failure: the next one says it again.
class ServiceNotifier : public StreamObserver {
 public:
  // `next` must outlive it. `socket_path`: as $NOTIFY_SOCKET has it, a leading @ for an abstract one; empty:
  // none.
  ServiceNotifier(StreamObserver* next, std::string_view socket_path);
  ~ServiceNotifier() override;
  ServiceNotifier(const ServiceNotifier&) = delete;
  ServiceNotifier& operator=(const ServiceNotifier&) = delete;

  void OnStatus(const StreamStatus& status) override;

 private:
  void Send(std::string_view text) const;

  StreamObserver* const next_;
  std::string address_;  // the bytes of sun_path; empty: nobody listens
  int socket_ = -1;
  bool is_ready_ = false;
  std::string told_;  // the last STATUS
};

}  // namespace hakobu
