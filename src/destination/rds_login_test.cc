#include "destination/rds_login.h"

#include <gtest/gtest.h>

#include "base/clock.h"
#include "destination/sigv4.h"

namespace hakobu {
namespace {

// As botocore's own test of generate_db_auth_token, its parameters in the order of their names.
TEST(RdsToken, IsWhatOthersSign) {
  const std::string token =
      RdsToken("prod-instance.us-east-1.rds.amazonaws.com", 3306, "someusername", "us-east-1",
               {.access_key_id = "akid", .secret_access_key = "skid", .session_token = ""},
               absl::FromCivil(absl::CivilSecond(2016, 11, 7, 17, 39, 33), absl::UTCTimeZone()));
  EXPECT_EQ(token,
            "prod-instance.us-east-1.rds.amazonaws.com:3306/?Action=connect&DBUser=someusername&"
            "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=akid%2F20161107%2Fus-east-1%2Frds-db%2F"
            "aws4_request&X-Amz-Date=20161107T173933Z&X-Amz-Expires=900&X-Amz-SignedHeaders=host&"
            "X-Amz-Signature=d1138cdbc0ca63eec012ec0fc6c2267e03642168f5884a7795320d4c18374c61");
}

TEST(RdsLogin, TheRegionIsInTheName) {
  EXPECT_EQ(RegionOfRdsHost("db.cluster-abc.ap-northeast-1.rds.amazonaws.com"), "ap-northeast-1");
  EXPECT_EQ(RegionOfRdsHost("proxy.proxy-abc.eu-west-1.rds.amazonaws.com.cn"), "eu-west-1");
  EXPECT_EQ(RegionOfRdsHost("db.internal"), "");
}

TEST(RdsLogin, EachTokenIsSignedAnewWithTheKeysOfNow) {
  FakeClock clock(absl::FromUnixSeconds(1'800'000'000));
  std::string key = "first";
  TokenSeam seam;
  seam.clock = &clock;
  seam.environment = [&](std::string_view name) -> std::optional<std::string> {
    if (name == "AWS_ACCESS_KEY_ID") return key;
    if (name == "AWS_SECRET_ACCESS_KEY") return "secret";
    if (name == "AWS_SESSION_TOKEN") return "a/b+c=";
    return std::nullopt;
  };
  const auto tokens =
      RdsTokens({.host = "db.eu-west-1.rds.amazonaws.com", .user = "hakobu", .region = ""}, seam);
  const auto first = tokens();
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_NE(first->find("first%2F20270115%2Feu-west-1%2Frds-db"), std::string::npos) << *first;
  EXPECT_NE(first->find("X-Amz-Security-Token=a%2Fb%2Bc%3D&"), std::string::npos) << *first;
  key = "second";
  clock.Advance(absl::Minutes(10));
  EXPECT_NE(tokens()->find("second%2F"), std::string::npos);
}

}  // namespace
}  // namespace hakobu
