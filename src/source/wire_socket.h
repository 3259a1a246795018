// How the client library reaches a server while a connection opens: names are looked up, sockets connected
// and answers waited for here, so that each of them ends in time, at a request to stop, and with a reason
// that can be acted on; and nothing but the wish for TLS leaves in clear where TLS is asked for.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/cancel.h"
#include "base/outage.h"
#include "base/transport.h"

struct st_mysql;  // MYSQL of libmariadb

namespace hakobu {

// One at a time in a thread: the library's calls of this thread obey it as long as it lives.
class WireOpening {
 public:
  struct Options {
    std::string where;  // for messages
    TlsMode tls = TlsMode::kOff;
    // For each step: looking the name up, each address, each answer.
    absl::Duration patience = absl::Seconds(10);
    const Cancellation* cancel = nullptr;
    OutageListener* outages = nullptr;  // told of a wait that takes long
  };
  explicit WireOpening(Options options);
  ~WireOpening();
  WireOpening(const WireOpening&) = delete;
  WireOpening& operator=(const WireOpening&) = delete;
  // Of this thread; null when none is open.
  static WireOpening* Current();

  const Options& options() const { return options_; }
  // Why it ended, where that is known better here than by the library. The first one stays.
  const absl::Status& failure() const { return failure_; }
  void Fail(absl::Status failure) {
    if (failure_.ok()) failure_ = std::move(failure);
  }
  // Whether the other end is on this machine: a Unix socket, or a loopback address.
  bool local() const { return local_; }
  void SetLocal() { local_ = true; }
  // The server's first bytes have come.
  bool heard() const { return heard_; }
  void SetHeard() { heard_ = true; }
  // Waits for a socket: 1 it is ready, 0 too late, -1 stopped or broken; errno as poll().
  int Wait(int socket, bool to_read, absl::Duration timeout);
  bool tls_begun() const { return tls_begun_; }
  // Whether the bytes may leave unencrypted.
  bool MayLeave(const unsigned char* bytes, size_t size);
  // From the wish for TLS on the library shall ask before it waits: a handshake can be ended then. Once the
  // connection is open, LetWait lets the socket itself wait again.
  static void KeepFromWaiting(int socket);
  static void LetWait(int socket);
  // What a read that never was answered means.
  void NoAnswer();

 private:
  Options options_;
  absl::Status failure_;
  bool local_ = false;
  bool heard_ = false;
  bool tls_begun_ = false;
};

// Puts itself between the library and its sockets, once; Internal when the library is not the one that this
// was written for.
absl::Status UseWireSockets(st_mysql* mysql);

}  // namespace hakobu
