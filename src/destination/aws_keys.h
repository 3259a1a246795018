// AWS keys and region from where AWS puts them.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "destination/sigv4.h"
#include "destination/token_source.h"

namespace hakobu {

// credential_source of an external_account file with environment_id aws1.
struct AwsSource {
  std::string region_url;                // IMDS; AWS_REGION and AWS_DEFAULT_REGION come first
  std::string keys_url;                  // IMDS: …/iam/security-credentials
  std::string imdsv2_session_token_url;  // IMDSv2 when given
};

// In turn: the environment's keys; ECS and Fargate (AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI,
// which EKS Pod Identity sets too); EC2's metadata (IMDSv2).
absl::StatusOr<AwsKeys> FetchAwsKeys(const AwsSource& source, const TokenSeam& seam);
absl::StatusOr<std::string> FetchAwsRegion(const AwsSource& source, const TokenSeam& seam);

}  // namespace hakobu
