#include "destination/http.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "base/address.h"
#include "base/status.h"
#include "destination/proxy.h"

namespace hakobu {
namespace {

struct Transfer {
  HttpResponse response;
  const Cancellation* cancellation = nullptr;
  size_t longest_answer = 0;
  const HttpRequest* request = nullptr;
  absl::Time begun;
  curl_off_t moved = 0;  // bytes, both ways, when they last were more
};

size_t OnBody(char* data, size_t size, size_t count, void* user) {
  auto* transfer = static_cast<Transfer*>(user);
  std::string& body = transfer->response.body;
  if (transfer->longest_answer > 0 && body.size() + size * count > transfer->longest_answer) return 0;
  body.append(data, size * count);
  return size * count;
}

size_t OnHeader(char* data, size_t size, size_t count, void* user) {
  std::string_view line(data, size * count);
  auto& response = static_cast<Transfer*>(user)->response;
  if (line.substr(0, 5) == "HTTP/") response.headers.clear();  // the answer after a 100 Continue or a proxy's
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return line.size();
  std::string name(line.substr(0, colon));
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
  std::string_view value = line.substr(colon + 1);
  while (!value.empty() && std::isspace(static_cast<unsigned char>(value.front()))) value.remove_prefix(1);
  while (!value.empty() && std::isspace(static_cast<unsigned char>(value.back()))) value.remove_suffix(1);
  response.headers.emplace_back(std::move(name), std::string(value));
  return line.size();
}

// Called at least once a second.
int OnProgress(void* user, curl_off_t, curl_off_t received, curl_off_t, curl_off_t sent) {
  auto* transfer = static_cast<Transfer*>(user);
  if (received + sent > transfer->moved) {
    transfer->moved = received + sent;
    transfer->begun = absl::Now();
  }
  const HttpRequest& request = *transfer->request;
  if (request.outages != nullptr && absl::Now() - transfer->begun > request.answer_within) {
    request.outages->OnSilence(request.work, transfer->begun);
  }
  const Cancellation* cancellation = transfer->cancellation;
  return cancellation != nullptr && cancellation->cancelled() ? 1 : 0;
}

// Of a header that may be anything: its name as far as a name may go.
std::string HeaderName(std::string_view header) {
  std::string name;
  for (const char c : header.substr(0, 60)) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '-') break;
    name += c;
  }
  return name;
}

absl::Status TransportError(CURLcode code, const char* detail, const HttpRequest& request) {
  const std::string message =
      fmt::format("{} {}: {} (curl {})", request.method, OriginOf(request.url),
                  *detail != 0 ? detail : curl_easy_strerror(code), static_cast<int>(code));
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return absl::DeadlineExceededError(message);
    case CURLE_ABORTED_BY_CALLBACK:
      return absl::CancelledError(message);
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
      return WithHint(absl::FailedPreconditionError(message),
                      "the server's certificate is not trusted here; check ca-certificates and any proxy, or "
                      "name the authorities' file in destination.ca");
    case CURLE_WRITE_ERROR:
      return absl::ResourceExhaustedError(
          fmt::format("{} {}: expected an answer of at most {} bytes, found more", request.method,
                      OriginOf(request.url), request.longest_answer));
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return absl::InvalidArgumentError(message);
    default:
      return absl::UnavailableError(message);
  }
}

absl::Status CheckRequest(const HttpRequest& request) {
  HAKOBU_RETURN_IF_ERROR(
      CheckAddress(request.url, request.method + " " + OriginOf(request.url), PlainHttp::kLinkLocal)
          .status());
  for (const std::string& header : request.headers) {
    if (IsHeaderText(header)) continue;
    return absl::InvalidArgumentError(fmt::format("{} {}: header {} holds a control character",
                                                  request.method, OriginOf(request.url), HeaderName(header)));
  }
  return absl::OkStatus();
}

void SetBody(CURL* handle, const HttpRequest& request) {
  const bool has_body = !request.body.empty() || (request.method != "GET" && request.method != "DELETE");
  if (has_body) {
    curl_easy_setopt(handle, CURLOPT_POST, 1L);
    curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(handle, CURLOPT_POSTFIELDS, request.body.empty() ? "" : request.body.data());
  }
  curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, request.method.c_str());
}

}  // namespace

