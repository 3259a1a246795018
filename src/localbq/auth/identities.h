// Who there is, from the file that --auth names: service accounts with their keys, users, groups, what they
// may do in projects, whom other clouds' tokens stand for.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "localbq/auth/aws_request.h"
#include "localbq/auth/jwt.h"
#include "localbq/auth/permissions.h"

namespace hakobu::localbq::auth {

struct ServiceAccount {
  std::vector<VerifyKey> keys;
  std::vector<std::string> tokens;          // bearer tokens as they stand, that never expire
  std::vector<std::string> token_creators;  // members who may act as this account
  RsaKey own_key;                           // made by the server, for accounts without any key; may be null
  std::string own_key_id;
};

struct User {
  std::vector<std::string> tokens;
  std::vector<std::string> refresh_tokens;
};

// A workload identity pool's provider: what it is trusted to sign.
struct Provider {
  std::optional<AwsRole> aws;
  std::string issuer;                  // of JWTs
  std::vector<std::string> audiences;  // a JWT's `aud`; empty: the provider's own name
  std::vector<VerifyKey> keys;
  std::string principal;  // empty: principal://iam.googleapis.com/…/subject/<the token's subject>
};

struct Identities {
  std::map<std::string, ServiceAccount, std::less<>> service_accounts;  // by e-mail, lower case, as all are
  std::map<std::string, User, std::less<>> users;
  std::map<std::string, std::vector<std::string>, std::less<>> groups;  // members
  // project -> role -> members
  std::map<std::string, std::map<std::string, std::vector<std::string>>, std::less<>> projects;
  CustomRoles roles;
  std::map<std::string, Provider, std::less<>> federation;  // by audience: "//iam.googleapis.com/…"
  std::string metadata_account, metadata_project;           // empty: no metadata server
  std::string client_id = "local-client", client_secret = "local-secret";  // of users' refresh tokens
  int token_lifetime_seconds = 3600;
};

// YAML or JSON. InvalidArgument with every problem, one to a line: `FILE:LINE:COLUMN: KEY: expected …, found
// …`. Files that it names are read; relative paths start from the file's folder.
absl::StatusOr<Identities> ParseIdentities(std::string_view text, const std::string& path);
absl::StatusOr<Identities> LoadIdentities(const std::string& path);

}  // namespace hakobu::localbq::auth
