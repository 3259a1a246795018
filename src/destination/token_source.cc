#include "destination/token_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/address.h"
#include "base/status.h"
#include "destination/error.h"
#include "destination/json.h"
#include "destination/retry.h"

namespace hakobu {
namespace {

using nlohmann::json;

// The service's clock, if its Date header says that ours is wrong enough for signatures to fail.
std::string SkewHint(const HttpResponse& response, Clock* clock) {
  absl::Time theirs;
  std::string error;
  const std::string date(response.Header("date"));
  if (date.empty() || !absl::ParseTime("%a, %d %b %Y %H:%M:%S GMT", date, &theirs, &error)) return "";
  const int64_t skew = absl::ToInt64Seconds(clock->Now() - theirs);
  if (std::abs(skew) < 60) return "";
  return fmt::format("this machine's clock is {} s {} the server's; set it right", std::abs(skew),
                     skew > 0 ? "ahead of" : "behind");
}

// An endpoint that echoes what it was sent puts it into no message.
std::string WithoutSecrets(std::string text, const std::vector<std::string>& secrets) {
  for (const std::string& secret : secrets) {
    if (secret.size() < 4) continue;
    for (const std::string& form : {secret, PercentEncode(secret)}) {
      for (size_t place = text.find(form); place != std::string::npos; place = text.find(form)) {
        text.replace(place, form.size(), "...");
      }
    }
  }
  return text;
}

// Lives as long as tokens do: what an endpoint says beyond that is not believed.
constexpr absl::Duration kLongestToken = absl::Hours(12);

class Metadata final : public TokenSource {
 public:
  Metadata(Scopes scopes, TokenSeam seam) : scopes_(std::move(scopes)), seam_(std::move(seam)) {}
  absl::StatusOr<AccessToken> Fetch() override {
    HttpRequest request;
    std::string list;
    for (const std::string& scope : scopes_) list += (list.empty() ? "" : ",") + scope;
    request.url = fmt::format("{}/computeMetadata/v1/instance/service-accounts/default/token?scopes={}",
                              seam_.metadata_endpoint, PercentEncode(list));
    request.headers = {"Metadata-Flavor: Google"};
    request.timeout = absl::Seconds(10);
    absl::StatusOr<HttpResponse> response = seam_.Fetch(request, "ask the metadata server");
    if (!response.ok()) {
      return WithHint(
          response.status(),
          "no credentials file was found (GOOGLE_APPLICATION_CREDENTIALS, gcloud's well-known file), "
          "and this machine has no metadata server or no service account; name a file, or run "
          "gcloud auth application-default login");
    }
    if (response->Header("metadata-flavor") != "Google") {
      return absl::FailedPreconditionError("ask the metadata server: the answer does not come from Google's");
    }
    return ParseTokenAnswer(*response, "ask the metadata server", seam_.clock);
  }
  std::string Describe() const override { return "the machine's service account (metadata server)"; }

 private:
  const Scopes scopes_;
  const TokenSeam seam_;
};

class Impersonation final : public TokenSource {
 public:
  Impersonation(std::unique_ptr<TokenSource> base, std::string url, std::vector<std::string> delegates,
                int lifetime_seconds, Scopes scopes, TokenSeam seam)
      : base_(std::move(base)),
        url_(std::move(url)),
        delegates_(std::move(delegates)),
        lifetime_seconds_(lifetime_seconds),
        scopes_(std::move(scopes)),
        seam_(std::move(seam)) {}
  absl::StatusOr<AccessToken> Fetch() override {
    HAKOBU_ASSIGN_OR_RETURN(const AccessToken base, base_->Fetch());
    json body = {{"scope", scopes_}, {"lifetime", fmt::format("{}s", lifetime_seconds_)}};
    if (!delegates_.empty()) body["delegates"] = delegates_;
    const std::string text = body.dump();
    HttpRequest request;
    request.method = "POST";
    request.url = url_;
    request.headers = {"Content-Type: application/json", "Authorization: Bearer " + base.value};
    request.body = text;
    absl::StatusOr<HttpResponse> response = seam_.Fetch(request, "impersonate " + Account(), {base.value});
    if (!response.ok()) {
      return WithHint(response.status(),
                      "the caller needs the role Service Account Token Creator on " + Account());
    }
    const json answer = json::parse(response->body, nullptr, /*allow_exceptions=*/false);
    AccessToken token{TextAt(answer, "accessToken"), absl::InfinitePast()};
    std::string error;
    if (!IsToken(token.value) ||
        !absl::ParseTime(absl::RFC3339_full, TextAt(answer, "expireTime"), &token.expires, &error)) {
      return absl::InternalError(
          fmt::format("impersonate {}: expected accessToken and expireTime in the answer", Account()));
    }
    token.expires = std::min(token.expires, seam_.clock->Now() + kLongestToken);
    return token;
  }
  std::string Describe() const override {
    return fmt::format("service account {}, impersonated by {}", Account(), base_->Describe());
  }