std::string_view HttpResponse::Header(std::string_view lower_case_name) const {
  for (const auto& [name, value] : headers) {
    if (name == lower_case_name) return value;
  }
  return {};
}

// Idle handles, each with its own kept-alive connections.
class HttpClient::Pool {
 public:
  explicit Pool(HttpOptions options) : options_(std::move(options)) {
    static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
    (void)initialised;
  }
  ~Pool() {
    absl::MutexLock lock(&mutex_);
    for (CURL* handle : idle_) curl_easy_cleanup(handle);
  }
  CURL* Take() {
    {
      absl::MutexLock lock(&mutex_);
      if (!idle_.empty()) {
        CURL* handle = idle_.back();
        idle_.pop_back();
        curl_easy_reset(handle);  // keeps connections, DNS and TLS sessions
        return handle;
      }
    }
    return curl_easy_init();
  }
  void Give(CURL* handle) {
    absl::MutexLock lock(&mutex_);
    if (idle_.size() < 32) {
      idle_.push_back(handle);
    } else {
      curl_easy_cleanup(handle);
    }
  }
  const HttpOptions& options() const { return options_; }

 private:
  const HttpOptions options_;
  absl::Mutex mutex_;
  std::vector<CURL*> idle_ ABSL_GUARDED_BY(mutex_);
};

HttpClient::HttpClient(HttpOptions options) : pool_(std::make_unique<Pool>(std::move(options))) {}
HttpClient::~HttpClient() = default;

absl::StatusOr<HttpResponse> HttpClient::Send(const HttpRequest& request, const Cancellation* cancellation) {
  HAKOBU_RETURN_IF_ERROR(CheckRequest(request));
  const HttpOptions& options = pool_->options();
  const std::string proxy = ProxyFor(ParseAddress(request.url)->host, options.proxy, EnvironmentVariable);
  CURL* handle = pool_->Take();
  if (handle == nullptr) return absl::ResourceExhaustedError("set up libcurl: out of memory");
  Transfer transfer;
  transfer.cancellation = cancellation;
  transfer.longest_answer = request.longest_answer;
  transfer.request = &request;
  transfer.begun = absl::Now();
  char detail[CURL_ERROR_SIZE] = "";
  curl_slist* headers = curl_slist_append(nullptr, "Expect:");  // no round trip before a body
  for (const std::string& header : request.headers) headers = curl_slist_append(headers, header.c_str());
  SetBody(handle, request);
  curl_easy_setopt(handle, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(handle, CURLOPT_USERAGENT, options.user_agent.c_str());
  curl_easy_setopt(handle, CURLOPT_PROXY, proxy.c_str());  // empty: none, whatever the environment says
  curl_easy_setopt(handle, CURLOPT_NOPROXY, "");
  if (!options.ca_file.empty()) curl_easy_setopt(handle, CURLOPT_CAINFO, options.ca_file.c_str());
  curl_easy_setopt(handle, CURLOPT_ACCEPT_ENCODING, "gzip");
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, 20000L);
  curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(absl::ToInt64Milliseconds(request.timeout)));
  curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, detail);
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, OnBody);
  curl_easy_setopt(handle, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, OnHeader);
  curl_easy_setopt(handle, CURLOPT_HEADERDATA, &transfer);
  curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, OnProgress);
  curl_easy_setopt(handle, CURLOPT_XFERINFODATA, &transfer);
  const CURLcode code = curl_easy_perform(handle);
  long status = 0;
  curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
  curl_slist_free_all(headers);
  // The next user sets its own; an idle handle must not point at this frame.
  curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, nullptr);
  pool_->Give(handle);
  if (code != CURLE_OK) return TransportError(code, detail, request);
  transfer.response.status = static_cast<int>(status);
  return std::move(transfer.response);
}

std::string PercentEncode(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string encoded;
  encoded.reserve(text.size());
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') ||
                       (byte >= '0' && byte <= '9') || byte == '-' || byte == '.' || byte == '_' ||
                       byte == '~';
    if (plain) {
      encoded += c;
    } else {
      encoded += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return encoded;
}

std::string FormEncode(const std::vector<std::pair<std::string, std::string>>& pairs) {
  std::string form;
  for (const auto& [name, value] : pairs) {
    form += fmt::format("{}{}={}", form.empty() ? "" : "&", PercentEncode(name), PercentEncode(value));
  }
  return form;
}

}  // namespace hakobu
