// A signed request for AWS's GetCallerIdentity, as workload identity federation takes it for a proof.
// Source: https://docs.cloud.google.com/iam/docs/workload-identity-federation-with-other-clouds, AWS
// Signature Version 4.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace hakobu::localbq::auth {

// Whose signature is trusted.
struct AwsRole {
  std::string access_key_id, secret_access_key, session_token;
  std::string arn;  // "arn:aws:sts::123456789012:assumed-role/hakobu/task"
};

// `subject_token`: percent-encoded JSON {url, method, headers:[{key,value}]}. OK when it is a request for
// GetCallerIdentity meant for `audience`, signed by the role within the last quarter of an hour.
// InvalidArgument otherwise, which says what is wrong with it.
absl::Status CheckCallerIdentityRequest(std::string_view subject_token, std::string_view audience,
                                        const AwsRole& role, absl::Time now);

}  // namespace hakobu::localbq::auth
