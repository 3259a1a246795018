#include "base/web_server.h"

#include <fmt/format.h>

#include <array>
#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <chrono>
#include <future>
#include <limits>
#include <optional>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "base/elastic_threads.h"
#include "base/status.h"

namespace hakobu {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::asio::ip::tcp;
using ErrorCode = boost::system::error_code;

constexpr size_t kPieceBytes = 64 * 1024;
constexpr size_t kSliceBytes = 256 * 1024;
// What a handler left of a body is read when there is no more of it than this; else the connection ends.
constexpr uint64_t kMostSkippedBytes = 64 * 1024;
constexpr absl::Duration kLinger = absl::Seconds(2);

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// [RFC 3986, 2.1]; `plus_is_space` as forms and queries have it.
std::string PercentDecoded(std::string_view text, bool plus_is_space) {
  std::string decoded;
  decoded.reserve(text.size());
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '+' && plus_is_space) {
      decoded += ' ';
    } else if (text[at] == '%' && at + 2 < text.size() && HexValue(text[at + 1]) >= 0 &&
               HexValue(text[at + 2]) >= 0) {
      decoded += static_cast<char>(HexValue(text[at + 1]) * 16 + HexValue(text[at + 2]));
      at += 2;
    } else {
      decoded += text[at];
    }
  }
  return decoded;
}

void ReadTarget(std::string_view target, WebRequest* request) {
  const size_t question = std::min(target.find('?'), target.size());
  request->path = PercentDecoded(target.substr(0, question), false);
  std::string_view rest = target.substr(std::min(question + 1, target.size()));
  rest = rest.substr(0, rest.find('#'));
  while (!rest.empty()) {
    const std::string_view part = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(part.size() + 1, rest.size()));
    if (part.empty()) continue;
    const size_t equals = std::min(part.find('='), part.size());
    request->query.emplace(PercentDecoded(part.substr(0, equals), true),
                           PercentDecoded(part.substr(std::min(equals + 1, part.size())), true));
  }
}

std::string_view StatusText(int status) {
  const beast::string_view text = http::obsolete_reason(static_cast<http::status>(status));
  return {text.data(), text.size()};
}

using Parser = http::request_parser<http::buffer_body>;

