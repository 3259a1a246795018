#include "source/wire_socket.h"

// clang-format off
#define HAVE_TLS 1  // ma_pvio.h leaves out what the library was built with
using uchar = unsigned char;
#include <mysql.h>
#include <ma_pvio.h>
// clang-format on

#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "base/status.h"

namespace hakobu {
namespace {

// How late a request to stop may be seen.
constexpr absl::Duration kLook = absl::Milliseconds(100);

thread_local WireOpening* current = nullptr;

st_ma_pvio_methods library{};  // as the library made them
st_ma_pvio_methods ours{};

// MARIADB_PVIO_PLUGIN of mysql/client_plugin.h, which needs a header that is not installed.
struct SocketPlugin {
  st_mysql_client_plugin header;
  st_ma_pvio_methods* methods;
};
constexpr int kSocketPlugin = 101;  // MARIADB_CLIENT_PVIO_PLUGIN

// What the library keeps behind MARIADB_PVIO::data (plugins/pvio/pvio_socket.c, the same since 3.0). Checked
// by asking the library for what was put there.
struct LibrarySocket {
  int socket;
  int flags;
  MYSQL* mysql;
};

struct Address {
  sockaddr_storage bytes{};
  socklen_t size = 0;
  int family = 0;

  bool loopback() const {
    if (family == AF_INET) {
      const auto* v4 = reinterpret_cast<const sockaddr_in*>(&bytes);
      return ntohl(v4->sin_addr.s_addr) >> 24 == 127;
    }
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&bytes);
    return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
  }
};

// Shared with the thread that looks the name up: getaddrinfo() cannot be ended, only left alone.
struct Lookup {
  absl::Mutex mutex;
  bool done ABSL_GUARDED_BY(mutex) = false;
  int error ABSL_GUARDED_BY(mutex) = 0;
  std::vector<Address> addresses ABSL_GUARDED_BY(mutex);
};

void LookUp(const std::shared_ptr<Lookup>& lookup, const std::string& host, const std::string& port,
            int flags) {
  addrinfo hints{};
  hints.ai_flags = flags;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_protocol = IPPROTO_TCP;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(host.c_str(), port.c_str(), &hints, &found);
  std::vector<Address> addresses;
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
    Address& address = addresses.emplace_back();
    std::memcpy(&address.bytes, each->ai_addr, each->ai_addrlen);
    address.size = each->ai_addrlen;
    address.family = each->ai_family;
  }
  if (found != nullptr) freeaddrinfo(found);
  absl::MutexLock lock(&lookup->mutex);
  lookup->error = error;
  lookup->addresses = std::move(addresses);
  lookup->done = true;
}

absl::StatusOr<std::vector<Address>> Resolve(const WireOpening& opening, const std::string& host, int port) {
  const std::string service = fmt::format("{}", port);
  // An address is no name: nobody is asked, and a busy machine owes no answer in time.
  const auto numeric = std::make_shared<Lookup>();
  LookUp(numeric, host, service, AI_NUMERICHOST | AI_NUMERICSERV);
  {
    absl::MutexLock lock(&numeric->mutex);
    if (numeric->error == 0 && !numeric->addresses.empty()) return std::move(numeric->addresses);
  }
  const auto lookup = std::make_shared<Lookup>();
  std::thread(LookUp, lookup, host, service, 0).detach();
  const absl::Time deadline = absl::Now() + opening.options().patience;
  for (;;) {
    if (opening.options().cancel != nullptr) HAKOBU_RETURN_IF_ERROR(opening.options().cancel->Check());
    absl::MutexLock lock(&lookup->mutex);
    if (lookup->mutex.AwaitWithTimeout(absl::Condition(&lookup->done), kLook)) {
      if (lookup->error == 0 && !lookup->addresses.empty()) return std::move(lookup->addresses);
      return WithHint(
          absl::UnavailableError(fmt::format("look up {}: {}", host, gai_strerror(lookup->error))),
          "check the host's name and this machine's DNS");
    }
    if (absl::Now() < deadline) continue;
    return WithHint(absl::UnavailableError(fmt::format("look up {}: no answer within {}", host,
                                                       absl::FormatDuration(opening.options().patience))),
                    "check this machine's DNS");
  }
}

