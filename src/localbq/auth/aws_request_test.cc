// A GetCallerIdentity request that was signed elsewhere (npm aws4 1.13.2, key and time fixed), and what must
// not pass for it.
#include "localbq/auth/aws_request.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace hakobu::localbq::auth {
namespace {

using nlohmann::json;
using testing::HasSubstr;

constexpr char kAudience[] =
    "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/aws";
constexpr char kAuthorization[] =
    "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260921/eu-west-1/sts/aws4_request, "
    "SignedHeaders=host;x-amz-date;x-amz-security-token;x-goog-cloud-target-resource, "
    "Signature=a7ef6329edd9b2c3d39a3d8e3facb45e9388c0f52714ec095d0371dbf73321f7";
const AwsRole kRole = {"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "session-token",
                       "arn:aws:sts::123456789012:assumed-role/hakobu/task"};
const absl::Time kSigned = absl::FromUnixSeconds(1'789'997'600);  // 2026-09-21T13:33:20Z

std::string Encoded(const json& request) {
  std::string text;
  for (const unsigned char c : request.dump()) text += fmt::format("%{:02X}", c);
  return text;
}

json Request(const std::string& header = "", const std::string& value = "") {
  json request = {{"url", "https://sts.eu-west-1.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15"},
                  {"method", "POST"},
                  {"headers", json::array()}};
  for (const auto& [name, text] : std::initializer_list<std::pair<std::string, std::string>>{
           {"Authorization", kAuthorization},
           {"host", "sts.eu-west-1.amazonaws.com"},
           {"x-amz-date", "20260921T133320Z"},
           {"x-amz-security-token", "session-token"},
           {"x-goog-cloud-target-resource", kAudience}}) {
    request["headers"].push_back({{"key", name}, {"value", name == header ? value : text}});
  }
  return request;
}

std::string Refusal(const json& request, const AwsRole& role = kRole, absl::Time now = kSigned) {
  return std::string(CheckCallerIdentityRequest(Encoded(request), kAudience, role, now).message());
}

TEST(AwsRequest, ASignedRequestIsTheRole) {
  EXPECT_EQ(Refusal(Request()), "");
  EXPECT_EQ(Refusal(Request(), kRole, kSigned + absl::Minutes(14)), "");
}

TEST(AwsRequest, WhatWasNotSignedSoIsRefused) {
  AwsRole other = kRole;
  other.secret_access_key = "another";
  EXPECT_THAT(Refusal(Request(), other), HasSubstr("the signature does not match"));
  other = kRole;
  other.access_key_id = "AKIDOTHER";
  EXPECT_THAT(Refusal(Request(), other), HasSubstr("the access key is not known"));
  EXPECT_THAT(Refusal(Request(), kRole, kSigned + absl::Minutes(16)), HasSubstr("has expired"));
  EXPECT_THAT(Refusal(Request("x-amz-date", "20260921T133321Z")), HasSubstr("the signature does not match"));
  EXPECT_THAT(Refusal(Request("x-amz-security-token", "other")), HasSubstr("session token"));
  EXPECT_THAT(Refusal(Request("x-goog-cloud-target-resource", "//elsewhere")), HasSubstr("the audience"));
  EXPECT_THAT(Refusal(Request("host", "sts.us-east-1.amazonaws.com")), HasSubstr("host header"));
  EXPECT_THAT(Refusal(Request("Authorization", "Basic x")), HasSubstr("Signature Version 4"));
  json request = Request();
  request["url"] = "https://evil.example.com?Action=GetCallerIdentity&Version=2011-06-15";
  EXPECT_THAT(Refusal(request), HasSubstr("not of AWS"));
  request["url"] = "https://sts.eu-west-1.amazonaws.com?Action=AssumeRole&Version=2011-06-15";
  EXPECT_THAT(Refusal(request), HasSubstr("Action=GetCallerIdentity"));
  request = Request();
  request["method"] = "GET";
  EXPECT_THAT(Refusal(request), HasSubstr("method POST"));
  EXPECT_THAT(std::string(CheckCallerIdentityRequest("not json", kAudience, kRole, kSigned).message()),
              HasSubstr("percent-encoded JSON"));
}

}  // namespace
}  // namespace hakobu::localbq::auth
