// What a signature vouches for, and for how long.
#include "localbq/auth/jwt.h"

#include <gtest/gtest.h>

#include "absl/strings/escaping.h"

namespace hakobu::localbq::auth {
namespace {

using nlohmann::json;

const absl::Time kNow = absl::FromUnixSeconds(1'790'000'000);

json Claims(int64_t issued, int64_t expires) {
  return {{"iss", "a@p.iam.gserviceaccount.com"},
          {"iat", 1'790'000'000 + issued},
          {"exp", 1'790'000'000 + expires}};
}

class JwtTest : public testing::Test {
 protected:
  static const RsaKey& Key() {
    static const RsaKey key = MakeRsaKey();
    return key;
  }
  static std::string Signed(const json& claims = Claims(0, 3600), const json& header = {{"alg", "RS256"}}) {
    return SignJwt(header, claims, Key());
  }
};

TEST_F(JwtTest, ItsOwnKeyVerifiesAndNoOther) {
  const absl::StatusOr<Jwt> jwt = ParseJwt(Signed());
  ASSERT_TRUE(jwt.ok()) << jwt.status();
  const std::vector<VerifyKey> own = {{"", Key()}}, other = {{"", MakeRsaKey()}};
  EXPECT_TRUE(IsSignedBy(*jwt, own));
  EXPECT_FALSE(IsSignedBy(*jwt, other));
  EXPECT_FALSE(IsSignedBy(*jwt, {}));
  EXPECT_EQ(jwt->claims["iss"], "a@p.iam.gserviceaccount.com");
}

TEST_F(JwtTest, AChangedLetterOrAlgorithmIsForged) {
  const std::vector<VerifyKey> keys = {{"k", Key()}};
  const std::string good = Signed();
  const size_t first = good.find('.'), second = good.rfind('.');
  const std::string other = Signed(Claims(0, 3599));
  const std::string swapped =
      good.substr(0, first) + other.substr(first, other.rfind('.') - first) + good.substr(second);
  EXPECT_FALSE(IsSignedBy(*ParseJwt(swapped), keys));
  EXPECT_FALSE(IsSignedBy(*ParseJwt(Signed(Claims(0, 3600), {{"alg", "none"}})), keys));
  EXPECT_FALSE(IsSignedBy(*ParseJwt(Signed(Claims(0, 3600), {{"alg", "HS256"}})), keys));
  EXPECT_FALSE(IsSignedBy(*ParseJwt(good.substr(0, second) + "."), keys));
  EXPECT_TRUE(IsSignedBy(*ParseJwt(Signed(Claims(0, 3600), {{"alg", "RS256"}, {"kid", "k"}})), keys));
  EXPECT_FALSE(IsSignedBy(*ParseJwt(Signed(Claims(0, 3600), {{"alg", "RS256"}, {"kid", "l"}})), keys));
}

TEST_F(JwtTest, WhatIsNoJwtIsRefused) {
  for (const char* text : {"", "a", "a.b", "e30.e30", "e30.!!.e30", "W10.e30.e30", "e30.bm8.e30"})
    EXPECT_FALSE(ParseJwt(text).ok()) << text;
}

TEST_F(JwtTest, TimeIsUpAfterAnHourAndClocksMayDifferALittle) {
  const auto timely = [](const json& claims, absl::Duration longest = absl::Hours(1)) {
    return IsTimely(*ParseJwt(Signed(claims)), kNow, longest);
  };
  EXPECT_TRUE(timely(Claims(0, 3600)));
  EXPECT_TRUE(timely(Claims(-3590, 10)));
  EXPECT_TRUE(timely(Claims(200, 3700)));
  EXPECT_FALSE(timely(Claims(-3600, 0)));
  EXPECT_FALSE(timely(Claims(-7200, -3600)));
  EXPECT_FALSE(timely(Claims(400, 3600)));
  EXPECT_FALSE(timely(Claims(0, 4000)));
  EXPECT_FALSE(timely(Claims(100, 50)));
  EXPECT_FALSE(timely({{"exp", 1'790'000'100}}));
  EXPECT_FALSE(timely({{"iat", 1'790'000'000}, {"exp", "soon"}}));
  EXPECT_TRUE(timely(Claims(0, 86'400), absl::Hours(24)));
}

TEST_F(JwtTest, KeysAreReadFromPemAndJwk) {
  EXPECT_TRUE(ReadRsaKey(PrivatePem(Key())).ok());
  EXPECT_FALSE(ReadRsaKey("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n").ok());
  EXPECT_FALSE(ReadRsaKey("").ok());
  // RFC 7515, A.2: a key and what it has signed.
  const absl::StatusOr<RsaKey> key = RsaKeyFromJwk(
      "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yR"
      "T-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBd"
      "QOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGN"
      "j8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ",
      "AQAB");
  ASSERT_TRUE(key.ok()) << key.status();
  const absl::StatusOr<Jwt> jwt = ParseJwt(
      "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19"
      "yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_"
      "O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L"
      "07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np"
      "6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw");
  ASSERT_TRUE(jwt.ok());
  const std::vector<VerifyKey> keys = {{"", *key}};
  EXPECT_TRUE(IsSignedBy(*jwt, keys));
  EXPECT_FALSE(RsaKeyFromJwk("", "AQAB").ok());
  EXPECT_FALSE(RsaKeyFromJwk("!!", "AQAB").ok());
}

}  // namespace
}  // namespace hakobu::localbq::auth
