// Where tokens come from: OAuth's token endpoint, the Security Token Service, impersonation. Answers have
// Google's shapes, errors too.
// Source: RFC 6749, 7523, 8693; https://docs.cloud.google.com/iam/docs/reference/sts/rest,
// https://docs.cloud.google.com/iam/docs/reference/credentials/rest
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <span>
#include <string>

#include "localbq/auth/authority.h"

namespace hakobu::localbq::auth {

struct TokenAnswer {
  int status = 200;
  nlohmann::json body;
};
using Form = std::map<std::string, std::string>;

// POST /token: a service account's JWT or a user's refresh token. `audiences`: what the JWT's `aud` may be.
TokenAnswer GrantToken(Authority& authority, const Form& form, std::span<const std::string> audiences);

// POST /v1/token: a token of somebody else's for one of a workload identity pool's.
TokenAnswer ExchangeToken(Authority& authority, const Form& form);

// POST /v1/projects/-/serviceAccounts/{account}:generateAccessToken.
TokenAnswer GenerateAccessToken(Authority& authority, const Caller& caller, const std::string& account,
                                const nlohmann::json& request);

// GET /tokeninfo?access_token=…
TokenAnswer TokenInfo(Authority& authority, const std::string& token);

// An access token as the metadata server and the token endpoint write it.
nlohmann::json NewToken(Authority& authority, const std::string& member, std::vector<std::string> scopes);

}  // namespace hakobu::localbq::auth
