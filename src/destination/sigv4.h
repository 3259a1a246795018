// AWS Signature Version 4 of a request
// [docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html]. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/time.h"

namespace hakobu {

struct AwsKeys {
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token;  // empty for long-lived keys
};

using HeaderList = std::vector<std::pair<std::string, std::string>>;

// All headers of the signed request: host, x-amz-date, x-amz-security-token (with a session token), `extra`,
// and Authorization. `extra` has lower-case names and is signed too.
HeaderList SignV4(std::string_view method, std::string_view url, std::string_view region,
                  std::string_view service, const AwsKeys& keys, absl::Time now, const HeaderList& extra,
                  std::string_view body = {});

// The password of an account of RDS or Aurora that logs in by IAM: an address without its scheme, signed for
// 15 minutes [docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.Connecting.html].
std::string RdsToken(std::string_view host, uint16_t port, std::string_view user, std::string_view region,
                     const AwsKeys& keys, absl::Time now);

}  // namespace hakobu
