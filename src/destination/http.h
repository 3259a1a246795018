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

namespace hakobu {

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  std::vector<std::string> headers;  // "Name: value"
  std::string_view body;             // sent for anything but GET and DELETE without one
  absl::Duration timeout = absl::Minutes(2);
};

struct HttpResponse {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string body;
  std::string_view Header(std::string_view lower_case_name) const;  // empty when absent
};

// Thread-safe. Redirects are not followed. Environment proxies (https_proxy, no_proxy) are honoured.
class HttpClient {
 public:
  explicit HttpClient(std::string user_agent = "");
  ~HttpClient();
  // Any HTTP answer is OK; no answer is Unavailable, DeadlineExceeded or Cancelled, with curl's words.
  absl::StatusOr<HttpResponse> Send(const HttpRequest& request, const Cancellation* cancellation = nullptr);

 private:
  class Pool;
  std::unique_ptr<Pool> pool_;
};

std::string PercentEncode(std::string_view text);  // RFC 3986: all but A-Z a-z 0-9 - . _ ~
// `a=b&c=d`, both sides encoded.
std::string FormEncode(const std::vector<std::pair<std::string, std::string>>& pairs);

}  // namespace hakobu
