// Workload identity federation [cloud.google.com/iam/docs/workload-identity-federation, AIP-4117]: a token of
// somebody else (a file, an address, AWS) is exchanged at Google's Security Token Service, then, usually, for
// a service account's.
#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/address.h"
#include "base/status.h"
#include "destination/aws_keys.h"
#include "destination/json.h"
#include "destination/token_source.h"

namespace hakobu {
namespace {

using nlohmann::json;

constexpr std::string_view kCloudPlatform = "https://www.googleapis.com/auth/cloud-platform";

// How the subject's token lies in a file or an answer.
struct TokenFormat {
  std::string field;  // of a JSON object; empty: the text itself
  absl::StatusOr<std::string> Read(std::string text, std::string_view what) const {
    if (!field.empty()) {
      const json document = json::parse(text, nullptr, /*allow_exceptions=*/false);
      text = TextAt(document, field);
    }
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' '))
      text.pop_back();
    if (!text.empty()) return text;
    return absl::FailedPreconditionError(fmt::format("{}: expected a token, found none", what));
  }
};

class Subject {
 public:
  virtual ~Subject() = default;
  virtual absl::StatusOr<std::string> Token() = 0;
  virtual std::string Describe() const = 0;
};

class FileSubject final : public Subject {
 public:
  FileSubject(std::string path, TokenFormat format) : path_(std::move(path)), format_(std::move(format)) {}
  absl::StatusOr<std::string> Token() override {  // read each time: the platform renews it
    std::ifstream file(path_, std::ios::binary);
    std::stringstream text;
    if (!file || !(text << file.rdbuf())) {
      return WithHint(
          absl::NotFoundError(fmt::format("read the subject token {}: cannot read the file", path_)),
          "credential_source.file of the credentials names it; in EKS it is AWS_WEB_IDENTITY_TOKEN_FILE");
    }
    return format_.Read(text.str(), "read the subject token " + path_);
  }
  std::string Describe() const override { return "the token in " + path_; }

 private:
  const std::string path_;
  const TokenFormat format_;
};

class UrlSubject final : public Subject {
 public:
  UrlSubject(std::string url, std::vector<std::string> headers, TokenFormat format, TokenSeam seam)
      : url_(std::move(url)),
        headers_(std::move(headers)),
        format_(std::move(format)),
        seam_(std::move(seam)) {}
  absl::StatusOr<std::string> Token() override {
    constexpr std::string_view kWhat = "ask credential_source.url for the subject token";
    HttpRequest request;
    request.url = url_;
    request.headers = headers_;
    request.timeout = absl::Seconds(30);
    HAKOBU_ASSIGN_OR_RETURN(HttpResponse response, seam_.Fetch(request, kWhat));
    return format_.Read(std::move(response.body), kWhat);
  }
  std::string Describe() const override { return "a token from an address"; }

 private:
  const std::string url_;
  const std::vector<std::string> headers_;
  const TokenFormat format_;
  const TokenSeam seam_;
};

// A signed request for GetCallerIdentity, never sent by us: whoever can sign it is the role.
class AwsSubject final : public Subject {
 public:
  AwsSubject(AwsSource source, std::string verification_url, std::string audience, TokenSeam seam)
      : source_(std::move(source)),
        verification_url_(std::move(verification_url)),
        audience_(std::move(audience)),
        seam_(std::move(seam)) {}
  absl::StatusOr<std::string> Token() override {
    HAKOBU_ASSIGN_OR_RETURN(const std::string region, FetchAwsRegion(source_, seam_));
    HAKOBU_ASSIGN_OR_RETURN(const AwsKeys keys, FetchAwsKeys(source_, seam_));
    std::string url = verification_url_;
    if (const size_t place = url.find("{region}"); place != std::string::npos) url.replace(place, 8, region);
    json headers = json::array();
    for (const auto& [name, value] : SignV4("POST", url, region, "sts", keys, seam_.clock->Now(),
                                            {{"x-goog-cloud-target-resource", audience_}})) {
      headers.push_back({{"key", name}, {"value", value}});
    }
    return PercentEncode(json{{"url", url}, {"method", "POST"}, {"headers", headers}}.dump());
  }
  std::string Describe() const override { return "an AWS role"; }

 private:
  const AwsSource source_;
  const std::string verification_url_;
  const std::string audience_;
  const TokenSeam seam_;
};

class Exchange final : public TokenSource {
 public:
  struct Parts {
    std::string audience, subject_token_type, token_url, scope, user_project;
    std::unique_ptr<Subject> subject;
  };
  Exchange(Parts parts, TokenSeam seam) : parts_(std::move(parts)), seam_(std::move(seam)) {}
  absl::StatusOr<AccessToken> Fetch() override {
    const std::string what = "exchange a token at " + OriginOf(parts_.token_url);
    HAKOBU_ASSIGN_OR_RETURN(const std::string subject_token, parts_.subject->Token());
    std::vector<std::pair<std::string, std::string>> form = {
        {"grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"},
        {"audience", parts_.audience},
        {"scope", parts_.scope},
        {"requested_token_type", "urn:ietf:params:oauth:token-type:access_token"},
        {"subject_token", subject_token},
        {"subject_token_type", parts_.subject_token_type}};
    if (!parts_.user_project.empty()) {
      form.emplace_back("options", json{{"userProject", parts_.user_project}}.dump());
    }
    const std::string body = FormEncode(form);
    HttpRequest request;
    request.method = "POST";
    request.url = parts_.token_url;
    request.headers = {"Content-Type: application/x-www-form-urlencoded"};
    request.body = body;
    request.timeout = absl::Seconds(30);
    absl::StatusOr<HttpResponse> response = seam_.Fetch(request, what, {subject_token});
    if (!response.ok()) {
      return WithHint(
          response.status(),
          "the workload identity pool's provider must trust this issuer or account, and its attribute "
          "condition must let it in");
    }
    return ParseTokenAnswer(*response, what, seam_.clock);
  }
  std::string Describe() const override { return "workload identity: " + parts_.subject->Describe(); }

