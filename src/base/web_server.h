// A web server for strangers: it waits for slow and idle clients without a thread, and bounds what a request
// can make large before anything else looks at it. HTTP/1.1 over Boost.Beast; TLS is for a proxy before it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace hakobu {

struct WebRequest {
  std::string method;  // "GET" …
  std::string path;    // percent-decoded, without the query
  std::multimap<std::string, std::string> query;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case, in the order sent

  std::string_view Header(std::string_view name) const;  // lower case name; empty: not given
};

struct WebResponse {
  int status = 200;
  std::string content_type;
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
  // For tests of clients: nothing is sent, or only so many bytes of the body, and the connection ends.
  bool is_dropped = false;
  int64_t truncated_at = -1;
};

// The body of one request, which is still on its way when the handler begins.
class WebBody {
 public:
  using Sink = absl::FunctionRef<bool(std::string_view)>;  // false: enough
  virtual ~WebBody() = default;
  // Hands the body to `sink` piece by piece. ResourceExhausted when it is longer than `limit_bytes`,
  // Cancelled when the sink has had enough, DeadlineExceeded or Unavailable when the client stops or goes. At
  // most once.
  virtual absl::Status Read(uint64_t limit_bytes, Sink sink) = 0;
};

struct WebServerOptions {
  std::string host = "127.0.0.1";
  int port = 0;  // 0: a free one
  size_t most_header_bytes = 64 * 1024;
  size_t most_connections = 4096;                    // those beyond are closed at once
  size_t most_threads = 256;                         // requests answered at a time; others wait
  absl::Duration head_timeout = absl::Seconds(20);   // from a request's first byte to the end of its headers
  absl::Duration idle_timeout = absl::Minutes(10);   // between requests
  absl::Duration body_timeout = absl::Seconds(120);  // without a byte of the body, either way
};

// Takes an address, then serves until destroyed; requests under way then have `kGrace` to be answered.
// Thread-safe.
class WebServer {
 public:
  // Called from many threads at once, for at most one request of a connection at a time. What it throws is
  // answered with 500.
  using Handler = std::function<WebResponse(const WebRequest& request, WebBody& body)>;
  static constexpr absl::Duration kGrace = absl::Milliseconds(300);

  // InvalidArgument when the address cannot be had. Clients wait until Serve, which is called once.
  static absl::StatusOr<std::unique_ptr<WebServer>> Bind(const WebServerOptions& options);
  virtual ~WebServer() = default;
  virtual int port() const = 0;
  virtual void Serve(Handler handler) = 0;
};

}  // namespace hakobu
