#include "localbq/auth/token_service.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "absl/strings/ascii.h"
#include "base/status.h"
#include "localbq/catalog/json_field.h"

namespace hakobu::localbq::auth {
namespace {

using nlohmann::json;

constexpr char kCloudPlatform[] = "https://www.googleapis.com/auth/cloud-platform";
// Identity tokens of other issuers may live longer than Google's own assertions.
constexpr absl::Duration kLongestSubjectToken = absl::Hours(24);

TokenAnswer OAuthError(std::string_view error, std::string_view description, int status = 400) {
  return {status, {{"error", error}, {"error_description", description}}};
}

std::string At(const Form& form, const char* key) {
  const auto found = form.find(key);
  return found == form.end() ? std::string() : found->second;
}

std::vector<std::string> Words(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

TokenAnswer FromAssertion(Authority& authority, const std::string& assertion,
                          std::span<const std::string> audiences) {
  const absl::StatusOr<Jwt> jwt = ParseJwt(assertion);
  if (!jwt.ok()) return OAuthError("invalid_request", "Bad Request");
  const std::string issuer = absl::AsciiStrToLower(TextField(jwt->claims, "iss"));
  const auto account = authority.identities().service_accounts.find(issuer);
  if (account == authority.identities().service_accounts.end())
    return OAuthError("invalid_grant", "Invalid grant: account not found");
  if (!IsSignedBy(*jwt, account->second.keys)) return OAuthError("invalid_grant", "Invalid JWT Signature.");
  if (!IsTimely(*jwt, authority.Now())) {
    return OAuthError("invalid_grant",
                      "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable "
                      "timeframe. Check your iat and exp values in the JWT claim.");
  }
  const std::string audience = TextField(jwt->claims, "aud");
  if (std::ranges::find(audiences, audience) == audiences.end()) {
    return OAuthError("invalid_grant",
                      fmt::format("Invalid JWT: Failed audience check. The right audience is {}",
                                  audiences.empty() ? "" : audiences.front()));
  }
  const std::vector<std::string> scopes = Words(TextField(jwt->claims, "scope"));
  if (scopes.empty())
    return OAuthError("invalid_scope", "Invalid OAuth scope or ID token audience provided.");
  if (const std::string subject = TextField(jwt->claims, "sub");
      !subject.empty() && absl::AsciiStrToLower(subject) != issuer) {
    return OAuthError("unauthorized_client",
                      "Client is unauthorized to retrieve access tokens using this method, or client not "
                      "authorized for any of the scopes requested.",
                      401);
  }
  return {200, NewToken(authority, "serviceAccount:" + issuer, scopes)};
}

TokenAnswer FromRefreshToken(Authority& authority, const Form& form) {
  const Identities& identities = authority.identities();
  if (At(form, "client_id") != identities.client_id)
    return OAuthError("invalid_client", "The OAuth client was not found.", 401);
  if (At(form, "client_secret") != identities.client_secret)
    return OAuthError("invalid_client", "Unauthorized", 401);
  const std::string token = At(form, "refresh_token");
  for (const auto& [email, user] : identities.users) {
    if (std::ranges::find(user.refresh_tokens, token) == user.refresh_tokens.end()) continue;
    std::vector<std::string> scopes = Words(At(form, "scope"));
    if (scopes.empty()) scopes = {kCloudPlatform, "https://www.googleapis.com/auth/userinfo.email"};
    json answer = NewToken(authority, "user:" + email, scopes);
    std::string all;
    for (const std::string& scope : scopes) all += (all.empty() ? "" : " ") + scope;
    answer["scope"] = all;
    return {200, std::move(answer)};
  }
  return OAuthError("invalid_grant", token.empty() ? "Bad Request" : "Token has been expired or revoked.");
}

struct SubjectIs {
  std::string name;  // what stands behind /subject/
};

// The JWT's subject when the provider may vouch for it.
absl::StatusOr<SubjectIs> JwtSubject(const Authority& authority, const std::string& audience,
                                     const Provider& provider, const std::string& token) {
  HAKOBU_ASSIGN_OR_RETURN(const Jwt jwt, ParseJwt(token));
  if (TextField(jwt.claims, "iss") != provider.issuer) {
    return absl::InvalidArgumentError(fmt::format(
        "The issuer in ID Token {} does not match the expected ones.", TextField(jwt.claims, "iss")));
  }
  if (!IsSignedBy(jwt, provider.keys))
    return absl::InvalidArgumentError("The ID Token's signature is invalid.");
  if (!IsTimely(jwt, authority.Now(), kLongestSubjectToken))
    return absl::InvalidArgumentError("ID Token is stale to sign-in.");
  std::vector<std::string> allowed = provider.audiences;
  if (allowed.empty()) allowed = {audience, "https:" + audience};
  const json given = jwt.claims.value("aud", json());
  const auto is_allowed = [&](const json& one) {
    return one.is_string() && std::ranges::find(allowed, one.get<std::string>()) != allowed.end();
  };
  if (!(given.is_array() ? std::ranges::any_of(given, is_allowed) : is_allowed(given)))
    return absl::InvalidArgumentError("The audience in ID Token does not match the expected audience.");
  const std::string subject = TextField(jwt.claims, "sub");
  if (subject.empty()) return absl::InvalidArgumentError("The mapped attribute 'google.subject' is empty.");
  return SubjectIs{subject};
}

absl::StatusOr<SubjectIs> SubjectOfToken(const Authority& authority, const std::string& audience,
                                         const Provider& provider, const Form& form) {
  const std::string type = At(form, "subject_token_type"), token = At(form, "subject_token");
  if (type == "urn:ietf:params:aws:token-type:aws4_request") {
    if (!provider.aws) return absl::InvalidArgumentError("The provider is not one of AWS.");
    HAKOBU_RETURN_IF_ERROR(CheckCallerIdentityRequest(token, audience, *provider.aws, authority.Now()));
    return SubjectIs{provider.aws->arn};
  }
  if (type == "urn:ietf:params:oauth:token-type:jwt" || type == "urn:ietf:params:oauth:token-type:id_token")
    return JwtSubject(authority, audience, provider, token);
  return absl::InvalidArgumentError(fmt::format("Invalid subject token type: {}", type));
}

}  // namespace

json NewToken(Authority& authority, const std::string& member, std::vector<std::string> scopes) {
  const int lifetime = authority.identities().token_lifetime_seconds;
  const absl::Time now = authority.Now();
  const std::string token = authority.tokens().Mint(
      {.member = member, .scopes = std::move(scopes), .expires = now + absl::Seconds(lifetime)}, now);
  return {{"access_token", token}, {"expires_in", std::max(1, lifetime - 1)}, {"token_type", "Bearer"}};
}

TokenAnswer GrantToken(Authority& authority, const Form& form, std::span<const std::string> audiences) {
  const std::string type = At(form, "grant_type");
  if (type == "urn:ietf:params:oauth:grant-type:jwt-bearer")
    return FromAssertion(authority, At(form, "assertion"), audiences);
  if (type == "refresh_token") return FromRefreshToken(authority, form);
  return OAuthError("unsupported_grant_type", fmt::format("Invalid grant_type: {}", type));
}

TokenAnswer ExchangeToken(Authority& authority, const Form& form) {
  if (At(form, "grant_type") != "urn:ietf:params:oauth:grant-type:token-exchange")
    return OAuthError("unsupported_grant_type",
                      fmt::format("Invalid grant_type: {}", At(form, "grant_type")));
  if (At(form, "requested_token_type") != "urn:ietf:params:oauth:token-type:access_token")
    return OAuthError("invalid_request", "Invalid value for \"requested_token_type\".");
  const std::string audience = At(form, "audience");
  const auto provider = authority.identities().federation.find(audience);
  if (provider == authority.identities().federation.end()) {
    return OAuthError("invalid_target",
                      "The target service indicated by the \"audience\" parameters is invalid. This might "
                      "either be because the pool or provider is disabled or deleted or because it doesn't "
                      "exist.");
  }
  std::vector<std::string> scopes = Words(At(form, "scope"));
  if (scopes.empty()) return OAuthError("invalid_scope", "Missing required parameter: scope");
  const absl::StatusOr<SubjectIs> subject = SubjectOfToken(authority, audience, provider->second, form);
  if (!subject.ok()) return OAuthError("invalid_grant", View(subject.status().message()));
  std::string principal = provider->second.principal;
  if (principal.empty()) {
    principal = fmt::format("principal:{}/subject/{}", audience.substr(0, audience.find("/providers/")),
                            subject->name);
  }
  json answer = NewToken(authority, principal, std::move(scopes));
  answer["issued_token_type"] = "urn:ietf:params:oauth:token-type:access_token";
  return {200, std::move(answer)};
}

TokenAnswer GenerateAccessToken(Authority& authority, const Caller& caller, const std::string& account,
                                const json& request) {
  const auto failed = [](int code, std::string_view status, std::string_view message) {
    return TokenAnswer{code, {{"error", {{"code", code}, {"message", message}, {"status", status}}}}};
  };
  const std::vector<std::string> scopes = [&] {
    std::vector<std::string> texts;
    const json given = request.value("scope", json::array());
    for (const json& scope : given) {
      if (scope.is_string()) texts.push_back(scope);
    }
    return texts;
  }();
  if (scopes.empty()) return failed(400, "INVALID_ARGUMENT", "Scope required.");
  int64_t seconds = authority.identities().token_lifetime_seconds;
  if (const std::string lifetime = TextField(request, "lifetime"); !lifetime.empty()) {
    seconds = std::atoll(lifetime.c_str());
    if (seconds <= 0 || seconds > 3600 || !lifetime.ends_with('s')) {
      return failed(400, "INVALID_ARGUMENT",
                    "The access token lifetime cannot exceed 3600s; give it as \"3600s\".");
    }
  }
  std::vector<std::string> chain;  // each may act as the next
  for (const json& delegate : request.value("delegates", json::array())) {
    const std::string name = delegate.is_string() ? delegate.get<std::string>() : "";
    chain.push_back(absl::AsciiStrToLower(name.substr(name.rfind('/') + 1)));
  }
  chain.push_back(absl::AsciiStrToLower(account));
  std::string member = caller.member;
  for (const std::string& next : chain) {
    if (!authority.MayImpersonate(member, next)) {
      TokenAnswer denied =
          failed(403, "PERMISSION_DENIED",
                 "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).");
      denied.body["error"]["details"] =
          json::array({{{"@type", "type.googleapis.com/google.rpc.ErrorInfo"},
                        {"reason", "IAM_PERMISSION_DENIED"},
                        {"domain", "iam.googleapis.com"},
                        {"metadata", {{"permission", "iam.serviceAccounts.getAccessToken"}}}}});
      return denied;
    }
    member = "serviceAccount:" + next;
  }
  const absl::Time now = authority.Now(), expires = now + absl::Seconds(seconds);
  const std::string token =
      authority.tokens().Mint({.member = member, .scopes = scopes, .expires = expires}, now);
  return {200,
          {{"accessToken", token},
           {"expireTime", absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", expires, absl::UTCTimeZone())}}};
}

TokenAnswer TokenInfo(Authority& authority, const std::string& token) {
  const std::optional<AccessToken> found = authority.tokens().Find(token, authority.Now());
  if (!found) return OAuthError("invalid_token", "Invalid Value");
  std::string scopes;
  for (const std::string& scope : found->scopes) scopes += (scopes.empty() ? "" : " ") + scope;
  json answer = {{"azp", "100000000000000000000"},
                 {"aud", "100000000000000000000"},
                 {"scope", scopes},
                 {"email", std::string(EmailOf(found->member))},
                 {"email_verified", "true"},
                 {"access_type", "online"}};
  if (found->expires != absl::InfiniteFuture()) {
    answer["exp"] = std::to_string(absl::ToUnixSeconds(found->expires));
    answer["expires_in"] = std::to_string(absl::ToInt64Seconds(found->expires - authority.Now()));
  }
  return {200, std::move(answer)};
}

}  // namespace hakobu::localbq::auth
