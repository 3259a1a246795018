#include "destination/credentials.h"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "absl/synchronization/mutex.h"
#include "base/address.h"
#include "base/status.h"
#include "destination/json.h"
#include "destination/proxy.h"
#include "destination/token_source.h"

namespace hakobu {
namespace {

using nlohmann::json;

class Nobody final : public Credentials {
 public:
  absl::StatusOr<std::string> Token() override { return std::string(); }
  void Reject(std::string_view) override {}
  std::string QuotaProject() const override { return ""; }
  std::string Describe() const override { return "no credentials"; }
};

class Fixed final : public Credentials {
 public:
  explicit Fixed(std::string token) : token_(std::move(token)) {}
  absl::StatusOr<std::string> Token() override { return token_; }
  void Reject(std::string_view) override {}
  std::string QuotaProject() const override { return ""; }
  std::string Describe() const override { return "a given access token"; }

 private:
  const std::string token_;
};

// Fetches early and once: while one thread fetches, the others wait for its token.
class Cached final : public Credentials {
 public:
  Cached(std::unique_ptr<TokenSource> source, std::string quota_project, Clock* clock)
      : source_(std::move(source)), quota_project_(std::move(quota_project)), clock_(clock) {}

  absl::StatusOr<std::string> Token() override {
    absl::MutexLock lock(&mutex_);
    const absl::Time now = clock_->Now();
    if (!token_.value.empty() && now < renew_at_) return token_.value;
    absl::StatusOr<AccessToken> fetched = source_->Fetch();
    if (fetched.ok()) {
      token_ = *std::move(fetched);
      renew_at_ = token_.expires - std::min(absl::Minutes(5), (token_.expires - now) / 4);
      return token_.value;
    }
    // Renewal is early so that a token endpoint may be down for a while.
    if (!token_.value.empty() && now < token_.expires - absl::Seconds(30)) {
      renew_at_ = now + absl::Seconds(10);
      return token_.value;
    }
    return Annotate(fetched.status(), "get a token for " + source_->Describe());
  }
  void Reject(std::string_view token) override {
    absl::MutexLock lock(&mutex_);
    if (token_.value == token) token_ = {};
  }
  std::string QuotaProject() const override { return quota_project_; }
  std::string Describe() const override { return source_->Describe(); }

