#include "destination/proxy.h"

#include <gtest/gtest.h>

#include <map>

namespace hakobu {
namespace {

ReadVariable Of(std::map<std::string, std::string> values) {
  return [values = std::move(values)](std::string_view name) -> std::optional<std::string> {
    const auto found = values.find(std::string(name));
    return found == values.end() ? std::nullopt : std::optional(found->second);
  };
}

TEST(ProxyFor, ReadsTheKeyThenTheEnvironment) {
  const ReadVariable environment =
      Of({{"HTTPS_PROXY", "proxy:3128"}, {"NO_PROXY", "private.example, .corp.example"}});
  EXPECT_EQ(ProxyFor("bigquery.googleapis.com", "", environment), "http://proxy:3128");
  EXPECT_EQ(ProxyFor("bigquery.googleapis.com", "http://own:1", environment), "http://own:1");
  EXPECT_EQ(ProxyFor("bigquery.googleapis.com", "", Of({})), "");
  EXPECT_EQ(ProxyFor("h", "", Of({{"https_proxy", "http://lower:1"}, {"HTTPS_PROXY", "http://upper:1"}})),
            "http://lower:1");
}

TEST(ProxyFor, SomeHostsAreExcepted) {
  const ReadVariable environment = Of({{"NO_PROXY", "private.example, .corp.example,googleapis.com:443"}});
  for (const std::string_view host :
       {"private.example", "a.private.example", "corp.example", "x.corp.example", "bigquery.googleapis.com",
        "localhost", "127.0.0.1", "::1", "169.254.169.254", "metadata.google.internal"}) {
    EXPECT_EQ(ProxyFor(host, "http://p:1", environment), "") << host;
  }
  for (const std::string_view host : {"notprivate.example", "private.example.evil", "evilgoogleapis.com"}) {
    EXPECT_EQ(ProxyFor(host, "http://p:1", environment), "http://p:1") << host;
  }
  EXPECT_EQ(ProxyFor("any", "http://p:1", Of({{"no_proxy", "*"}})), "");
}

}  // namespace
}  // namespace hakobu
