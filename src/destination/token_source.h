// What fetches a token, one kind of credential each; credentials.cc caches what they fetch.
#pragma once

#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/cancel.h"
#include "base/clock.h"
#include "destination/http.h"

namespace hakobu {

struct AccessToken {
  std::string value;
  absl::Time expires;
};

// What every source needs from outside.
struct TokenSeam {
  std::shared_ptr<HttpClient> http;
  Clock* clock = nullptr;
  const Cancellation* cancellation = nullptr;  // null: cannot be stopped
  std::function<std::optional<std::string>(std::string_view)> environment;
  std::string metadata_endpoint;
  std::string iam_endpoint;
  std::string container_endpoint;
  // Sends with a few retries of what is worth it. Any answer but 2xx is an error: `<what>: HTTP 400 (reason):
  // …`, of which only the fields that such answers have by their specification are quoted, and of those none
  // of `secrets`, which the request carried. Answers are at most kLongestTokenAnswer.
  absl::StatusOr<HttpResponse> Fetch(const HttpRequest& request, std::string_view what,
                                     const std::vector<std::string>& secrets = {}) const;
};
inline constexpr size_t kLongestTokenAnswer = 1 << 20;

class TokenSource {
 public:
  virtual ~TokenSource() = default;
  virtual absl::StatusOr<AccessToken> Fetch() = 0;
  virtual std::string Describe() const = 0;
};

using Scopes = std::vector<std::string>;
using MadeSource = absl::StatusOr<std::unique_ptr<TokenSource>>;

// By the file's `type`. `name` stands for the file in messages.
MadeSource MakeTokenSource(const nlohmann::json& file, std::string_view name, const Scopes& scopes,
                           const TokenSeam& seam);
std::unique_ptr<TokenSource> MakeMetadataSource(const Scopes& scopes, const TokenSeam& seam);
MadeSource MakeServiceAccountSource(const nlohmann::json& file, const Scopes& scopes, const TokenSeam& seam);
MadeSource MakeAuthorizedUserSource(const nlohmann::json& file, const TokenSeam& seam);
MadeSource MakeExternalAccountSource(const nlohmann::json& file, const Scopes& scopes, const TokenSeam& seam);

// generateAccessToken [iamcredentials v1]: the base's token is turned into one of a service account.
std::unique_ptr<TokenSource> MakeImpersonation(std::unique_ptr<TokenSource> base, std::string url,
                                               std::vector<std::string> delegates, int lifetime_seconds,
                                               const Scopes& scopes, const TokenSeam& seam);

// A field that must be there. InvalidArgument names it.
absl::StatusOr<std::string> RequiredText(const nlohmann::json& object, std::string_view key);
// Where a credential file sends secrets: https of Google's (or of the universe that the environment's
// GOOGLE_CLOUD_UNIVERSE_DOMAIN names), or this machine. `key` names the file's key in messages.
absl::Status CheckTokenUrl(std::string_view url, std::string_view key, const TokenSeam& seam);
// Where a credential file gets a token from: https, or the platform's metadata addresses.
absl::Status CheckSubjectUrl(std::string_view url, std::string_view key);
// What may be a bearer token [RFC 6750]: visible ASCII. A line break in one would be a header of its own.
bool IsToken(std::string_view text);
// {"access_token":…,"expires_in":…}
absl::StatusOr<AccessToken> ParseTokenAnswer(const HttpResponse& response, std::string_view what,
                                             Clock* clock);

}  // namespace hakobu
