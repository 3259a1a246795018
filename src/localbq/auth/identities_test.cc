// The file of identities: what is read, and every problem with its place.
#include "localbq/auth/identities.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hakobu::localbq::auth {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Identities, AreReadFromYaml) {
  const absl::StatusOr<Identities> read = ParseIdentities(R"(
service_accounts:
  Loader@p.iam.gserviceaccount.com:
    tokens: [t1]
    token_creators: ["user:ana@x.com"]
  other@p.iam.gserviceaccount.com:
users:
  ana@x.com: {tokens: t2, refresh_tokens: [r1]}
groups:
  team@x.com: ["user:ana@x.com", "group:more@x.com"]
projects:
  p:
    roles/owner: "user:ana@x.com"
    projects/p/roles/auditor: ["group:team@x.com"]
roles:
  projects/p/roles/auditor: [bigquery.tables.get]
federation:
  //iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/a/providers/aws:
    aws: {access_key_id: AK, secret_access_key: SK, arn: "arn:aws:sts::1:assumed-role/r/s"}
metadata: {account: loader@p.iam.gserviceaccount.com, project: p}
token_lifetime_seconds: 60
)",
                                                          "ids.yaml");
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->service_accounts.size(), 2u);
  EXPECT_THAT(read->service_accounts.at("loader@p.iam.gserviceaccount.com").tokens, ElementsAre("t1"));
  EXPECT_THAT(read->users.at("ana@x.com").tokens, ElementsAre("t2"));
  EXPECT_THAT(read->projects.at("p").at("roles/owner"), ElementsAre("user:ana@x.com"));
  EXPECT_EQ(read->federation.begin()->second.aws->access_key_id, "AK");
  EXPECT_EQ(read->metadata_account, "loader@p.iam.gserviceaccount.com");
  EXPECT_EQ(read->token_lifetime_seconds, 60);
}

TEST(Identities, EveryProblemIsToldWithItsPlace) {
  const absl::StatusOr<Identities> read = ParseIdentities(
      "service_accounts:\n"
      "  loader:\n"
      "  a@p.com: {public_key: none, colour: red}\n"
      "users: [ana]\n"
      "federation:\n"
      "  pool: {issuer: https://i}\n"
      "users: {}\n",
      "ids.yaml");
  const std::string text(read.status().message());
  EXPECT_THAT(text, HasSubstr("ids.yaml:2:3: service_accounts.loader: expected an e-mail address as the key, "
                              "found loader"));
  EXPECT_THAT(text, HasSubstr("ids.yaml:3:25: service_accounts.a@p.com.public_key: expected an RSA key or "
                              "certificate in PEM form"));
  EXPECT_THAT(text, HasSubstr("ids.yaml:3:39: service_accounts.a@p.com.colour: expected one of"));
  EXPECT_THAT(text, HasSubstr("ids.yaml:4:8: users: expected a mapping, found a list"));
  EXPECT_THAT(text, HasSubstr("ids.yaml:6:9: federation.pool: expected a provider's name as the key"));
  EXPECT_THAT(text, HasSubstr("ids.yaml:6:9: federation.pool: expected aws, or issuer and keys"));
  EXPECT_THAT(text, HasSubstr("ids.yaml:7:1: users: expected each key once, found it again"));
}

TEST(Identities, SecretsAreInNoProblem) {
  const absl::StatusOr<Identities> read =
      ParseIdentities("users:\n  a@x.com: {tokens: {secret-token: 1}, token: secret-token}\n", "ids.yaml");
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.status().message().find("secret-token"), absl::string_view::npos);
}

TEST(Identities, WhatIsNoYamlIsRefusedWithItsPlace) {
  EXPECT_THAT(std::string(ParseIdentities("a: [", "ids.yaml").status().message()),
              HasSubstr("ids.yaml:1:1: expected YAML or JSON"));
  EXPECT_THAT(std::string(ParseIdentities("just text", "ids.yaml").status().message()),
              HasSubstr("a mapping"));
  EXPECT_THAT(std::string(LoadIdentities("/no/such/file").status().message()),
              HasSubstr("--auth names the file"));
}

}  // namespace
}  // namespace hakobu::localbq::auth
