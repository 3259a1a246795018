#include "base/address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hakobu {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Address, IsReadInParts) {
  const auto address = ParseAddress("HTTPS://BigQuery.Googleapis.com:8443/path?q=1");
  ASSERT_TRUE(address.ok()) << address.status();
  EXPECT_EQ(address->Origin(), "https://bigquery.googleapis.com:8443");
  EXPECT_EQ(address->rest, "/path?q=1");
  EXPECT_EQ(ParseAddress("http://[::1]")->Origin(), "http://[::1]");
  EXPECT_EQ(ParseAddress("http://[::1]:9050/")->HostAndPort(80), "[::1]:9050");
  EXPECT_EQ(ParseAddress("https://h")->HostAndPort(443), "h:443");
}

TEST(Address, WhatIsNoneIsRefused) {
  for (const std::string_view bad : {"",
                                     "h",
                                     "://h",
                                     "https://",
                                     "https://:443",
                                     "https://user@h",
                                     "https://user:word@h/x",
                                     "https://good.example@evil.example",
                                     "https://h:0",
                                     "https://h:99999",
                                     "https://h:12x",
                                     "https://h h",
                                     "https://h\r\nX: y",
                                     "https://h/\nx",
                                     "https://h#f",
                                     "https://[::1",
                                     "https://[::1]x",
                                     "https://h\\@evil",
                                     "https://%41",
                                     "https://[g]"}) {
    EXPECT_FALSE(ParseAddress(bad).ok()) << bad;
  }
}

TEST(Address, PlainHttpStaysOnTheMachine) {
  for (const std::string_view good :
       {"https://h/x", "http://127.0.0.1:1/x", "http://localhost", "http://[::1]:1", "http://127.9.9.9"}) {
    EXPECT_TRUE(CheckAddress(good, "x", PlainHttp::kLoopback).ok()) << good;
  }
  for (const std::string_view bad :
       {"http://h", "ftp://127.0.0.1", "http://127.0.0.1.evil.example", "http://localhost.evil.example",
        "http://127.0.0.1@evil.example", "http://127.evil.example", "http://169.254.169.254",
        "file:///etc/passwd", "http://0x7f.1", "http://2130706433"}) {
    EXPECT_FALSE(CheckAddress(bad, "x", PlainHttp::kLoopback).ok()) << bad;
  }
  for (const std::string_view good : {"http://169.254.169.254/latest", "http://[fd00:ec2::254]/latest",
                                      "http://metadata.google.internal"}) {
    EXPECT_TRUE(CheckAddress(good, "x", PlainHttp::kLinkLocal).ok()) << good;
  }
  for (const std::string_view bad :
       {"http://169.254.evil.example", "http://metadata.google.internal.evil.example", "http://10.0.0.1"}) {
    EXPECT_FALSE(CheckAddress(bad, "x", PlainHttp::kLinkLocal).ok()) << bad;
  }
}

TEST(Address, MessagesHoldNoSecrets) {
  for (const std::string_view bad :
       {"http://h.example/path-secret?key=secret", "http://user:secret@h.example/"}) {
    const auto status = CheckAddress(bad, "token_url", PlainHttp::kLoopback).status();
    EXPECT_THAT(std::string(status.message()), Not(HasSubstr("secret")));
    EXPECT_THAT(std::string(status.message()), HasSubstr("token_url"));
  }
  EXPECT_EQ(OriginOf("https://h/secret?x=secret"), "https://h");
  EXPECT_EQ(OriginOf("https://u:secret@h"), "an address");
}

TEST(Address, GrpcHasTlsOrStaysOnTheMachine) {
  EXPECT_EQ(CheckGrpcAddress("127.0.0.1:9060", "x")->target, "127.0.0.1:9060");
  EXPECT_FALSE(CheckGrpcAddress("127.0.0.1:9060", "x")->tls);
  EXPECT_EQ(CheckGrpcAddress("localhost:9060", "x")->target, "localhost:9060");
  const auto regional = CheckGrpcAddress("https://bigquerystorage.europe-west3.rep.googleapis.com", "x");
  ASSERT_TRUE(regional.ok()) << regional.status();
  EXPECT_EQ(regional->target, "bigquerystorage.europe-west3.rep.googleapis.com:443");
  EXPECT_TRUE(regional->tls);
  for (const std::string_view bad :
       {"remote.example:9060", "10.0.0.1:9060", "http://remote.example:9060", "127.0.0.1", "https://h/path",
        "dns:///evil.example:1", "unix:/tmp/s", "127.0.0.1:1@evil.example:2", ""}) {
    EXPECT_FALSE(CheckGrpcAddress(bad, "destination.grpc_address").ok()) << bad;
  }
}

}  // namespace
}  // namespace hakobu
