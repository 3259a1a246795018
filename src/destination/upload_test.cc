#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <charconv>
#include <random>

#include "destination/destination.h"
#include "destination/fake_http.h"

namespace hakobu {
namespace {

constexpr size_t kQuantum = size_t{256} << 10;
using Fault = std::function<bool(int number, httplib::Response& response)>;

// The server's side of the protocol, keeping what it was sent.
class UploadServer {
 public:
  // `fault` answers instead when it returns true; `keep_bytes` limits what one PUT leaves behind.
  explicit UploadServer(Fault fault = {}, size_t keep_bytes = SIZE_MAX)
      : fault_(std::move(fault)),
        keep_bytes_(keep_bytes),
        http_([this](int number, const SeenHttp& request, httplib::Response& response) {
          Answer(number, request, response);
        }) {}
  FakeHttp& http() { return http_; }
  std::string data() const { return data_; }

 private:
  void Answer(int number, const SeenHttp& request, httplib::Response& response) {
    if (fault_ && fault_(number, response)) return;
    if (request.method == "GET") {
      return Json(response, 200, R"({"jobReference":{"jobId":"j"},"status":{"state":"DONE"}})");
    }
    if (request.method == "POST") {
      response.set_header("Location", http_.url() + "/session?id=1");
      return Json(response, 200, "");
    }
    const std::string range = request.Header("Content-Range");
    unsigned long long begin = 0;
    unsigned long long end = 0;
    const bool has_data = std::sscanf(range.c_str(), "bytes %llu-%llu/", &begin, &end) == 2;
    if (has_data) {
      EXPECT_EQ(begin, data_.size()) << range;
      EXPECT_EQ(end - begin + 1, request.body.size());
      data_ += request.body.substr(0, keep_bytes_);
    }
    const std::string total = range.substr(range.find('/') + 1);
    if (total == "*") {
      EXPECT_EQ(request.body.size() % kQuantum, 0u);
    } else if (std::stoull(total) == data_.size()) {
      return Json(response, 200, R"({"jobReference":{"jobId":"j"},"status":{"state":"RUNNING"}})");
    }
    response.status = 308;
    if (!data_.empty()) response.set_header("Range", fmt::format("bytes=0-{}", data_.size() - 1));
  }

  Fault fault_;
  size_t keep_bytes_;
  std::string data_;
  FakeHttp http_;
};

std::string Data(size_t size) {
  std::string data(size, '\0');
  std::mt19937 random(1);
  for (char& c : data) c = static_cast<char>(random());
  return data;
}

absl::StatusOr<Job> Upload(UploadServer& server, const std::string& data, size_t piece, FakeClock* clock) {
  RestOptions options;
  options.endpoint.rest = server.http().url();
  options.context = {clock, nullptr, {}};
  Rest rest(options);
  auto upload = LoadUpload::Start(rest, {"p", "j", ""}, R"({"load":{}})", 2 * kQuantum - 1);
  if (!upload.ok()) return upload.status();
  for (size_t i = 0; i < data.size(); i += piece) {
    if (absl::Status status = (*upload)->Write(std::string_view(data).substr(i, piece)); !status.ok())
      return status;
  }
  return (*upload)->Finish();
}

TEST(LoadUpload, ArrivesWholeWhateverTheSizes) {
  for (const size_t size :
       {size_t{0}, size_t{1}, kQuantum, 2 * kQuantum, 2 * kQuantum + 1, 4 * kQuantum, 5 * kQuantum + 77}) {
    SCOPED_TRACE(size);
    FakeClock clock;
    UploadServer server;
    const auto job = Upload(server, Data(size), 100'000, &clock);
    ASSERT_TRUE(job.ok()) << job.status();
    EXPECT_EQ(job->name.id, "j");
    EXPECT_TRUE(server.data() == Data(size));
  }
}

TEST(LoadUpload, ResumesFromWhatTheServiceHolds) {
  FakeClock clock;
  UploadServer server({}, kQuantum);  // keeps half of each chunk
  const auto job = Upload(server, Data(5 * kQuantum + 5), 1'000'000, &clock);
  ASSERT_TRUE(job.ok()) << job.status();
  EXPECT_TRUE(server.data() == Data(5 * kQuantum + 5));
}

TEST(LoadUpload, AsksWhatArrivedAfterAFailure) {
  const uint32_t seed = std::random_device{}();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937 random(seed);
  FakeClock clock;
  UploadServer server([&](int, httplib::Response& response) {
    if (random() % 2 == 0) return false;
    Error(response, 503, "backendError", "busy");
    return true;
  });
  const auto job = Upload(server, Data(9 * kQuantum + 5), 300'000, &clock);
  ASSERT_TRUE(job.ok()) << job.status();
  EXPECT_TRUE(server.data() == Data(9 * kQuantum + 5));
}

TEST(LoadUpload, AJobOfThatIdIsThatJob) {
  FakeClock clock;
  UploadServer server([&](int number, httplib::Response& response) {
    if (number != 0) return false;
    Error(response, 409, "duplicate", "Already Exists: Job p:j");
    return true;
  });
  const auto job = Upload(server, Data(kQuantum), 1000, &clock);
  ASSERT_TRUE(job.ok()) << job.status();
  EXPECT_TRUE(job->done);
  EXPECT_EQ(server.data(), "");
}

TEST(LoadUpload, ASessionThatIsGoneIsToldApart) {
  for (const int gone : {404, 410}) {
    FakeClock clock;
    UploadServer server([&](int number, httplib::Response& response) {
      if (number < 2) return false;
      Error(response, gone, "notFound", "no such session");
      return true;
    });
    EXPECT_EQ(Upload(server, Data(9 * kQuantum), 100'000, &clock).status().code(),
              absl::StatusCode::kAborted);
  }
}

TEST(LoadUpload, RefusalsEndIt) {
  FakeClock clock;
  UploadServer server([&](int number, httplib::Response& response) {
    if (number == 0) return false;
    Error(response, 400, "invalid", "Unsupported");
    return true;
  });
  EXPECT_EQ(Upload(server, Data(10), 10, &clock).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace hakobu
