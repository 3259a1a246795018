// JSON Web Tokens signed with RS256 (RFC 7515, 7519), and the keys that check them. Pure, but for OpenSSL.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

struct evp_pkey_st;

namespace hakobu::localbq::auth {

// An RSA key, public or private. Shared, never changed.
using RsaKey = std::shared_ptr<evp_pkey_st>;

// From PEM: a public key, a certificate or a private key. InvalidArgument for anything else.
absl::StatusOr<RsaKey> ReadRsaKey(std::string_view pem);
// From a JWK's n and e, in base64url.
absl::StatusOr<RsaKey> RsaKeyFromJwk(std::string_view modulus, std::string_view exponent);
RsaKey MakeRsaKey();
std::string PrivatePem(const RsaKey& key);  // PKCS #8

struct VerifyKey {
  std::string id;  // the token's `kid`; empty: tried for every token
  RsaKey key;
};

struct Jwt {
  nlohmann::json header, claims;
  std::string signed_part, signature;
};

// InvalidArgument when it is no JWT.
absl::StatusOr<Jwt> ParseJwt(std::string_view text);
// Whether one of the keys has signed it, with RS256.
bool IsSignedBy(const Jwt& jwt, std::span<const VerifyKey> keys);
// header.claims.signature.
std::string SignJwt(const nlohmann::json& header, const nlohmann::json& claims, const RsaKey& key);

// `exp` ahead and at most `longest` after `iat`, which is not ahead; clocks may differ by five minutes.
bool IsTimely(const Jwt& jwt, absl::Time now, absl::Duration longest = absl::Hours(1));

}  // namespace hakobu::localbq::auth
