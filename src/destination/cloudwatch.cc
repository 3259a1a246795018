#include "destination/cloudwatch.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/status.h"
#include "destination/aws_keys.h"

namespace hakobu {
namespace {

using nlohmann::json;

constexpr absl::Duration kBalanceTimeout = absl::Seconds(10);
constexpr absl::Duration kPeriod = absl::Minutes(1);
constexpr size_t kLongestBalance = 1 << 20;
constexpr std::string_view kAskBalance = "ask CloudWatch for BurstBalance";
// EC2's metadata; in a container the environment says where the task's keys are.
const AwsSource kInstanceRole = {"http://169.254.169.254/latest/meta-data/placement/availability-zone",
                                 "http://169.254.169.254/latest/meta-data/iam/security-credentials",
                                 "http://169.254.169.254/latest/api/token"};

std::string BalanceQuestion(const std::string& instance, absl::Time since, absl::Time until) {
  const json dimension = {{"Name", "DBInstanceIdentifier"}, {"Value", instance}};
  const json metric = {
      {"Namespace", "AWS/RDS"}, {"MetricName", "BurstBalance"}, {"Dimensions", json::array({dimension})}};
  const json query = {
      {"Id", "m1"},
      {"MetricStat", {{"Metric", metric}, {"Period", absl::ToInt64Seconds(kPeriod)}, {"Stat", "Minimum"}}},
      {"ReturnData", true}};
  const json body = {{"MetricDataQueries", json::array({query})},
                     {"StartTime", absl::ToUnixSeconds(since)},
                     {"EndTime", absl::ToUnixSeconds(until)},
                     {"ScanBy", "TimestampDescending"}};
  return body.dump();
}

absl::StatusOr<std::vector<MetricSample>> ParseBalance(const std::string& text) {
  const json answer = json::parse(text, nullptr, false);
  const auto wrong = [] {
    return absl::InternalError(
        fmt::format("{}: expected MetricDataResults with Timestamps and Values", kAskBalance));
  };
  if (!answer.is_object() || !answer.contains("MetricDataResults")) return wrong();
  std::vector<MetricSample> samples;
  for (const json& result : answer["MetricDataResults"]) {
    const json times = result.value("Timestamps", json::array());
    const json values = result.value("Values", json::array());
    if (!times.is_array() || !values.is_array() || times.size() != values.size()) return wrong();
    for (size_t i = 0; i < times.size(); ++i) {
      if (!times[i].is_number() || !values[i].is_number()) return wrong();
      const absl::Time at = absl::UnixEpoch() + absl::Seconds(times[i].get<double>());
      samples.push_back({at + kPeriod, values[i].get<double>()});
    }
  }
  std::sort(samples.begin(), samples.end(),
            [](const MetricSample& a, const MetricSample& b) { return a.at < b.at; });
  return samples;
}

}  // namespace

absl::StatusOr<std::vector<MetricSample>> CloudWatch::BurstBalance(absl::Time since) {
  HAKOBU_ASSIGN_OR_RETURN(const AwsKeys keys, FetchAwsKeys(kInstanceRole, seam_));
  std::string region = options_.region;
  if (region.empty()) {
    HAKOBU_ASSIGN_OR_RETURN(region, FetchAwsRegion(kInstanceRole, seam_));
  }
  std::string url = options_.endpoint;
  if (url.empty()) url = fmt::format("https://monitoring.{}.amazonaws.com", region);
  if (!url.ends_with('/')) url += '/';
  const absl::Time now = seam_.clock->Now();
  const std::string body = BalanceQuestion(options_.instance, since, now);
  HttpRequest request;
  request.method = "POST";
  request.url = url;
  request.body = body;
  request.timeout = kBalanceTimeout;
  request.longest_answer = kLongestBalance;
  const HeaderList headers = SignV4("POST", url, region, "monitoring", keys, now,
                                    {{"content-type", "application/x-amz-json-1.0"},
                                     {"x-amz-target", "GraniteServiceVersion20100801.GetMetricData"}},
                                    body);
  for (const auto& [name, value] : headers) {
    if (name != "host") request.headers.push_back(fmt::format("{}: {}", name, value));
  }
  HAKOBU_ASSIGN_OR_RETURN(const HttpResponse response, seam_.http->Send(request, seam_.cancellation));
  if (response.status == 200) return ParseBalance(response.body);
  // Its own name for the fault is all that is repeated: {"__type":"…#AccessDenied"}.
  const json fault = json::parse(response.body, nullptr, false);
  std::string name = fault.is_object() && fault.contains("__type") && fault["__type"].is_string()
                         ? fault["__type"].get<std::string>()
                         : "";
  name = name.substr(name.find('#') + 1);
  const bool plain = name.size() <= 60 && std::all_of(name.begin(), name.end(), [](unsigned char letter) {
                       return std::isalnum(letter) != 0;
                     });
  return WithHint(
      absl::UnavailableError(fmt::format("{}: HTTP {} {}", kAskBalance, response.status, plain ? name : "")),
      "it needs cloudwatch:GetMetricData, and the instance's region");
}

TokenSeam ProcessTokenSeam(Clock* clock, const Cancellation* cancel) {
  TokenSeam seam;
  seam.http = std::make_shared<HttpClient>("hakobu");
  seam.clock = clock;
  seam.cancellation = cancel;
  seam.environment = [](std::string_view name) -> std::optional<std::string> {
    const char* value = std::getenv(std::string(name).c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  };
  seam.container_endpoint = "http://169.254.170.2";
  return seam;
}

}  // namespace hakobu