 private:
  const std::unique_ptr<TokenSource> source_;
  const std::string quota_project_;
  Clock* const clock_;
  absl::Mutex mutex_;
  AccessToken token_ ABSL_GUARDED_BY(mutex_);
  absl::Time renew_at_ ABSL_GUARDED_BY(mutex_);
};

TokenSeam SeamOf(const CredentialsOptions& options) {
  TokenSeam seam;
  // A borrowed client is not ours to delete.
  seam.http = options.http != nullptr
                  ? std::shared_ptr<HttpClient>(options.http, [](HttpClient*) {})
                  : std::make_shared<HttpClient>(HttpOptions{"hakobu", options.ca_file, options.proxy});
  seam.clock = options.clock;
  seam.cancellation = options.cancellation;
  seam.environment = options.environment ? options.environment : EnvironmentVariable;
  seam.metadata_endpoint = options.metadata_endpoint;
  if (seam.metadata_endpoint.empty()) {
    const auto host = seam.environment("GCE_METADATA_HOST");
    seam.metadata_endpoint = "http://" + host.value_or("metadata.google.internal");
  }
  auto or_default = [](const std::string& given, const char* otherwise) {
    return given.empty() ? otherwise : given;
  };
  seam.iam_endpoint = or_default(options.iam_endpoint, "https://iamcredentials.googleapis.com");
  seam.container_endpoint = or_default(options.container_endpoint, "http://169.254.170.2");
  return seam;
}

// Whom the base's tokens are for, and what they are turned into.
Scopes BaseScopes(const CredentialsOptions& options) {
  if (options.impersonate.empty()) return options.scopes;
  return {"https://www.googleapis.com/auth/cloud-platform"};
}

std::unique_ptr<TokenSource> ActAs(const CredentialsOptions& options, std::unique_ptr<TokenSource> base,
                                   const TokenSeam& seam) {
  if (options.impersonate.empty()) return base;
  constexpr int kLifetimeSeconds = 3600;
  return MakeImpersonation(std::move(base),
                           fmt::format("{}/v1/projects/-/serviceAccounts/{}:generateAccessToken",
                                       seam.iam_endpoint, options.impersonate),
                           {}, kLifetimeSeconds, options.scopes, seam);
}

absl::StatusOr<std::string> ReadText(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  if (!file || !(text << file.rdbuf())) {
    return absl::NotFoundError(fmt::format("read credentials {}: {}", path, std::strerror(errno)));
  }
  return text.str();
}

// Where `gcloud auth application-default login` leaves its file.
std::string WellKnownFile(const TokenSeam& seam) {
  if (const auto folder = seam.environment("CLOUDSDK_CONFIG"))
    return *folder + "/application_default_credentials.json";
  if (const auto home = seam.environment("HOME")) {
    return *home + "/.config/gcloud/application_default_credentials.json";
  }
  return "";
}

}  // namespace

std::shared_ptr<Credentials> NoCredentials() {
  static const std::shared_ptr<Credentials> kNobody = std::make_shared<Nobody>();
  return kNobody;
}

std::shared_ptr<Credentials> FixedToken(std::string token) {
  return std::make_shared<Fixed>(std::move(token));
}

absl::StatusOr<std::shared_ptr<Credentials>> ParseCredentials(std::string_view text, std::string_view name,
                                                              const CredentialsOptions& options) {
  const json file = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!file.is_object()) {
    // Never the text: a damaged file still holds a key.
    return WithHint(
        absl::InvalidArgumentError(fmt::format("read credentials {}: expected a JSON object", name)),
        "the file should be the one the console or gcloud wrote, unchanged");
  }
  const TokenSeam seam = SeamOf(options);
  auto source = MakeTokenSource(file, name, BaseScopes(options), seam);
  if (!source.ok()) return Annotate(source.status(), fmt::format("read credentials {}", name));
  const std::string quota_project =
      options.quota_project.empty() ? TextAt(file, "quota_project_id") : options.quota_project;
  return std::make_shared<Cached>(ActAs(options, *std::move(source), seam), quota_project, options.clock);
}

absl::StatusOr<std::shared_ptr<Credentials>> OpenLocalCredentials(const CredentialsOptions& options) {
  const TokenSeam seam = SeamOf(options);
  const auto path = seam.environment("GOOGLE_APPLICATION_CREDENTIALS");
  if (!path) return NoCredentials();
  const absl::StatusOr<std::string> text = ReadText(*path);
  if (!text.ok()) return NoCredentials();
  const json file = json::parse(*text, nullptr, /*allow_exceptions=*/false);
  for (const char* key : {"token_uri", "token_url"}) {
    const absl::StatusOr<Address> address = ParseAddress(TextAt(file, key));
    if (address.ok() && IsLoopback(address->host)) return ParseCredentials(*text, *path, options);
  }
  return NoCredentials();
}

absl::StatusOr<std::shared_ptr<Credentials>> OpenCredentials(const CredentialsOptions& options) {
  const TokenSeam seam = SeamOf(options);
  std::string path = options.file;
  std::string_view hint =
      "destination.credentials names the file; without it Application Default Credentials are used";
  if (path.empty()) {
    if (const auto named = seam.environment("GOOGLE_APPLICATION_CREDENTIALS")) {
      path = *named;
      hint = "the environment's GOOGLE_APPLICATION_CREDENTIALS names this file";
    }
  }
  if (path.empty()) {
    path = WellKnownFile(seam);
    std::error_code ignored;
    if (path.empty() || !std::filesystem::exists(path, ignored)) {
      return std::make_shared<Cached>(ActAs(options, MakeMetadataSource(BaseScopes(options), seam), seam),
                                      options.quota_project, options.clock);
    }
  }
  absl::StatusOr<std::string> text = ReadText(path);
  if (!text.ok()) return WithHint(text.status(), hint);
  return ParseCredentials(*text, path, options);
}

}  // namespace hakobu
