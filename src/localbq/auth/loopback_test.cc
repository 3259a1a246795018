#include "localbq/auth/loopback.h"

#include <gtest/gtest.h>

namespace hakobu::localbq::auth {
namespace {

TEST(Loopback, OnlyThisMachineIsMeant) {
  for (const char* host :
       {"localhost", "LOCALHOST", "localhost.", "a.localhost", "127.0.0.1", "127.9.9.9", "::1", "[::1]"})
    EXPECT_TRUE(IsLoopback(host)) << host;
  for (const char* host :
       {"", "evil.com", "127.0.0.1.evil.com", "localhost.evil.com", "notlocalhost", "10.0.0.1", "0.0.0.0",
        "::", "[::ffff:8.8.8.8]", "128.0.0.1", "127.1", "2130706433"})
    EXPECT_FALSE(IsLoopback(host)) << host;
}

TEST(Loopback, HostsAreCutFromTheirPorts) {
  EXPECT_EQ(HostOf("127.0.0.1:9050"), "127.0.0.1");
  EXPECT_EQ(HostOf("[::1]:9050"), "[::1]");
  EXPECT_EQ(HostOf("localhost"), "localhost");
}

TEST(Loopback, UrlsAreReadAsAWhole) {
  EXPECT_TRUE(IsLoopbackUrl("http://127.0.0.1:1/x"));
  EXPECT_TRUE(IsLoopbackUrl("https://localhost"));
  for (const char* url :
       {"http://127.0.0.1@evil.com", "http://evil.com/http://127.0.0.1", "ftp://127.0.0.1", "null",
        "http://127.0.0.1.evil.com/", "http://127.0.0.1:80@evil.com/", "http://evil.com\\@127.0.0.1"})
    EXPECT_FALSE(IsLoopbackUrl(url)) << url;
}

TEST(Loopback, AudiencesAreExactHosts) {
  EXPECT_TRUE(IsOnHost("https://bigquery.googleapis.com/", "bigquery.googleapis.com"));
  EXPECT_TRUE(
      IsOnHost("https://bigquerystorage.googleapis.com/google.cloud.bigquery.storage.v1.BigQueryWrite",
               "bigquerystorage.googleapis.com"));
  for (const char* url :
       {"https://bigquery.googleapis.com.evil.com/", "https://bigquery.googleapis.com@evil.com/",
        "https://bigquery.googleapis.comx", "http://bigquery.googleapis.com/", "bigquery.googleapis.com"})
    EXPECT_FALSE(IsOnHost(url, "bigquery.googleapis.com")) << url;
}

}  // namespace
}  // namespace hakobu::localbq::auth
