// An HTTP server in this process that answers from a script, for the faults that no real one makes on demand.
#pragma once

#include <httplib.h>

#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/mutex.h"

namespace hakobu {

struct SeenHttp {
  std::string method;
  std::string target;  // path and query
  std::string body;
  httplib::Headers headers;
  std::string Header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? "" : found->second;
  }
};

class FakeHttp {
 public:
  // Answers the n-th request, from 0.
  using Answer = std::function<void(int number, const SeenHttp& request, httplib::Response& response)>;
  explicit FakeHttp(Answer answer) : answer_(std::move(answer)) {
    const auto handle = [this](const httplib::Request& request, httplib::Response& response) {
      Take(request, response);
    };
    server_.Get(".*", handle).Post(".*", handle).Put(".*", handle).Patch(".*", handle).Delete(".*", handle);
    server_.set_keep_alive_timeout(1);
    port_ = server_.bind_to_any_port("127.0.0.1");
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    while (!server_.is_running()) std::this_thread::yield();
  }
  ~FakeHttp() {
    server_.stop();
    thread_.join();
  }
  int port() const { return port_; }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  std::vector<SeenHttp> Seen() {
    absl::MutexLock lock(&mutex_);
    return seen_;
  }

 private:
  void Take(const httplib::Request& request, httplib::Response& response) {
    SeenHttp seen{request.method, request.target, request.body, request.headers};
    int number = 0;
    {
      absl::MutexLock lock(&mutex_);
      number = static_cast<int>(seen_.size());
      seen_.push_back(seen);
    }
    answer_(number, seen, response);
  }

  Answer answer_;
  httplib::Server server_;
  int port_ = 0;
  std::thread thread_;
  absl::Mutex mutex_;
  std::vector<SeenHttp> seen_ ABSL_GUARDED_BY(mutex_);
};

inline void Json(httplib::Response& response, int status, const std::string& body) {
  response.status = status;
  response.set_content(body, "application/json");
}

// An error body as BigQuery writes it.
inline void Error(httplib::Response& response, int status, const std::string& reason,
                  const std::string& message) {
  Json(response, status,
       R"({"error":{"code":)" + std::to_string(status) + R"(,"message":")" + message +
           R"(","errors":[{"domain":"global","reason":")" + reason + R"(","message":")" + message +
           R"("}]}})");
}

}  // namespace hakobu
