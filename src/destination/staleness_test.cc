#include "destination/staleness.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "destination/fake_http.h"

namespace hakobu {
namespace {

using ::testing::HasSubstr;

TEST(Interval, IsReadAsItIsWritten) {
  for (const absl::Duration duration :
       {absl::Seconds(1), absl::Minutes(10), absl::Hours(25), absl::Seconds(3725)}) {
    const std::string text = IntervalText(duration);
    EXPECT_EQ(*ParseInterval(text), duration);
    EXPECT_EQ(*ParseInterval("INTERVAL \"" + text + "\" YEAR TO SECOND"), duration);
    EXPECT_EQ(*ParseInterval("INTERVAL '" + text + "' YEAR TO SECOND"), duration);
  }
  EXPECT_EQ(*ParseInterval("0-0 1 0:0:0"), absl::Hours(24));
  for (const std::string_view bad : {"", "NULL", "0-0 0 0:10", "0-0 0 0:10:0 x", "INTERVAL '"}) {
    EXPECT_FALSE(ParseInterval(bad).ok()) << bad;
  }
}

// A service whose table has `kept` after whatever DDL.
absl::Status Set(absl::Duration staleness, const std::string& kept, std::vector<std::string>* queries) {
  FakeHttp server([&](int, const SeenHttp& request, httplib::Response& response) {
    if (request.method == "POST") {
      queries->push_back(
          nlohmann::json::parse(request.body)["configuration"]["query"]["query"].get<std::string>());
      return Json(response, 200, R"({"jobReference":{"jobId":"q"},"status":{"state":"DONE"}})");
    }
    const bool asks = queries->back().starts_with("SELECT") && !kept.empty();
    Json(response, 200,
         asks ? R"({"jobComplete":true,"rows":[{"f":[{"v":")" + kept + R"("}]}]})"
              : R"({"jobComplete":true})");
  });
  FakeClock clock;
  RestOptions options;
  options.endpoint.rest = server.url();
  options.context.clock = &clock;
  Rest rest(options);
  return SetMaxStaleness(rest, {"p", "US"}, {"p", "d", "t"}, staleness);
}

TEST(MaxStaleness, IsSetByDdlAndReadBack) {
  std::vector<std::string> queries;
  EXPECT_TRUE(Set(absl::Minutes(15), "INTERVAL '0-0 0 0:15:0' YEAR TO SECOND", &queries).ok());
  ASSERT_EQ(queries.size(), 2u);
  EXPECT_EQ(queries[0],
            "ALTER TABLE `p.d.t` SET OPTIONS (max_staleness = INTERVAL '0-0 0 0:15:0' YEAR TO SECOND)");
  EXPECT_THAT(queries[1], HasSubstr("`p.d`.INFORMATION_SCHEMA.TABLE_OPTIONS"));
}

TEST(MaxStaleness, WhatWasNotKeptIsAnError) {
  std::vector<std::string> queries;
  EXPECT_FALSE(Set(absl::Minutes(15), "", &queries).ok());
  EXPECT_FALSE(Set(absl::Minutes(15), "0-0 0 0:10:0", &queries).ok());
}

TEST(MaxStaleness, BothWaysOfOffAreOff) {
  std::vector<std::string> queries;
  EXPECT_TRUE(Set(absl::ZeroDuration(), "", &queries).ok());
  EXPECT_TRUE(Set(absl::ZeroDuration(), "0-0 0 0:0:0", &queries).ok());
  EXPECT_THAT(queries[0], HasSubstr("max_staleness = NULL"));
}

}  // namespace
}  // namespace hakobu
