// BigQuery's REST v2, the call all others are made of. Bodies are JSON text, in and out, exactly as they
// travel: what this program does not know in a resource survives a read and a write.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "destination/credentials.h"
#include "destination/error.h"
#include "destination/http.h"
#include "destination/pace.h"
#include "destination/recent_ddl.h"
#include "destination/retry.h"

namespace hakobu {

struct Endpoint {
  std::string rest = "https://bigquery.googleapis.com";
  std::string grpc = "bigquerystorage.googleapis.com:443";
  bool grpc_insecure = false;  // plaintext: only the local BigQuery
  std::string ca_file = {};    // PEM of the authorities that both are trusted by; empty: the system's
  std::string proxy = {};      // "http://proxy:3128"; empty: as the environment says
  static Endpoint Google() { return {}; }
  // REST: https://host[:port], or http of this machine. gRPC: https://host[:port] (a regional or private
  // endpoint), or host:port of this machine, without TLS. One rule for both: InvalidArgument for anything
  // that would carry tokens and rows over a network in the clear.
  static absl::StatusOr<Endpoint> At(std::string_view rest, std::string_view grpc);
  static Endpoint Local(int rest_port, int grpc_port);
};

struct RestOptions {
  Endpoint endpoint;
  std::shared_ptr<Credentials> credentials = NoCredentials();
  std::string user_agent = "hakobu";
  absl::Duration timeout = absl::Minutes(2);  // of one try
  RetryPolicy retry;
  RetryContext context;
};

struct RestCallSpec {
  std::string method = "GET";
  std::string path = {};  // "/projects/p/datasets/d", its parts encoded by ResourcePath
  std::vector<std::pair<std::string, std::string>> query = {};
  std::string_view body = {};  // JSON text, or empty
  // An etag; the service answers 412 (FailedPrecondition) when the resource has changed since.
  std::string if_match = {};
  std::string what = {};  // for messages: "patch table shop.members"
  Idempotency idempotency = Idempotency::kIdempotent;
  absl::Duration timeout = absl::ZeroDuration();  // zero: the client's
  absl::Duration answer_within = kAnswerWithin;   // longer is a silence (base/outage.h)
};

// Thread-safe; one for the whole process, shared by all workers.
class Rest {
 public:
  explicit Rest(RestOptions options);
  ~Rest();
  // The answer's body. Retries as the policy and the spec's idempotency allow.
  absl::StatusOr<std::string> Call(const RestCallSpec& spec);
  // One try of any URL below the endpoint's host (uploads), with token and headers added; any answer is OK.
  absl::StatusOr<HttpResponse> Send(HttpRequest request);
  // Whoever listens to outages hears what came of a try.
  void Tell(std::string_view what, const absl::Status& outcome) const;
  const RestOptions& options() const { return options_; }
  // Of each table's definition, by its name: patches and DDL share the budget.
  Pace& table_change_pace() { return table_change_pace_; }
  RecentDdl& recent_ddl() { return recent_ddl_; }

 private:
  absl::StatusOr<std::string> CallOnce(const RestCallSpec& spec);
  const RestOptions options_;
  HttpClient http_;
  Pace table_change_pace_{kTableChangeLimits};
  RecentDdl recent_ddl_;
};

// "/projects/p/datasets/d": every part percent-encoded.
std::string ResourcePath(const std::vector<std::string_view>& parts);

}  // namespace hakobu
