#include "localbq/rest/server.h"

#include <dirent.h>
#include <fmt/format.h>
#include <httplib.h>
#include <netinet/in.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <string_view>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/strings/ascii.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/status.h"
#include "localbq/catalog/catalog.h"
#include "localbq/rest/anonymous.h"
#include "localbq/rest/jobs.h"
#include "localbq/rest/router.h"
#include "localbq/rest/uploads.h"

namespace hakobu::localbq::rest {
namespace {

constexpr absl::Duration kGrace = absl::Milliseconds(300);
constexpr size_t kMostFormBytes = size_t{1} << 20;
constexpr size_t kConnections = 96;  // one thread each while open; clients beyond wait

Request Translated(const httplib::Request& from) {
  Request request;
  request.method = from.method;
  request.path = from.path;
  for (const auto& [name, value] : from.params) request.query.emplace(name, value);
  for (const auto& [name, value] : from.headers)
    request.headers.emplace_back(absl::AsciiStrToLower(name), value);
  return request;
}

using AddressOf = int (*)(int, sockaddr*, socklen_t*);

// Of a socket's own end (getsockname) or its client's (getpeername); 0: none.
int PortOf(AddressOf address_of, int descriptor) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (address_of(descriptor, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  if (address.ss_family == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
  if (address.ss_family == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port);
  return 0;
}

// Shuts down what clients keep open to `port`. httplib does not tell its sockets, and would wait for each
// client to go away or for the keep-alive timeout; the list of this process's descriptors tells them.
// `client_port`: of one client only; 0: of all.
void EndConnections(int port, int how, int client_port = 0) {
  DIR* const folder = opendir("/proc/self/fd");
  if (folder == nullptr) return;
  while (const dirent* entry = readdir(folder)) {
    const std::string_view name = entry->d_name;
    int descriptor = -1;
    if (std::from_chars(name.data(), name.data() + name.size(), descriptor).ec != std::errc()) continue;
    if (PortOf(getsockname, descriptor) != port) continue;
    if (client_port == 0 || PortOf(getpeername, descriptor) == client_port) shutdown(descriptor, how);
  }
  closedir(folder);
}

}  // namespace

class Server::State {
 public:
  State(Catalog* catalog, Warehouse* warehouse, ChangeLog* changes, Faults* faults,
        const ServerOptions& options)
      : jobs_(warehouse, faults),
        uploads_(options.folder),
        service_{catalog, warehouse, changes, &jobs_, &uploads_, faults, options.authority, ""} {}
  // Requests under way have a moment to be answered; jobs are cancelled.
  ~State() {
    {
      absl::MutexLock lock(&maker_->mutex);
      maker_->service = nullptr;
    }
    jobs_.Stop();
    http_.stop();
    if (!thread_.joinable()) return;
    EndConnections(port_, SHUT_RD);
    if (!ended_.WaitForNotificationWithTimeout(kGrace)) EndConnections(port_, SHUT_RDWR);
    thread_.join();
  }

  absl::Status Start(const ServerOptions& options) {
    HAKOBU_RETURN_IF_ERROR(jobs_.Load());
    {
      absl::MutexLock lock(&maker_->mutex);
      maker_->service = &service_;
    }
    service_.catalog->OnMissing([maker = maker_](const TableId& id) {
      if (!IsAnonymous(id) || IsMakingAnonymousTable()) return;
      absl::ReaderMutexLock lock(&maker->mutex);
      if (maker->service == nullptr) return;
      const absl::Status made = MakeAnonymousTable(*maker->service, id);
      if (!made.ok()) spdlog::error("local BigQuery: {}: {}", DisplayName(id), View(made.message()));
    });
    http_.new_task_queue = [] { return new httplib::ThreadPool(kConnections); };
    http_.set_tcp_nodelay(true);
    http_.set_keep_alive_max_count(1'000'000);
    http_.set_keep_alive_timeout(30);
    http_.set_read_timeout(120);
    http_.set_payload_max_length(size_t{16} << 30);
    // SO_REUSEPORT, httplib's default, would let a second server take the same port unnoticed.
    http_.set_socket_options([](socket_t socket) {
      const int yes = 1;
      setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, reinterpret_cast<const char*>(&yes), sizeof yes);
    });
    // Whatever a handler did not expect is answered as Google answers its own failures.
    http_.set_exception_handler([this](const httplib::Request& from, httplib::Response& to,
                                       std::exception_ptr) {
      Send(ErrorReply(
               absl::InternalError(fmt::format("{} {}: an internal error occurred", from.method, from.path))),
           from, &to);
    });
    const auto plain = [this](const httplib::Request& from, httplib::Response& to) {
      Request request = Translated(from);
      request.body = from.body;
      Send(Route(service_, request), from, &to);
    };
    const auto upload = [this](const httplib::Request& from, httplib::Response& to,
                               const httplib::ContentReader& reader) {
      Request request = Translated(from);
      const auto read = [&](const BodySink& sink) {
        return reader([&](const char* data, size_t size) { return sink({data, size}); });
      };
      Send(TakeUpload(service_, request, read), from, &to);
    };
    // Read as a stream, for httplib refuses forms beyond 8 KiB, which an AWS role's token may be.
    const auto form = [this](const httplib::Request& from, httplib::Response& to,
                             const httplib::ContentReader& reader) {
      Request request = Translated(from);
      reader([&](const char* data, size_t size) {
        request.body.append(data, size);
        return request.body.size() < kMostFormBytes;
      });
      Send(Route(service_, request), from, &to);
    };
    http_.Post("/token|/oauth2/v4/token|/v1/token", form);
    constexpr char kUploadPath[] = "(/bigquery/v2)?/upload/.*";
    http_.Post(kUploadPath, upload);
    http_.Put(kUploadPath, upload);
    http_.Get(".*", plain);
    http_.Delete(".*", plain);
    http_.Post(".*", plain);
    http_.Put(".*", plain);
    http_.Patch(".*", plain);
    port_ = options.port == 0 ? http_.bind_to_any_port(options.host.c_str()) : options.port;
    const bool bound = options.port == 0 ? port_ > 0 : http_.bind_to_port(options.host.c_str(), options.port);
    if (!bound) {
      return absl::InvalidArgumentError(
          fmt::format("listen on {}:{}: refused; hint: the port may be in use, 0 picks a free one",
                      options.host, options.port));
    }
    service_.url = fmt::format("http://{}:{}", options.host == "0.0.0.0" ? "127.0.0.1" : options.host, port_);
    thread_ = std::thread([this] {
      http_.listen_after_bind();
      ended_.Notify();
    });
    // stop() has no effect on a server that does not run yet.
    while (!http_.is_running() && !ended_.HasBeenNotified()) absl::SleepFor(absl::Milliseconds(1));
    return absl::OkStatus();
  }
  int port() const { return port_; }
  const std::string& url() const { return service_.url; }

 private:
  void Send(Reply reply, const httplib::Request& from, httplib::Response* to) const {
    if (reply.is_dropped) return EndConnections(port_, SHUT_RDWR, from.remote_port);
    to->status = reply.status;
    for (auto& [name, value] : reply.headers) to->set_header(name, value);
    if (reply.status == 204 || reply.status == 304) return;
    if (reply.truncated_at < 0) return to->set_content(std::move(reply.body), reply.content_type);
    const size_t whole = reply.body.size();
    const size_t sent = std::min(static_cast<size_t>(reply.truncated_at), whole);
    to->set_content_provider(
        whole, reply.content_type,
        [body = std::move(reply.body), sent](size_t offset, size_t, httplib::DataSink& sink) {
          if (offset < sent) sink.write(body.data() + offset, sent - offset);
          return offset < sent;
        });
  }

  JobStore jobs_;
  Uploads uploads_;
  Service service_;
  // The catalog outlives this server, and so may its calls for anonymous tables.
  struct Maker {
    absl::Mutex mutex;
    const Service* service ABSL_GUARDED_BY(mutex);
  };
  const std::shared_ptr<Maker> maker_ = std::make_shared<Maker>();
  httplib::Server http_;
  std::thread thread_;
  absl::Notification ended_;
  int port_ = 0;
};

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const ServerOptions& options, Catalog* catalog,
                                                      Warehouse* warehouse, ChangeLog* changes,
                                                      Faults* faults) {
  auto state = std::make_unique<State>(catalog, warehouse, changes, faults, options);
  HAKOBU_RETURN_IF_ERROR(state->Start(options));
  return std::unique_ptr<Server>(new Server(std::move(state)));
}

Server::Server(std::unique_ptr<State> state) : state_(std::move(state)) {}
Server::~Server() = default;
int Server::port() const {
  return state_->port();
}
const std::string& Server::url() const {
  return state_->url();
}

}  // namespace hakobu::localbq::rest
