// A token endpoint, and a credential file, that mean no good: what they say goes into no message, no header
// and no address.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "destination/credentials.h"
#include "destination/error.h"
#include "destination/fake_http.h"
#include "destination/http.h"

namespace hakobu {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view kRefreshToken = "1//refresh/secret+word";
constexpr std::string_view kClientSecret = "GOCSPX-client-secret";

CredentialsOptions Quick(FakeClock* clock) {
  CredentialsOptions options;
  options.clock = clock;
  options.environment = [](std::string_view) { return std::nullopt; };
  return options;
}

json UserFile(const std::string& token_uri) {
  return {{"type", "authorized_user"},
          {"client_id", "id"},
          {"client_secret", kClientSecret},
          {"refresh_token", kRefreshToken},
          {"token_uri", token_uri}};
}

// What a user's login comes to at an endpoint that answers so.
absl::StatusOr<std::string> Login(const FakeHttp::Answer& answer) {
  FakeHttp server(answer);
  FakeClock clock;
  const auto credentials =
      ParseCredentials(UserFile(server.url() + "/token?key=in-the-query").dump(), "user.json", Quick(&clock));
  if (!credentials.ok()) return credentials.status();
  return (*credentials)->Token();
}

absl::StatusOr<std::string> LoginAnswered(int status, const std::string& body) {
  return Login([&](int, const SeenHttp&, httplib::Response& response) { Json(response, status, body); });
}

TEST(TokenEndpoint, OnlyKnownFieldsAreQuoted) {
  const absl::Status status =
      LoginAnswered(
          400, R"({"error":"invalid_grant","error_description":"Token has been revoked.","debug":"hidden"})")
          .status();
  EXPECT_THAT(std::string(status.message()), HasSubstr("(invalid_grant): Token has been revoked."));
  EXPECT_THAT(std::string(status.message()), Not(HasSubstr("hidden")));
  for (const std::string body :
       {"<html>hidden</html>", "hidden", R"({"detail":"hidden"})", R"(["hidden"])",
        R"({"error":{"hidden":1}})", R"({"error":["hidden"]})", "{\"error\":\"hidden"}) {
    EXPECT_THAT(std::string(LoginAnswered(400, body).status().message()), Not(HasSubstr("hidden"))) << body;
  }
}

TEST(TokenEndpoint, WhatItEchoesIsNotRepeated) {
  const absl::Status status =
      Login([](int, const SeenHttp& request, httplib::Response& response) {
        Json(response, 400,
             json{{"error", request.body},
                  {"error_description", fmt::format("{} {}", kRefreshToken, kClientSecret)}}
                 .dump());
      }).status();
  EXPECT_THAT(std::string(status.message()), Not(HasSubstr("refresh/secret")));
  EXPECT_THAT(std::string(status.message()), Not(HasSubstr("refresh%2Fsecret")));
  EXPECT_THAT(std::string(status.message()), Not(HasSubstr(std::string(kClientSecret))));
  EXPECT_THAT(std::string(status.message()), Not(HasSubstr("in-the-query")));
}

TEST(TokenEndpoint, FieldsOfOddKindsEndNothing) {
  for (const std::string body :
       {R"({"error":"x","error_description":5})", R"({"error":{"message":7,"errors":[{"reason":[]}]}})",
        R"({"error":{"errors":[1]}})", R"({"error":{"errors":"x"}})", R"({"error":5})", R"({"error":null})",
        R"({"error":"a\u0000\u001b[31m\r\nb"})"}) {
    const absl::Status status = LoginAnswered(400, body).status();
    EXPECT_FALSE(status.ok()) << body;
    EXPECT_EQ(status.message().find('\x1b'), absl::string_view::npos) << body;
    EXPECT_EQ(status.message().find('\n'), absl::string_view::npos) << body;
  }
  const std::string deep(100'000, '[');
  EXPECT_FALSE(LoginAnswered(400, R"({"error":)" + deep).ok());
  EXPECT_FALSE(LoginAnswered(200, deep).ok());
}

TEST(TokenEndpoint, ATokenIsNoHeader) {
  for (const std::string token :
       {"tok\\r\\nX-Evil: 1", "tok\\nEvil: 1", "tok\\u0000", "tok en", "t\\u00f6k", ""}) {
    const auto got = LoginAnswered(200, fmt::format(R"({{"access_token":"{}","expires_in":3600}})", token));
    EXPECT_FALSE(got.ok()) << token;
    EXPECT_THAT(std::string(got.status().message()), Not(HasSubstr("Evil"))) << token;
  }
  EXPECT_FALSE(LoginAnswered(200, R"({"access_token":5})").ok());
  EXPECT_EQ(*LoginAnswered(200, R"({"access_token":"ya29.good-._~+/="})"), "ya29.good-._~+/=");
}

TEST(TokenEndpoint, LifetimesAreNotBelievedBeyondADay) {
  for (const std::string lifetime : {"9223372036854775807", "\"1e99\"", "-5", "1e300", "{}"}) {
    int asked = 0;
    FakeHttp server([&](int, const SeenHttp&, httplib::Response& response) {
      Json(response, 200, fmt::format(R"({{"access_token":"t{}","expires_in":{}}})", ++asked, lifetime));
    });
    FakeClock clock;
    const auto credentials = ParseCredentials(UserFile(server.url()).dump(), "f", Quick(&clock));
    ASSERT_TRUE(credentials.ok());
    EXPECT_EQ(*(*credentials)->Token(), "t1") << lifetime;
    clock.Advance(absl::Hours(24));
    EXPECT_EQ(*(*credentials)->Token(), "t2") << lifetime;
  }
}

TEST(TokenEndpoint, LongAnswersAndRedirectsAreRefused) {
  const std::string long_body = R"({"access_token":")" + std::string(3 << 20, 'a') + R"("})";
  EXPECT_EQ(LoginAnswered(200, long_body).status().code(), absl::StatusCode::kResourceExhausted);
  FakeHttp other([](int, const SeenHttp&, httplib::Response& response) {
    Json(response, 200, R"({"access_token":"from-elsewhere"})");
  });
  const auto moved = Login([&](int, const SeenHttp&, httplib::Response& response) {
    response.status = 307;
    response.set_header("Location", other.url());
  });
  EXPECT_FALSE(moved.ok());
  EXPECT_TRUE(other.Seen().empty());
}

TEST(TokenEndpoint, ASilentOneObeysAStop) {
  FakeHttp server([](int, const SeenHttp&, httplib::Response& response) {
    absl::SleepFor(absl::Seconds(3));
    Json(response, 200, "{}");
  });
  Cancellation cancellation;
  CredentialsOptions options = Quick(nullptr);
  options.clock = Clock::Real();
  options.cancellation = &cancellation;
  const auto credentials = ParseCredentials(UserFile(server.url()).dump(), "f", options);
  ASSERT_TRUE(credentials.ok());
  std::thread stopper([&] {
    while (server.Seen().empty()) absl::SleepFor(absl::Milliseconds(5));
    cancellation.Cancel();
  });
  EXPECT_EQ((*credentials)->Token().status().code(), absl::StatusCode::kCancelled);
  stopper.join();
}

// A credential file.

absl::Status Opened(const json& file, std::string universe = "") {
  FakeClock clock;
  CredentialsOptions options = Quick(&clock);
  options.environment = [universe](std::string_view name) -> std::optional<std::string> {
    if (name == "GOOGLE_CLOUD_UNIVERSE_DOMAIN" && !universe.empty()) return universe;
    return std::nullopt;
  };
  return ParseCredentials(file.dump(), "file.json", options).status();
}

json ExternalFile(json source) {
  return {{"type", "external_account"},
          {"audience", "//iam.googleapis.com/x"},
          {"subject_token_type", "urn:ietf:params:oauth:token-type:jwt"},
          {"token_url", "https://sts.googleapis.com/v1/token"},
          {"credential_source", std::move(source)}};
}

TEST(CredentialFile, SecretsGoToGoogleOrStayHere) {
  for (const std::string good :
       {"https://oauth2.googleapis.com/token", "https://sts.eu.rep.googleapis.com/v1/token",
        "http://127.0.0.1:9050/token", "http://localhost:9050/token"}) {
    EXPECT_TRUE(Opened(UserFile(good)).ok()) << good << ": " << Opened(UserFile(good));
  }
  for (const std::string bad :
       {"http://oauth2.googleapis.com/token", "https://evil.example/token",
        "https://googleapis.com.evil.example/token", "https://evilgoogleapis.com/token",
        "https://oauth2.googleapis.com@evil.example/", "file:///etc/passwd", "http://127.0.0.1.evil.example/",
        "http://localhost@evil.example/", "https://oauth2.googleapis.com\r\n/x"}) {
    const absl::Status status = Opened(UserFile(bad));
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << bad;
    EXPECT_THAT(std::string(status.message()), HasSubstr("token_uri")) << bad;
  }
  EXPECT_FALSE(Opened(UserFile("https://oauth2.apis.example/token")).ok());
  EXPECT_TRUE(Opened(UserFile("https://oauth2.apis.example/token"), "apis.example").ok());
}

TEST(CredentialFile, ExternalAddressesAreChecked) {
  EXPECT_TRUE(Opened(ExternalFile({{"url", "http://169.254.169.254/metadata/identity"}})).ok());
  EXPECT_TRUE(Opened(ExternalFile({{"url", "https://login.example/token"}})).ok());
  EXPECT_FALSE(Opened(ExternalFile({{"url", "http://login.example/token"}})).ok());
  EXPECT_FALSE(Opened(ExternalFile({{"url", "https://user@login.example/token"}})).ok());
  json aws = {
      {"environment_id", "aws1"},
      {"regional_cred_verification_url", "https://sts.{region}.amazonaws.com?Action=GetCallerIdentity"}};
  EXPECT_TRUE(Opened(ExternalFile(aws)).ok());
  for (const char* key : {"url", "region_url", "imdsv2_session_token_url"}) {
    json bad = aws;
    bad[key] = "http://evil.example/latest";
    EXPECT_THAT(std::string(Opened(ExternalFile(bad)).message()), HasSubstr(key));
  }
  json elsewhere = ExternalFile({{"file", "/var/run/token"}});
  elsewhere["token_url"] = "https://sts.evil.example/v1/token";
  EXPECT_THAT(std::string(Opened(elsewhere).message()), HasSubstr("token_url"));
  elsewhere = ExternalFile({{"file", "/var/run/token"}});
  elsewhere["service_account_impersonation_url"] = "https://evil.example/v1/x:generateAccessToken";
  EXPECT_THAT(std::string(Opened(elsewhere).message()), HasSubstr("service_account_impersonation_url"));
}

TEST(CredentialFile, HeadersAreOneLineEach) {
  const auto with = [](const json& headers) {
    return Opened(ExternalFile({{"url", "https://login.example/token"}, {"headers", headers}}));
  };
  EXPECT_TRUE(with({{"Metadata", "True"}, {"X_Other", "a b"}}).ok());
  for (const json& bad :
       {json{{"Metadata", "True\r\nX-Evil: 1"}}, json{{"X\r\nY", "1"}}, json{{"X: Y", "1"}}, json{{"", "1"}},
        json{{"X", 5}}, json{{"X", "a\nb"}}, json{{"X", std::string("a\0b", 3)}}}) {
    EXPECT_THAT(std::string(with(bad).message()), HasSubstr("credential_source.headers")) << bad.dump();
  }
}

TEST(HttpClient, SendsNoBrokenHeadersAndNoUserInformation) {
  FakeHttp server([](int, const SeenHttp&, httplib::Response& response) { Json(response, 200, "{}"); });
  HttpClient client;
  HttpRequest request;
  request.url = server.url();
  request.headers = {"X-Goog-User-Project: p\r\nX-Evil: secret"};
  const absl::Status broken = client.Send(request).status();
  EXPECT_EQ(broken.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(broken.message()), HasSubstr("header X-Goog-User-Project"));
  EXPECT_THAT(std::string(broken.message()), Not(HasSubstr("secret")));
  request.headers.clear();
  for (const std::string url : {"http://user:secret@127.0.0.1:1/", "http://remote.example/?key=secret",
                                "ftp://127.0.0.1/secret", "http://127.0.0.1:1/\r\nsecret"}) {
    request.url = url;
    const absl::Status refused = client.Send(request).status();
    EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument) << url;
    EXPECT_THAT(std::string(refused.message()), Not(HasSubstr("secret"))) << url;
  }
  EXPECT_TRUE(server.Seen().empty());
}

}  // namespace
}  // namespace hakobu
