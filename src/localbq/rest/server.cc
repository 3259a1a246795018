#include "localbq/rest/server.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/status.h"
#include "base/web_server.h"
#include "localbq/catalog/catalog.h"
#include "localbq/rest/anonymous.h"
#include "localbq/rest/door.h"
#include "localbq/rest/jobs.h"
#include "localbq/rest/router.h"
#include "localbq/rest/uploads.h"

namespace hakobu::localbq::rest {
namespace {

constexpr uint64_t kMostMultipartBytes = uint64_t{512} << 20;
constexpr uint64_t kMostUploadBytes = uint64_t{16} << 30;

Request Translated(const WebRequest& from) {
  Request request;
  request.method = from.method;
  request.path = from.path;
  request.query = from.query;
  request.headers = from.headers;
  return request;
}

WebResponse Sent(Reply reply) {
  WebResponse response;
  response.status = reply.status;
  response.content_type = std::move(reply.content_type);
  response.body = std::move(reply.body);
  response.headers = std::move(reply.headers);
  response.is_dropped = reply.is_dropped;
  response.truncated_at = reply.truncated_at;
  return response;
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
    http_.reset();
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
    WebServerOptions http;
    http.host = options.host;
    http.port = options.port;
    HAKOBU_ASSIGN_OR_RETURN(http_, WebServer::Bind(http));
    service_.url =
        fmt::format("http://{}:{}", options.host == "0.0.0.0" ? "127.0.0.1" : options.host, http_->port());
    http_->Serve([this](const WebRequest& request, WebBody& body) { return Sent(Handle(request, body)); });
    return absl::OkStatus();
  }
  int port() const { return http_->port(); }
  const std::string& url() const { return service_.url; }

 private:
  // Whatever a handler did not expect is answered as Google answers its own failures.
  Reply Handle(const WebRequest& from, WebBody& body) {
    try {
      Request request = Translated(from);
      if (std::optional<Reply> stopped = StopAtDoor(service_, &request)) return *std::move(stopped);
      const bool is_upload =
          IsUploadPath(request.path) && (request.method == "POST" || request.method == "PUT");
      return is_upload ? HandleUpload(request, body) : HandlePlain(request, body);
    } catch (const std::exception&) {
      return ErrorReply(
          absl::InternalError(fmt::format("{} {}: an internal error occurred", from.method, from.path)));
    }
  }

  Reply HandlePlain(Request& request, WebBody& body) {
    const uint64_t limit = IsCredentialPath(request.path) ? kMostFormBytes : kMostJsonBytes;
    const absl::Status read = body.Read(limit, [&](std::string_view piece) {
      request.body.append(piece);
      return true;
    });
    if (absl::IsResourceExhausted(read)) return BodyTooLong(limit);
    if (!read.ok()) return ErrorReply(absl::InvalidArgumentError(read.message()));
    return Route(service_, request);
  }

  Reply HandleUpload(Request& request, WebBody& body) {
    // In one request the data passes through memory, a resumable upload goes to its file.
    const uint64_t limit =
        request.Query("uploadType") == "multipart" ? kMostMultipartBytes : kMostUploadBytes;
    absl::Status read;
    Reply reply = TakeUpload(service_, request, [&](const BodySink& sink) {
      read = body.Read(limit, sink);
      return read.ok();
    });
    return absl::IsResourceExhausted(read) ? BodyTooLong(limit) : std::move(reply);
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
  std::unique_ptr<WebServer> http_;
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