 private:
  const Parts parts_;
  const TokenSeam seam_;
};

bool IsHeaderName(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '_';
  });
}

absl::StatusOr<TokenFormat> ReadFormat(const json& source) {
  const json& format = ObjectAt(source, "format");
  const std::string type = TextAt(format, "type");
  if (type.empty() || type == "text") return TokenFormat{};
  if (type != "json") {
    return absl::InvalidArgumentError(
        fmt::format("credential_source.format.type: expected text or json, found '{}'", type));
  }
  HAKOBU_ASSIGN_OR_RETURN(std::string field, RequiredText(format, "subject_token_field_name"));
  return TokenFormat{std::move(field)};
}

absl::StatusOr<std::unique_ptr<Subject>> ReadAwsSubject(const json& source, const std::string& audience,
                                                        const TokenSeam& seam) {
  if (TextAt(source, "environment_id") != "aws1") {
    return absl::InvalidArgumentError(fmt::format(
        "credential_source.environment_id: expected aws1, found '{}'", TextAt(source, "environment_id")));
  }
  HAKOBU_ASSIGN_OR_RETURN(std::string url, RequiredText(source, "regional_cred_verification_url"));
  const AwsSource aws = {TextAt(source, "region_url"), TextAt(source, "url"),
                         TextAt(source, "imdsv2_session_token_url")};
  for (const auto& [key, address] : {std::pair("region_url", aws.region_url),
                                     {"url", aws.keys_url},
                                     {"imdsv2_session_token_url", aws.imdsv2_session_token_url}}) {
    if (address.empty()) continue;
    HAKOBU_RETURN_IF_ERROR(CheckSubjectUrl(address, fmt::format("credential_source.{}", key)));
  }
  return std::make_unique<AwsSubject>(aws, std::move(url), audience, seam);
}

absl::StatusOr<std::unique_ptr<Subject>> ReadSubject(const json& source, const std::string& audience,
                                                     const TokenSeam& seam) {
  if (source.contains("environment_id")) return ReadAwsSubject(source, audience, seam);
  HAKOBU_ASSIGN_OR_RETURN(TokenFormat format, ReadFormat(source));
  if (source.contains("file")) {
    HAKOBU_ASSIGN_OR_RETURN(std::string path, RequiredText(source, "file"));
    return std::make_unique<FileSubject>(std::move(path), std::move(format));
  }
  if (source.contains("url")) {
    HAKOBU_ASSIGN_OR_RETURN(std::string url, RequiredText(source, "url"));
    HAKOBU_RETURN_IF_ERROR(CheckSubjectUrl(url, "credential_source.url"));
    std::vector<std::string> headers;
    for (const auto& [name, value] : ObjectAt(source, "headers").items()) {
      if (!value.is_string() || !IsHeaderName(name) || !IsHeaderText(value.get_ref<const std::string&>())) {
        return absl::InvalidArgumentError(
            "credential_source.headers: expected names of letters, digits and -, and values without line "
            "breaks");
      }
      headers.push_back(name + ": " + value.get<std::string>());
    }
    return std::make_unique<UrlSubject>(std::move(url), std::move(headers), std::move(format), seam);
  }
  return WithHint(
      absl::InvalidArgumentError("credential_source: expected file, url or environment_id, found none"),
      "executable sources are not supported: have the program write its token to a file");
}

}  // namespace

MadeSource MakeExternalAccountSource(const json& file, const Scopes& scopes, const TokenSeam& seam) {
  Exchange::Parts parts;
  HAKOBU_ASSIGN_OR_RETURN(parts.audience, RequiredText(file, "audience"));
  HAKOBU_ASSIGN_OR_RETURN(parts.subject_token_type, RequiredText(file, "subject_token_type"));
  parts.token_url = TextAt(file, "token_url");
  if (parts.token_url.empty()) parts.token_url = "https://sts.googleapis.com/v1/token";
  HAKOBU_RETURN_IF_ERROR(CheckTokenUrl(parts.token_url, "token_url", seam));
  parts.user_project = TextAt(file, "workforce_pool_user_project");
  HAKOBU_ASSIGN_OR_RETURN(parts.subject,
                          ReadSubject(ObjectAt(file, "credential_source"), parts.audience, seam));
  const std::string impersonation = TextAt(file, "service_account_impersonation_url");
  parts.scope = kCloudPlatform;
  if (impersonation.empty()) {
    parts.scope.clear();
    for (const std::string& scope : scopes) parts.scope += (parts.scope.empty() ? "" : " ") + scope;
    return std::make_unique<Exchange>(std::move(parts), seam);
  }
  HAKOBU_RETURN_IF_ERROR(CheckTokenUrl(impersonation, "service_account_impersonation_url", seam));
  const int64_t lifetime =
      IntegerAt(ObjectAt(file, "service_account_impersonation"), "token_lifetime_seconds");
  return MakeImpersonation(std::make_unique<Exchange>(std::move(parts), seam), impersonation, {},
                           lifetime > 0 ? static_cast<int>(lifetime) : 3600, scopes, seam);
}

}  // namespace hakobu
