// HTTP by libcurl: connections kept and reused, time-outs on everything, gzip accepted.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/cancel.h"
#include "base/outage.h"

namespace hakobu {

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  std::vector<std::string> headers;  // "Name: value"
  std::string_view body;             // sent for anything but GET and DELETE without one
  absl::Duration timeout = absl::Minutes(2);
  size_t longest_answer = 0;  // bytes of its body; more is an error. 0: any
  // Told, as of `work`, when no answer has come within so long. Null: nobody is.
  OutageListener* outages = nullptr;
  std::string_view work = {};
  absl::Duration answer_within = kAnswerWithin;
};

struct HttpResponse {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string body;
  std::string_view Header(std::string_view lower_case_name) const;  // empty when absent
};

struct HttpOptions {
  std::string user_agent;
  std::string ca_file;  // PEM of the authorities that servers are trusted by; empty: the system's
  std::string proxy;    // "http://proxy:3128"; empty: as ProxyFor reads the environment
};

// Thread-safe. Redirects are not followed. Servers are verified by certificate and name. An address with user
// information, or plain http that leaves the machine's own link, is InvalidArgument, as is a header with a
// line break in it: neither is sent.
class HttpClient {
 public:
  explicit HttpClient(std::string user_agent = "") : HttpClient(HttpOptions{std::move(user_agent), "", ""}) {}
  explicit HttpClient(HttpOptions options);
  ~HttpClient();
  // Any HTTP answer is OK; no answer is Unavailable, DeadlineExceeded or Cancelled, with curl's words.
  // Messages name the address's origin only.
  absl::StatusOr<HttpResponse> Send(const HttpRequest& request, const Cancellation* cancellation = nullptr);

 private:
  class Pool;
  std::unique_ptr<Pool> pool_;
};

std::string PercentEncode(std::string_view text);  // RFC 3986: all but A-Z a-z 0-9 - . _ ~
// `a=b&c=d`, both sides encoded.
std::string FormEncode(const std::vector<std::pair<std::string, std::string>>& pairs);

}  // namespace hakobu