// One client. Its head is read by the server's one thread of input and output; then a worker owns it until
// its answer is written.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void Handle(std::shared_ptr<Connection> connection) = 0;
    virtual void Gone(Connection* connection) = 0;
  };

  Connection(tcp::socket socket, Owner* owner, const WebServerOptions& options)
      : stream_(std::move(socket)),
        owner_(owner),
        options_(options),
        buffer_(options.most_header_bytes + kPieceBytes) {
    ErrorCode ignored;
    stream_.socket().set_option(tcp::no_delay(true), ignored);
  }
  ~Connection() { owner_->Gone(this); }

  // From the thread of input and output.
  void WaitForRequest() {
    if (buffer_.size() > 0) return ReadHead();
    stream_.expires_after(absl::ToChronoMilliseconds(options_.idle_timeout));
    stream_.async_read_some(buffer_.prepare(kPieceBytes),
                            [self = shared_from_this()](ErrorCode error, size_t size) {
                              self->buffer_.commit(size);
                              if (!error) self->ReadHead();
                            });
  }
  void End() {
    ErrorCode ignored;
    stream_.socket().shutdown(tcp::socket::shutdown_both, ignored);
    stream_.cancel();
  }

  // From a worker: answers one request. Does the connection go on?
  bool Serve(const WebServer::Handler& handler);

 private:
  friend class ConnectionBody;

  void ReadHead() {
    parser_.emplace();
    parser_->header_limit(static_cast<uint32_t>(options_.most_header_bytes));
    // Not none: Boost 1.74 takes every length to be more than that.
    parser_->body_limit(std::numeric_limits<uint64_t>::max());
    stream_.expires_after(absl::ToChronoMilliseconds(options_.head_timeout));
    http::async_read_header(stream_, buffer_, *parser_, [self = shared_from_this()](ErrorCode error, size_t) {
      self->head_error_ = error;
      const bool is_gone = error == http::error::end_of_stream || error == beast::error::timeout ||
                           (error && error.category() == boost::system::system_category());
      if (!is_gone) self->owner_->Handle(self);
    });
  }

  WebRequest Head() const {
    WebRequest request;
    const auto& message = parser_->get();
    request.method = std::string(message.method_string());
    const auto target = message.target();
    ReadTarget({target.data(), target.size()}, &request);
    for (const auto& field : message) {
      const auto name = field.name_string(), value = field.value();
      request.headers.emplace_back(absl::AsciiStrToLower(std::string(name)), std::string(value));
    }
    return request;
  }

  WebResponse HeadRefusal() const {
    WebResponse response;
    const bool is_long =
        head_error_ == http::error::header_limit || head_error_ == http::error::buffer_overflow;
    response.status = is_long ? 431 : 400;
    response.content_type = "text/plain; charset=utf-8";
    response.body = is_long ? "The request's headers are too long.\n" : "The request is not HTTP/1.1.\n";
    return response;
  }

  // Runs an asynchronous step and waits for it: the worker blocks, the thread of input and output never does.
  template <typename Step>
  ErrorCode Await(absl::Duration timeout, Step step) {
    std::promise<ErrorCode> done;
    asio::post(stream_.get_executor(), [&] {
      stream_.expires_after(absl::ToChronoMilliseconds(timeout));
      step([&done](ErrorCode error, size_t) { done.set_value(error); });
    });
    return done.get_future().get();
  }

  bool Write(std::string_view bytes) {
    while (!bytes.empty()) {
      const std::string_view slice = bytes.substr(0, kSliceBytes);
      const ErrorCode error = Await(options_.body_timeout, [&](auto&& then) {
        asio::async_write(stream_, asio::buffer(slice.data(), slice.size()),
                          std::forward<decltype(then)>(then));
      });
      if (error) return false;
      bytes.remove_prefix(slice.size());
    }
    return true;
  }

  bool Answer(const WebResponse& response, bool is_head, bool keep_alive) {
    std::string head = fmt::format("HTTP/1.1 {} {}\r\n", response.status, StatusText(response.status));
    for (const auto& [name, value] : response.headers) {
      if (value.find_first_of("\r\n") == std::string::npos) head += fmt::format("{}: {}\r\n", name, value);
    }
    const bool has_body = response.status != 204 && response.status != 304;
    if (has_body) {
      if (!response.content_type.empty()) head += fmt::format("Content-Type: {}\r\n", response.content_type);
      head += fmt::format("Content-Length: {}\r\n", response.body.size());
    }
    head += keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n";
    std::string_view body = has_body && !is_head ? std::string_view(response.body) : std::string_view();
    if (response.truncated_at >= 0) body = body.substr(0, static_cast<size_t>(response.truncated_at));
    if (head.size() + body.size() <= kSliceBytes) return Write(head.append(body));
    return Write(head) && Write(body);
  }

  // The client may still be sending: it shall see the answer before the connection's end.
  void Linger() {
    ErrorCode error;
    stream_.socket().shutdown(tcp::socket::shutdown_send, error);
    std::array<char, kPieceBytes> rest;
    const absl::Time until = absl::Now() + kLinger;
    while (!error && absl::Now() < until) {
      error = Await(until - absl::Now() + absl::Milliseconds(1), [&](auto&& then) {
        stream_.async_read_some(asio::buffer(rest), std::forward<decltype(then)>(then));
      });
    }
  }

  beast::tcp_stream stream_;
  Owner* const owner_;
  const WebServerOptions& options_;
  beast::flat_buffer buffer_;
  std::optional<Parser> parser_;
  ErrorCode head_error_;
};

