#include "destination/rds_login.h"

#include "absl/strings/str_split.h"
#include "base/status.h"
#include "destination/aws_keys.h"

namespace hakobu {
namespace {

// EC2's metadata; in a container the environment says where the task's keys are.
const AwsSource kRdsKeys = {"http://169.254.169.254/latest/meta-data/placement/availability-zone",
                            "http://169.254.169.254/latest/meta-data/iam/security-credentials",
                            "http://169.254.169.254/latest/api/token"};

absl::StatusOr<std::string> MakeToken(const RdsLogin& login, const TokenSeam& seam) {
  HAKOBU_ASSIGN_OR_RETURN(const AwsKeys keys, FetchAwsKeys(kRdsKeys, seam));
  std::string region = login.region.empty() ? RegionOfRdsHost(login.host) : login.region;
  if (region.empty()) {
    HAKOBU_ASSIGN_OR_RETURN(region, FetchAwsRegion(kRdsKeys, seam));
  }
  return RdsToken(login.host, login.port, login.user, region, keys, seam.clock->Now());
}

}  // namespace

std::string RegionOfRdsHost(std::string_view host) {
  const std::vector<std::string> parts = absl::StrSplit(absl::string_view(host.data(), host.size()), '.');
  for (size_t i = 1; i + 2 < parts.size(); ++i) {
    if (parts[i] == "rds" && parts[i + 1] == "amazonaws") return parts[i - 1];
  }
  return "";
}

std::function<absl::StatusOr<std::string>()> RdsTokens(const RdsLogin& login, const TokenSeam& seam) {
  return [login, seam]() -> absl::StatusOr<std::string> {
    absl::StatusOr<std::string> token = MakeToken(login, seam);
    if (token.ok()) return token;
    return WithHint(Annotate(token.status(), "sign in to the database by IAM"),
                    "AWS keys come from the environment, the task's role or the instance's");
  };
}

}  // namespace hakobu
