// Passwords for RDS and Aurora by IAM database authentication.
#pragma once

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "destination/token_source.h"

namespace hakobu {

struct RdsLogin {
  std::string host;
  uint16_t port = 3306;
  std::string user;
  std::string region;  // empty: what the host's name says, else AWS_REGION
};

// "db.cluster-abc.ap-northeast-1.rds.amazonaws.com" -> "ap-northeast-1"; empty for another name.
std::string RegionOfRdsHost(std::string_view host);

// One token each time it is asked, with the AWS keys of the environment, the task or the instance.
std::function<absl::StatusOr<std::string>()> RdsTokens(const RdsLogin& login, const TokenSeam& seam);

}  // namespace hakobu