class ConnectionBody : public WebBody {
 public:
  explicit ConnectionBody(Connection* connection) : connection_(connection) {}

  absl::Status Read(uint64_t limit_bytes, Sink sink) override {
    Parser& parser = *connection_->parser_;
    const auto& message = parser.get();
    if (const auto length = parser.content_length(); length && *length > limit_bytes)
      return TooLong(limit_bytes);
    if (!parser.is_done() && beast::iequals(message[http::field::expect], "100-continue") &&
        !connection_->Write("HTTP/1.1 100 Continue\r\n\r\n")) {
      return absl::UnavailableError("the client went away");
    }
    uint64_t size = 0;
    std::string piece(kPieceBytes, '\0');
    while (!parser.is_done()) {
      auto& target = parser.get().body();
      target.data = piece.data();
      target.size = piece.size();
      const ErrorCode error = connection_->Await(timeout_, [&](auto&& then) {
        http::async_read(connection_->stream_, connection_->buffer_, parser,
                         std::forward<decltype(then)>(then));
      });
      if (error == beast::error::timeout)
        return absl::DeadlineExceededError("the request's body does not go on");
      if (error && error != http::error::need_buffer) {
        return absl::UnavailableError(fmt::format("the request's body ends early: {}", error.message()));
      }
      const size_t got = piece.size() - target.size;
      size += got;
      if (size > limit_bytes) return TooLong(limit_bytes);
      if (got > 0 && !sink(std::string_view(piece).substr(0, got)))
        return absl::CancelledError("enough was read");
    }
    return absl::OkStatus();
  }

  // Is there so little left that it is read for the sake of the connection?
  bool CanSkip() const {
    const Parser& parser = *connection_->parser_;
    if (parser.is_done()) return true;
    const auto length = parser.content_length_remaining();
    const bool is_waiting = beast::iequals(parser.get()[http::field::expect], "100-continue");
    return !is_waiting && length && *length <= kMostSkippedBytes;
  }
  // Is the connection at the next request's begin?
  bool Skip() {
    timeout_ = kLinger;
    return Read(kMostSkippedBytes, [](std::string_view) { return true; }).ok();
  }

 private:
  static absl::Status TooLong(uint64_t limit_bytes) {
    return absl::ResourceExhaustedError(
        fmt::format("the request's body is longer than {} bytes", limit_bytes));
  }
  Connection* const connection_;
  absl::Duration timeout_ = connection_->options_.body_timeout;
};

bool Connection::Serve(const WebServer::Handler& handler) {
  if (head_error_) {
    Answer(HeadRefusal(), /*is_head=*/false, /*keep_alive=*/false);
    Linger();
    return false;
  }
  const WebRequest request = Head();
  ConnectionBody body(this);
  WebResponse response;
  try {
    response = handler(request, body);
  } catch (const std::exception&) {
    response.status = 500;
    response.content_type = "text/plain; charset=utf-8";
    response.body = "An internal error occurred.\n";
  }
  if (response.is_dropped) {
    End();
    return false;
  }
  // Answered first: whoever is refused shall hear it before he has sent his body.
  const bool keep_alive = body.CanSkip() && parser_->get().keep_alive() && response.truncated_at < 0;
  const bool is_sent = Answer(response, request.method == "HEAD", keep_alive);
  if (is_sent && response.truncated_at >= 0) End();
  if (is_sent && !keep_alive && response.truncated_at < 0) Linger();
  return is_sent && keep_alive && body.Skip();
}

class BeastServer : public WebServer, public Connection::Owner {
 public:
  explicit BeastServer(WebServerOptions options)
      : options_(std::move(options)),
        context_(1),
        acceptor_(context_),
        workers_(std::make_unique<ElasticThreads>(options_.most_threads)) {}

