#include "destination/aws_keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/address.h"
#include "base/status.h"
#include "destination/json.h"

namespace hakobu {
namespace {

using nlohmann::json;

constexpr absl::Duration kLocalTimeout = absl::Seconds(10);

absl::StatusOr<AwsKeys> ParseKeys(std::string_view text, std::string_view what) {
  const json answer = json::parse(text, nullptr, /*allow_exceptions=*/false);
  AwsKeys keys{TextAt(answer, "AccessKeyId"), TextAt(answer, "SecretAccessKey"), TextAt(answer, "Token")};
  if (keys.access_key_id.empty() || keys.secret_access_key.empty()) {
    return absl::InternalError(fmt::format("{}: expected AccessKeyId and SecretAccessKey", what));
  }
  return keys;
}

absl::StatusOr<std::string> Get(const TokenSeam& seam, const std::string& url,
                                std::vector<std::string> headers, std::string_view what) {
  HttpRequest request;
  request.url = url;
  request.headers = std::move(headers);
  request.timeout = kLocalTimeout;
  HAKOBU_ASSIGN_OR_RETURN(HttpResponse response, seam.Fetch(request, what));
  return std::move(response.body);
}

// The file is renewed while a pod runs: read each time, and before the variable.
absl::StatusOr<std::string> ContainerToken(const TokenSeam& seam) {
  std::string token = seam.environment("AWS_CONTAINER_AUTHORIZATION_TOKEN").value_or("");
  if (const auto path = seam.environment("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")) {
    std::ifstream file(*path);
    std::stringstream text;
    if (!file || !(text << file.rdbuf())) {
      return absl::NotFoundError(fmt::format("read {} (AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE)", *path));
    }
    token = text.str();
    while (!token.empty() && (token.back() == '\n' || token.back() == '\r')) token.pop_back();
  }
  if (token.find_first_of("\r\n") != std::string::npos) {
    return absl::InvalidArgumentError("AWS_CONTAINER_AUTHORIZATION_TOKEN holds a line break");
  }
  return token;
}

// Plain http is only for the addresses that do not leave the machine [AWS SDKs reference: container
// credentials].
absl::Status CheckFullUri(std::string_view url) {
  return CheckAddress(url, "AWS_CONTAINER_CREDENTIALS_FULL_URI", PlainHttp::kLinkLocal).status();
}

absl::StatusOr<AwsKeys> FetchContainerKeys(const std::string& url, const TokenSeam& seam) {
  constexpr std::string_view kWhat = "ask the container's credential endpoint";
  HAKOBU_RETURN_IF_ERROR(CheckFullUri(url));
  HAKOBU_ASSIGN_OR_RETURN(const std::string token, ContainerToken(seam));
  std::vector<std::string> headers;
  if (!token.empty()) headers.push_back("Authorization: " + token);
  HAKOBU_ASSIGN_OR_RETURN(const std::string body, Get(seam, url, std::move(headers), kWhat));
  return ParseKeys(body, kWhat);
}

absl::StatusOr<std::vector<std::string>> ImdsHeaders(const AwsSource& source, const TokenSeam& seam) {
  if (source.imdsv2_session_token_url.empty()) return std::vector<std::string>();
  HttpRequest request;
  request.method = "PUT";
  request.url = source.imdsv2_session_token_url;
  request.headers = {"X-aws-ec2-metadata-token-ttl-seconds: 300"};
  request.timeout = kLocalTimeout;
  HAKOBU_ASSIGN_OR_RETURN(const HttpResponse response,
                          seam.Fetch(request, "ask EC2's metadata for a session"));
  return std::vector<std::string>{"X-aws-ec2-metadata-token: " + response.body};
}

absl::StatusOr<AwsKeys> FetchImdsKeys(const AwsSource& source, const TokenSeam& seam) {
  constexpr std::string_view kWhat = "ask EC2's metadata for the role's keys";
  HAKOBU_ASSIGN_OR_RETURN(const std::vector<std::string> headers, ImdsHeaders(source, seam));
  HAKOBU_ASSIGN_OR_RETURN(const std::string role, Get(seam, source.keys_url, headers, kWhat));
  HAKOBU_ASSIGN_OR_RETURN(const std::string body, Get(seam, source.keys_url + "/" + role, headers, kWhat));
  return ParseKeys(body, kWhat);
}

}  // namespace

absl::StatusOr<AwsKeys> FetchAwsKeys(const AwsSource& source, const TokenSeam& seam) {
  const auto id = seam.environment("AWS_ACCESS_KEY_ID");
  const auto secret = seam.environment("AWS_SECRET_ACCESS_KEY");
  if (id && secret) return AwsKeys{*id, *secret, seam.environment("AWS_SESSION_TOKEN").value_or("")};
  if (const auto path = seam.environment("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")) {
    return FetchContainerKeys(seam.container_endpoint + *path, seam);
  }
  if (const auto url = seam.environment("AWS_CONTAINER_CREDENTIALS_FULL_URI"))
    return FetchContainerKeys(*url, seam);
  constexpr std::string_view kHint =
      "looked for AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, the container's role (ECS task role), and "
      "EC2's "
      "instance role";
  if (source.keys_url.empty()) return WithHint(absl::NotFoundError("find AWS keys: found none"), kHint);
  absl::StatusOr<AwsKeys> keys = FetchImdsKeys(source, seam);
  if (!keys.ok()) return WithHint(keys.status(), kHint);
  return keys;
}

// It becomes a part of a host's name.
absl::StatusOr<std::string> CheckedRegion(std::string region, std::string_view what) {
  const bool good =
      !region.empty() && region.size() <= 60 && std::all_of(region.begin(), region.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
      });
  if (good) return region;
  return absl::InvalidArgumentError(fmt::format("{}: expected an AWS region, found something else", what));
}

absl::StatusOr<std::string> FetchAwsRegion(const AwsSource& source, const TokenSeam& seam) {
  for (const std::string_view name : {"AWS_REGION", "AWS_DEFAULT_REGION"}) {
    if (const auto region = seam.environment(name)) return CheckedRegion(*region, name);
  }
  if (source.region_url.empty()) {
    return WithHint(absl::NotFoundError("find the AWS region: found none"), "set AWS_REGION");
  }
  constexpr std::string_view kWhat = "ask EC2's metadata for the region";
  HAKOBU_ASSIGN_OR_RETURN(const std::vector<std::string> headers, ImdsHeaders(source, seam));
  HAKOBU_ASSIGN_OR_RETURN(std::string zone, Get(seam, source.region_url, headers, kWhat));
  if (!zone.empty() && zone.back() >= 'a' && zone.back() <= 'z') zone.pop_back();  // ap-northeast-1a
  return CheckedRegion(std::move(zone), kWhat);
}

}  // namespace hakobu