// An open socket that does not wait, or why there is none.
absl::StatusOr<int> ConnectTo(WireOpening* opening, const Address& address) {
  const int handle = ::socket(address.family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);
  if (handle < 0) return absl::ResourceExhaustedError(fmt::format("open a socket: {}", std::strerror(errno)));
  int error = 0;
  if (::connect(handle, reinterpret_cast<const sockaddr*>(&address.bytes), address.size) != 0) {
    error = errno;
    if (error == EINPROGRESS) {
      const int ready = opening->Wait(handle, false, opening->options().patience);
      error = ready == 0 ? ETIMEDOUT : ready < 0 ? errno : 0;
      socklen_t size = sizeof(error);
      if (ready > 0) getsockopt(handle, SOL_SOCKET, SO_ERROR, &error, &size);
    }
  }
  if (error == 0) return handle;
  ::close(handle);
  if (!opening->failure().ok()) return opening->failure();
  if (error == ETIMEDOUT) {
    return WithHint(absl::UnavailableError(fmt::format("no answer to a TCP connection within {}",
                                                       absl::FormatDuration(opening->options().patience))),
                    "packets are dropped on the way: check the security group or firewall on both sides, the "
                    "route between "
                    "the networks (VPC peering, VPN), and the port");
  }
  if (error == ECONNREFUSED) {
    return WithHint(absl::UnavailableError(fmt::format("connection refused ({})", error)),
                    "nothing listens there: check host and port, and that the server runs");
  }
  return WithHint(absl::UnavailableError(fmt::format("{} ({})", std::strerror(error), error)),
                  "check host, port and the route to it");
}

absl::StatusOr<int> ConnectToHost(WireOpening* opening, const std::string& host, int port) {
  HAKOBU_ASSIGN_OR_RETURN(const std::vector<Address> addresses, Resolve(*opening, host, port));
  absl::Status first;
  for (const Address& address : addresses) {
    const absl::StatusOr<int> handle = ConnectTo(opening, address);
    if (handle.ok()) {
      if (address.loopback()) opening->SetLocal();
      return *handle;
    }
    first.Update(handle.status());
    if (absl::IsCancelled(handle.status())) break;
  }
  return first;
}

my_bool Refuse(WireOpening* opening, MA_PVIO_CINFO* info, const absl::Status& why) {
  opening->Fail(why);
  info->mysql->methods->set_error(info->mysql, 2002, "HY000", "cannot connect");
  return 1;
}

my_bool Connect(MARIADB_PVIO* pvio, MA_PVIO_CINFO* info) {
  WireOpening* opening = current;
  if (opening == nullptr) return library.connect(pvio, info);
  if (info->type != PVIO_TYPE_SOCKET) {
    opening->SetLocal();
    return library.connect(pvio, info);
  }
  const absl::StatusOr<int> handle = ConnectToHost(opening, info->host, info->port);
  if (!handle.ok()) return Refuse(opening, info, handle.status());
  auto* made = static_cast<LibrarySocket*>(std::calloc(1, sizeof(LibrarySocket)));  // the library frees it
  if (made == nullptr) {
    ::close(*handle);
    return Refuse(opening, info, absl::ResourceExhaustedError("no memory for a socket"));
  }
  *made = {*handle, O_NONBLOCK, info->mysql};
  pvio->data = made;
  pvio->mysql = info->mysql;
  pvio->type = info->type;
  int found = -1;
  const bool known = library.get_handle(pvio, &found) == 0 && found == *handle &&
                     library.is_blocking(pvio) == 0 && library.blocking(pvio, 1, nullptr) == 0 &&
                     library.is_blocking(pvio) != 0;
  if (!known) {
    ::close(*handle);
    std::free(made);
    pvio->data = nullptr;
    return Refuse(opening, info,
                  absl::InternalError("this version of libmariadb keeps its sockets otherwise"));
  }
  const int seconds =
      static_cast<int>(absl::ToInt64Seconds(absl::Ceil(opening->options().patience, absl::Seconds(1))));
  const int read_ms = pvio->timeout[PVIO_READ_TIMEOUT], write_ms = pvio->timeout[PVIO_WRITE_TIMEOUT];
  library.set_timeout(pvio, PVIO_READ_TIMEOUT, read_ms > 0 ? read_ms / 1000 : seconds);
  library.set_timeout(pvio, PVIO_WRITE_TIMEOUT, write_ms > 0 ? write_ms / 1000 : seconds);
  return 0;
}

int Handle(MARIADB_PVIO* pvio) {
  int handle = -1;
  library.get_handle(pvio, &handle);
  return handle;
}

ssize_t Read(MARIADB_PVIO* pvio, uchar* bytes, size_t size) {
  WireOpening* opening = current;
  if (opening == nullptr || pvio->data == nullptr) return library.read(pvio, bytes, size);
  for (;;) {
    const ssize_t read = recv(Handle(pvio), bytes, size, MSG_DONTWAIT);
    if (read > 0) opening->SetHeard();
    if (read >= 0) return read;
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) return -1;
    const int ready = opening->Wait(Handle(pvio), true, opening->options().patience);
    if (ready == 0) opening->NoAnswer();
    if (ready < 1) return -1;
  }
}

ssize_t Write(MARIADB_PVIO* pvio, const uchar* bytes, size_t size) {
  WireOpening* opening = current;
  if (opening != nullptr && pvio->type == PVIO_TYPE_SOCKET && !opening->MayLeave(bytes, size)) {
    errno = EPERM;
    return -1;
  }
  const ssize_t written = library.write(pvio, bytes, size);
  if (opening != nullptr && opening->tls_begun()) WireOpening::KeepFromWaiting(Handle(pvio));
  return written;
}

