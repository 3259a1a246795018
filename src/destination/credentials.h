// Bearer tokens for Google's APIs, from every kind of credential file that is usual, and from AWS.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/cancel.h"
#include "base/clock.h"

namespace hakobu {

class HttpClient;

// Where tokens come from. Thread-safe.
class Credentials {
 public:
  virtual ~Credentials() = default;
  // A token good for at least some minutes; empty for the local BigQuery. Never log or print it.
  virtual absl::StatusOr<std::string> Token() = 0;
  // The service refused `token` (401): it is not handed out again.
  virtual void Reject(std::string_view token) = 0;
  // Whom the quota is counted for (x-goog-user-project); empty: the service decides.
  virtual std::string QuotaProject() const = 0;
  // For a person: "service account loader@p.iam.gserviceaccount.com". Holds no secret.
  virtual std::string Describe() const = 0;
};

struct CredentialsOptions {
  std::string file;  // empty: Application Default Credentials
  std::vector<std::string> scopes = {"https://www.googleapis.com/auth/bigquery",
                                     "https://www.googleapis.com/auth/cloud-platform"};
  std::string impersonate;    // e-mail of a service account to act as; empty: nobody else
  std::string quota_project;  // overrides the file's quota_project_id; both need serviceusage.services.use
  std::string ca_file;        // as HttpOptions, unless `http` is given
  std::string proxy;
  const Cancellation* cancellation = nullptr;  // null: a fetch cannot be stopped
  HttpClient* http = nullptr;                  // must outlive the credentials; null: one of its own
  Clock* clock = Clock::Real();
  // Reads an environment variable; empty: the process's own. For tests.
  std::function<std::optional<std::string>(std::string_view name)> environment;
  // For tests. Empty: the well-known addresses.
  std::string metadata_endpoint;   // http://metadata.google.internal (GCE_METADATA_HOST also overrides)
  std::string iam_endpoint;        // https://iamcredentials.googleapis.com
  std::string container_endpoint;  // http://169.254.170.2, where ECS and Fargate serve credentials
};

// Reads the source and checks it, without asking for a token yet. Order without a file:
// GOOGLE_APPLICATION_CREDENTIALS, $CLOUDSDK_CONFIG or ~/.config/gcloud /application_default_credentials.json,
// the metadata server. Kinds of file: service_account, authorized_user, external_account (file, url, AWS
// incl. ECS/Fargate and IMDSv2), impersonated_service_account.
absl::StatusOr<std::shared_ptr<Credentials>> OpenCredentials(const CredentialsOptions& options);
// The same, from the text of a credential file. `name` stands for it in messages.
absl::StatusOr<std::shared_ptr<Credentials>> ParseCredentials(std::string_view json, std::string_view name,
                                                              const CredentialsOptions& options);
// For a BigQuery on this machine: the file that GOOGLE_APPLICATION_CREDENTIALS names when its tokens come
// from this machine too, as the files that `hakobu bigquery --auth` writes; else no token. One of Google's is
// never shown to a local service.
absl::StatusOr<std::shared_ptr<Credentials>> OpenLocalCredentials(const CredentialsOptions& options);
// For the local BigQuery: no token.
std::shared_ptr<Credentials> NoCredentials();
// One token, as given (an identity in tests, an access token from elsewhere).
std::shared_ptr<Credentials> FixedToken(std::string token);

}  // namespace hakobu
