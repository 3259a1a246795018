#include "localbq/rest/auth_endpoints.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "absl/strings/escaping.h"
#include "base/status.h"
#include "localbq/auth/authority.h"
#include "localbq/auth/token_service.h"

namespace hakobu::localbq::rest {
namespace {

using nlohmann::json;

constexpr std::string_view kMetadata = "/computeMetadata/v1";
constexpr std::string_view kAccounts = "/v1/projects/-/serviceAccounts/";
constexpr std::string_view kGenerate = ":generateAccessToken";

std::string FormDecoded(std::string_view text) {
  std::string decoded;
  for (size_t at = 0; at < text.size(); ++at) {
    const bool is_escape = text[at] == '%' && at + 2 < text.size() &&
                           std::isxdigit(static_cast<unsigned char>(text[at + 1])) != 0 &&
                           std::isxdigit(static_cast<unsigned char>(text[at + 2])) != 0;
    if (is_escape) {
      decoded += absl::HexStringToBytes(View(text.substr(at + 1, 2)));
      at += 2;
    } else {
      decoded += text[at] == '+' ? ' ' : text[at];
    }
  }
  return decoded;
}

// application/x-www-form-urlencoded; some clients send JSON.
auth::Form ReadForm(const Request& request) {
  auth::Form form;
  if (request.Header("content-type").starts_with("application/json")) {
    const json body = json::parse(request.body, nullptr, /*allow_exceptions=*/false);
    if (!body.is_object()) return form;
    for (const auto& [key, value] : body.items()) form[key] = Text(body, key.c_str());
    return form;
  }
  std::string_view rest = request.body;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('&'), rest.size());
    const std::string_view pair = rest.substr(0, end);
    const size_t equals = std::min(pair.find('='), pair.size());
    form[FormDecoded(pair.substr(0, equals))] =
        equals < pair.size() ? FormDecoded(pair.substr(equals + 1)) : std::string();
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return form;
}

Reply ToReply(const auth::TokenAnswer& answer) {
  Reply reply = JsonReply(answer.body);
  reply.status = answer.status;
  reply.headers.emplace_back("Cache-Control", "no-cache, no-store, max-age=0, must-revalidate");
  return reply;
}

// What a JWT's `aud` may be: this server under the name that the client uses, and Google's own addresses,
// which Node's client always writes.
std::vector<std::string> Audiences(const Service& service, const Request& request) {
  std::vector<std::string> audiences = {service.url + "/token"};
  const std::string_view host = request.Header("host");
  if (!host.empty()) audiences.push_back(fmt::format("http://{}/token", host));
  audiences.insert(audiences.end(),
                   {"https://oauth2.googleapis.com/token", "https://www.googleapis.com/oauth2/v4/token",
                    "https://accounts.google.com/o/oauth2/token"});
  return audiences;
}

Reply Impersonate(const Service& service, const Request& request) {
  std::string account = request.path.substr(kAccounts.size());
  account.resize(account.size() - kGenerate.size());
  const absl::StatusOr<auth::Caller> caller =
      service.authority->Authenticate(request.Header("authorization"));
  if (!caller.ok()) {
    return ToReply({401,
                    {{"error",
                      {{"code", 401},
                       {"message", std::string(View(caller.status().message()))},
                       {"status", "UNAUTHENTICATED"}}}}});
  }
  const absl::StatusOr<json> body = request.Json();
  return ToReply(
      auth::GenerateAccessToken(*service.authority, *caller, account, body.ok() ? *body : json::object()));
}

Reply Plain(std::string text, int status = 200) {
  Reply reply;
  reply.status = status;
  reply.body = std::move(text);
  reply.content_type = "application/text";
  return reply;
}

std::vector<std::string> ScopesOf(const Request& request) {
  std::vector<std::string> scopes;
  std::string_view rest = request.Query("scopes");
  while (!rest.empty()) {
    const size_t end = std::min(rest.find(','), rest.size());
    scopes.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  if (scopes.empty()) scopes.emplace_back("https://www.googleapis.com/auth/cloud-platform");
  return scopes;
}

Reply MetadataAccount(Service& service, const Request& request, std::string_view path) {
  const std::string& email = service.authority->identities().metadata_account;
  const size_t slash = std::min(path.find('/'), path.size());
  const std::string_view account = path.substr(0, slash);
  const std::string_view what = slash < path.size() ? path.substr(slash + 1) : std::string_view();
  if (account.empty()) return Plain(fmt::format("default/\n{}/\n", email));
  if (account != "default" && account != email) return Plain("Not Found", 404);
  if (what.empty() && request.Query("recursive") == "true") {
    return JsonReply({{"aliases", {"default"}},
                      {"email", email},
                      {"scopes", {"https://www.googleapis.com/auth/cloud-platform"}}});
  }
  if (what.empty()) return Plain("aliases\nemail\nidentity\nscopes\ntoken\n");
  if (what == "email") return Plain(email);
  if (what == "aliases") return Plain("default\n");
  if (what == "scopes") return Plain("https://www.googleapis.com/auth/cloud-platform\n");
  if (what == "token")
    return JsonReply(auth::NewToken(*service.authority, "serviceAccount:" + email, ScopesOf(request)));
  return Plain("Not Found", 404);
}

// Source: https://docs.cloud.google.com/compute/docs/metadata/overview
Reply Metadata(Service& service, const Request& request, std::string_view path) {
  constexpr std::string_view kServiceAccounts = "instance/service-accounts";
  while (path.starts_with('/')) path.remove_prefix(1);
  while (path.ends_with('/')) path.remove_suffix(1);
  if (path.empty()) return Plain("instance/\noslogin/\nproject/\n");
  if (path == "instance") return Plain("id\nservice-accounts/\nzone\n");
  if (path == "instance/id") return Plain("1");
  if (path == "instance/zone") return Plain("projects/1/zones/us-central1-a");
  if (path == "project/project-id") return Plain(service.authority->identities().metadata_project);
  if (path == "project/numeric-project-id") return Plain("1");
  if (path == "universe/universe-domain" || path == "universe/universe_domain")
    return Plain("googleapis.com");
  if (path.starts_with(kServiceAccounts)) {
    path.remove_prefix(kServiceAccounts.size());
    if (path.starts_with('/')) path.remove_prefix(1);
    return MetadataAccount(service, request, path);
  }
  return Plain("Not Found", 404);
}

Reply AnswerMetadata(Service& service, const Request& request) {
  Reply reply;
  if (request.Header("metadata-flavor") != "Google") {
    reply = Plain("Missing Metadata-Flavor:Google header.", 403);
  } else if (!request.Header("x-forwarded-for").empty()) {
    reply = Plain("Requests with X-Forwarded-For are not answered.", 403);
  } else {
    reply = Metadata(service, request, std::string_view(request.path).substr(kMetadata.size()));
  }
  reply.headers.emplace_back("Metadata-Flavor", "Google");
  reply.headers.emplace_back("Server", "Metadata Server for VM");
  return reply;
}

}  // namespace

std::optional<Reply> AnswerCredentials(Service& service, const Request& request) {
  auth::Authority& authority = *service.authority;
  const std::string& path = request.path;
  if (request.method == "GET") {
    const bool is_metadata = path == kMetadata || path.starts_with(fmt::format("{}/", kMetadata));
    if (is_metadata && !authority.identities().metadata_account.empty())
      return AnswerMetadata(service, request);
    if (path == "/tokeninfo" || path == "/oauth2/v1/tokeninfo" || path == "/oauth2/v3/tokeninfo")
      return ToReply(auth::TokenInfo(authority, std::string(request.Query("access_token"))));
    return std::nullopt;
  }
  if (request.method != "POST") return std::nullopt;
  if (path == "/token" || path == "/oauth2/v4/token")
    return ToReply(auth::GrantToken(authority, ReadForm(request), Audiences(service, request)));
  if (path == "/v1/token") return ToReply(auth::ExchangeToken(authority, ReadForm(request)));
  if (path.starts_with(kAccounts) && path.ends_with(kGenerate)) return Impersonate(service, request);
  return std::nullopt;
}

}  // namespace hakobu::localbq::rest