int WaitIo(MARIADB_PVIO* pvio, my_bool to_read, int timeout_ms) {
  WireOpening* opening = current;
  if (opening == nullptr || pvio->data == nullptr)
    return library.wait_io_or_timeout(pvio, to_read, timeout_ms);
  const int ready = opening->Wait(Handle(pvio), to_read != 0, opening->options().patience);
  if (ready == 0) opening->NoAnswer();
  return ready;
}

}  // namespace

WireOpening::WireOpening(Options options) : options_(std::move(options)) {
  current = this;
}

WireOpening::~WireOpening() {
  current = nullptr;
}

WireOpening* WireOpening::Current() {
  return current;
}

// Behind the library's back, which takes the socket for one that waits: so it neither turns that on nor off,
// and OpenSSL says WANT_READ instead of waiting.
void WireOpening::KeepFromWaiting(int socket) {
  if (const int flags = fcntl(socket, F_GETFL); flags >= 0) fcntl(socket, F_SETFL, flags | O_NONBLOCK);
}

void WireOpening::LetWait(int socket) {
  if (const int flags = fcntl(socket, F_GETFL); flags >= 0) fcntl(socket, F_SETFL, flags & ~O_NONBLOCK);
}

int WireOpening::Wait(int socket, bool to_read, absl::Duration timeout) {
  const absl::Time begun = absl::Now();
  const absl::Time deadline = begun + timeout;
  for (;;) {
    if (options_.cancel != nullptr && options_.cancel->cancelled()) {
      Fail(absl::CancelledError("stopped on request"));
      errno = ECANCELED;
      return -1;
    }
    if (options_.outages != nullptr && absl::Now() - begun > kAnswerWithin)
      options_.outages->OnSilence("connect to " + options_.where, begun);
    const absl::Duration left = std::clamp(deadline - absl::Now(), absl::ZeroDuration(), kLook);
    pollfd watched{socket, static_cast<short>(to_read ? POLLIN : POLLOUT), 0};
    const int ready = poll(
        &watched, 1, static_cast<int>(absl::ToInt64Milliseconds(absl::Ceil(left, absl::Milliseconds(1)))));
    if (ready > 0) return 1;
    if (ready < 0 && errno != EINTR) return -1;
    if (absl::Now() < deadline) continue;
    errno = ETIMEDOUT;
    return 0;
  }
}

bool WireOpening::MayLeave(const unsigned char* bytes, size_t size) {
  // "Protocol::SSLRequest": a packet of 32 bytes that begins with the capabilities.
  constexpr size_t kHeaderBytes = 4, kRequestBytes = 32;
  if (options_.tls == TlsMode::kOff) return true;
  const bool asks_for_tls = size == kHeaderBytes + kRequestBytes && bytes[0] == kRequestBytes &&
                            bytes[1] == 0 && bytes[2] == 0 &&
                            (bytes[kHeaderBytes + 1] & (CLIENT_SSL >> 8)) != 0;
  if (asks_for_tls && !tls_begun_) {
    tls_begun_ = true;
    return true;
  }
  Fail(WithHint(absl::UnauthenticatedError("the server offers no TLS; neither user nor password was sent"),
                "turn TLS on at the server, or set the source's tls.mode to off if the network is trusted"));
  return false;
}

void WireOpening::NoAnswer() {
  const std::string patience = absl::FormatDuration(options_.patience);
  if (heard_) {
    Fail(WithHint(absl::UnavailableError(fmt::format("no answer to the login within {}", patience)),
                  "the server is overloaded or its authentication hangs; connect_timeout says how long is "
                  "waited"));
    return;
  }
  Fail(WithHint(
      absl::UnavailableError(
          fmt::format("the TCP connection stands, but no greeting came within {}", patience)),
      "is it a MySQL server that listens on this port? It may also be overloaded, or a proxy or load "
      "balancer in between has no server behind it"));
}

absl::Status UseWireSockets(st_mysql* mysql) {
  static absl::Mutex mutex;
  static bool used = false;
  absl::MutexLock lock(&mutex);
  if (used) return absl::OkStatus();
  auto* plugin =
      reinterpret_cast<SocketPlugin*>(mysql_client_find_plugin(mysql, "pvio_socket", kSocketPlugin));
  if (plugin == nullptr || plugin->methods == nullptr) {
    return absl::InternalError("this version of libmariadb has no sockets that can be watched");
  }
  library = *plugin->methods;
  ours = library;
  ours.connect = Connect;
  ours.read = Read;
  ours.write = Write;
  ours.wait_io_or_timeout = WaitIo;
  plugin->methods = &ours;
  used = true;
  return absl::OkStatus();
}

}  // namespace hakobu