 private:
  // …/serviceAccounts/NAME:generateAccessToken
  std::string Account() const {
    const size_t begin = url_.rfind('/') + 1;
    return url_.substr(begin, url_.find(':', begin) - begin);
  }
  const std::unique_ptr<TokenSource> base_;
  const std::string url_;
  const std::vector<std::string> delegates_;
  const int lifetime_seconds_;
  const Scopes scopes_;
  const TokenSeam seam_;
};

MadeSource MakeImpersonatedSource(const json& file, std::string_view name, const Scopes& scopes,
                                  const TokenSeam& seam) {
  HAKOBU_ASSIGN_OR_RETURN(const std::string url, RequiredText(file, "service_account_impersonation_url"));
  HAKOBU_RETURN_IF_ERROR(CheckTokenUrl(url, "service_account_impersonation_url", seam));
  HAKOBU_ASSIGN_OR_RETURN(auto base,
                          MakeTokenSource(ObjectAt(file, "source_credentials"), name,
                                          {"https://www.googleapis.com/auth/cloud-platform"}, seam));
  std::vector<std::string> delegates;
  for (const json& item : ListAt(file, "delegates")) {
    if (item.is_string()) delegates.push_back(item.get<std::string>());
  }
  return MakeImpersonation(std::move(base), url, std::move(delegates), 3600, scopes, seam);
}

}  // namespace

absl::StatusOr<HttpResponse> TokenSeam::Fetch(const HttpRequest& request, std::string_view what,
                                              const std::vector<std::string>& secrets) const {
  RetryPolicy policy;
  policy.max_tries = 4;
  policy.max_elapsed = absl::Minutes(1);
  RetryContext context;
  context.clock = clock;
  context.cancellation = cancellation;
  HttpRequest bounded = request;
  bounded.longest_answer = kLongestTokenAnswer;
  return Retry(policy, context, Idempotency::kIdempotent, [&]() -> absl::StatusOr<HttpResponse> {
    absl::StatusOr<HttpResponse> response = http->Send(bounded, cancellation);
    if (!response.ok()) return Annotate(response.status(), what);
    if (response->status / 100 == 2) return response;
    const absl::Status error = RestError(what, response->status, WithoutSecrets(response->body, secrets));
    const std::string skew = SkewHint(*response, clock);
    return skew.empty() ? error : WithHint(error, skew);
  });
}

absl::StatusOr<std::string> RequiredText(const json& object, std::string_view key) {
  std::string text = TextAt(object, key);
  if (text.empty()) return absl::InvalidArgumentError(fmt::format("expected a text '{}', found none", key));
  return text;
}

absl::Status CheckTokenUrl(std::string_view url, std::string_view key, const TokenSeam& seam) {
  HAKOBU_ASSIGN_OR_RETURN(const Address address, CheckAddress(url, key, PlainHttp::kLoopback));
  if (IsLoopback(address.host)) return absl::OkStatus();
  const std::string universe = seam.environment("GOOGLE_CLOUD_UNIVERSE_DOMAIN").value_or("googleapis.com");
  for (const std::string& domain : {std::string("googleapis.com"), universe}) {
    if (address.host.ends_with("." + domain)) return absl::OkStatus();
  }
  return WithHint(absl::InvalidArgumentError(
                      fmt::format("{}: expected an address of Google's, found {}", key, address.Origin())),
                  "a credential file says where secrets are sent, so it is to be trusted as a program is; in "
                  "another universe "
                  "set GOOGLE_CLOUD_UNIVERSE_DOMAIN");
}

absl::Status CheckSubjectUrl(std::string_view url, std::string_view key) {
  return CheckAddress(url, key, PlainHttp::kLinkLocal).status();
}

bool IsToken(std::string_view text) {
  return !text.empty() && text.size() <= 64 * 1024 &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) { return c > 0x20 && c < 0x7f; });
}

absl::StatusOr<AccessToken> ParseTokenAnswer(const HttpResponse& response, std::string_view what,
                                             Clock* clock) {
  const json answer = json::parse(response.body, nullptr, /*allow_exceptions=*/false);
  AccessToken token{TextAt(answer, "access_token"), absl::InfinitePast()};
  if (!IsToken(token.value)) {
    return absl::InternalError(fmt::format("{}: expected access_token in the answer, found {}", what,
                                           token.value.empty() ? "none" : "something that is no token"));
  }
  const int64_t seconds = IntegerAt(answer, "expires_in");
  token.expires = clock->Now() + std::min(absl::Seconds(seconds > 0 ? seconds : 3600), kLongestToken);
  return token;
}

std::unique_ptr<TokenSource> MakeMetadataSource(const Scopes& scopes, const TokenSeam& seam) {
  return std::make_unique<Metadata>(scopes, seam);
}

std::unique_ptr<TokenSource> MakeImpersonation(std::unique_ptr<TokenSource> base, std::string url,
                                               std::vector<std::string> delegates, int lifetime_seconds,
                                               const Scopes& scopes, const TokenSeam& seam) {
  return std::make_unique<Impersonation>(std::move(base), std::move(url), std::move(delegates),
                                         lifetime_seconds, scopes, seam);
}

MadeSource MakeTokenSource(const json& file, std::string_view name, const Scopes& scopes,
                           const TokenSeam& seam) {
  const std::string type = TextAt(file, "type");
  if (type == "service_account") return MakeServiceAccountSource(file, scopes, seam);
  if (type == "authorized_user") return MakeAuthorizedUserSource(file, seam);
  if (type == "external_account") return MakeExternalAccountSource(file, scopes, seam);
  if (type == "impersonated_service_account") return MakeImpersonatedSource(file, name, scopes, seam);
  return WithHint(
      absl::InvalidArgumentError(fmt::format("unknown type '{}'", type)),
      "expected service_account, authorized_user, external_account or impersonated_service_account");
}

}  // namespace hakobu