  ~BeastServer() override {
    asio::post(context_, [this] {
      ErrorCode ignored;
      acceptor_.close(ignored);
    });
    {
      absl::MutexLock lock(&mutex_);
      ending_ = true;
      for (Connection* connection : connections_) {
        if (!serving_.contains(connection)) EndLater(connection);
      }
      const auto is_quiet = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return serving_.empty(); };
      mutex_.AwaitWithTimeout(absl::Condition(&is_quiet), kGrace);
      for (Connection* connection : connections_) EndLater(connection);
    }
    workers_->Join();
    {
      absl::MutexLock lock(&mutex_);
      for (Connection* connection : connections_) EndLater(connection);
    }
    work_.reset();
    if (thread_.joinable()) thread_.join();
  }

  absl::Status Listen() {
    ErrorCode error;
    const auto address =
        asio::ip::make_address(options_.host == "localhost" ? "127.0.0.1" : options_.host, error);
    const tcp::endpoint endpoint(address, static_cast<uint16_t>(options_.port));
    if (!error) acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (error) {
      return absl::InvalidArgumentError(
          fmt::format("listen on {}:{}: {}; hint: the port may be in use, 0 picks a free one", options_.host,
                      options_.port, error.message()));
    }
    port_ = acceptor_.local_endpoint().port();
    return absl::OkStatus();
  }
  void Serve(Handler handler) override {
    handler_ = std::move(handler);
    work_.emplace(context_.get_executor());
    Accept();
    thread_ = std::thread([this] { context_.run(); });
  }
  int port() const override { return port_; }

 private:
  void Accept() {
    acceptor_.async_accept([this](ErrorCode error, tcp::socket socket) {
      if (error == asio::error::operation_aborted) return;
      if (!error) Begin(std::move(socket));
      if (acceptor_.is_open()) Accept();
    });
  }

  void Begin(tcp::socket socket) {
    std::shared_ptr<Connection> connection;
    {
      absl::MutexLock lock(&mutex_);
      if (ending_ || connections_.size() >= options_.most_connections) return;
      connection = std::make_shared<Connection>(std::move(socket), this, options_);
      connections_.insert(connection.get());
    }
    connection->WaitForRequest();
  }

  void Handle(std::shared_ptr<Connection> connection) override {
    {
      absl::MutexLock lock(&mutex_);
      if (ending_) return;
      serving_.insert(connection.get());
    }
    workers_->Post([this, connection = std::move(connection)] {
      const bool goes_on = connection->Serve(handler_);
      {
        absl::MutexLock lock(&mutex_);
        serving_.erase(connection.get());
        if (ending_) return;
      }
      if (goes_on) asio::post(context_, [connection] { connection->WaitForRequest(); });
    });
  }

  void Gone(Connection* connection) override {
    absl::MutexLock lock(&mutex_);
    connections_.erase(connection);
    serving_.erase(connection);
  }

  void EndLater(Connection* connection) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    // Not shared_from_this: a connection in its destructor is still in the list.
    if (std::shared_ptr<Connection> alive = connection->weak_from_this().lock()) {
      asio::post(context_, [alive = std::move(alive)] { alive->End(); });
    }
  }

  const WebServerOptions options_;
  Handler handler_;  // set before the first connection
  asio::io_context context_;
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work_;
  tcp::acceptor acceptor_;
  int port_ = 0;
  std::thread thread_;
  absl::Mutex mutex_;
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  absl::flat_hash_set<Connection*> connections_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_set<Connection*> serving_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<ElasticThreads> workers_;
};

}  // namespace

std::string_view WebRequest::Header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (key == name) return value;
  }
  return {};
}

absl::StatusOr<std::unique_ptr<WebServer>> WebServer::Bind(const WebServerOptions& options) {
  auto server = std::make_unique<BeastServer>(options);
  HAKOBU_RETURN_IF_ERROR(server->Listen());
  return std::unique_ptr<WebServer>(std::move(server));
}

}  // namespace hakobu
