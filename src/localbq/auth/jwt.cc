#include "localbq/auth/jwt.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "absl/strings/escaping.h"
#include "base/status.h"

namespace hakobu::localbq::auth {
namespace {

using nlohmann::json;

constexpr absl::Duration kClockSkew = absl::Minutes(5);

RsaKey Owned(EVP_PKEY* key) {
  ERR_clear_error();
  return RsaKey(key, [](EVP_PKEY* owned) { EVP_PKEY_free(owned); });
}

std::string Base64Url(std::string_view bytes) {
  std::string text = absl::WebSafeBase64Escape(View(bytes));
  while (text.ends_with('=')) text.pop_back();
  return text;
}

bool Unescape(std::string_view text, std::string* bytes) {
  return absl::WebSafeBase64Unescape(View(text), bytes);
}

int64_t NumberAt(const json& object, const char* key, int64_t fallback) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number() ? found->get<int64_t>() : fallback;
}

}  // namespace

absl::StatusOr<RsaKey> ReadRsaKey(std::string_view pem) {
  using Read = EVP_PKEY* (*)(BIO*);
  constexpr Read kReads[] = {[](BIO* bio) { return PEM_read_bio_PUBKEY(bio, nullptr, nullptr, nullptr); },
                             [](BIO* bio) { return PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr); },
                             [](BIO* bio) -> EVP_PKEY* {
                               X509* certificate = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
                               EVP_PKEY* key =
                                   certificate == nullptr ? nullptr : X509_get_pubkey(certificate);
                               X509_free(certificate);
                               return key;
                             }};
  for (const Read read : kReads) {
    BIO* bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
    RsaKey key = Owned(read(bio));
    BIO_free(bio);
    if (key && EVP_PKEY_base_id(key.get()) == EVP_PKEY_RSA) return key;
  }
  return absl::InvalidArgumentError("expected an RSA key or certificate in PEM form");
}

absl::StatusOr<RsaKey> RsaKeyFromJwk(std::string_view modulus, std::string_view exponent) {
  std::string n, e;
  if (!Unescape(modulus, &n) || !Unescape(exponent, &e) || n.empty() || e.empty())
    return absl::InvalidArgumentError("expected n and e of an RSA key in base64url");
  OSSL_PARAM_BLD* builder = OSSL_PARAM_BLD_new();
  BIGNUM* n_number =
      BN_bin2bn(reinterpret_cast<const unsigned char*>(n.data()), static_cast<int>(n.size()), nullptr);
  BIGNUM* e_number =
      BN_bin2bn(reinterpret_cast<const unsigned char*>(e.data()), static_cast<int>(e.size()), nullptr);
  OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n_number);
  OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e_number);
  OSSL_PARAM* parameters = OSSL_PARAM_BLD_to_param(builder);
  EVP_PKEY_CTX* context = EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr);
  EVP_PKEY* key = nullptr;
  const bool made = EVP_PKEY_fromdata_init(context) == 1 &&
                    EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters) == 1;
  EVP_PKEY_CTX_free(context);
  OSSL_PARAM_free(parameters);
  OSSL_PARAM_BLD_free(builder);
  BN_free(n_number);
  BN_free(e_number);
  if (!made) return absl::InvalidArgumentError("expected n and e of an RSA key");
  return Owned(key);
}

RsaKey MakeRsaKey() {
  return Owned(EVP_RSA_gen(2048));
}

std::string PrivatePem(const RsaKey& key) {
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PKCS8PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string pem(data, static_cast<size_t>(size));
  BIO_free(bio);
  return pem;
}

absl::StatusOr<Jwt> ParseJwt(std::string_view text) {
  const size_t first = text.find('.');
  const size_t second = first == std::string_view::npos ? first : text.find('.', first + 1);
  Jwt jwt;
  std::string header, claims;
  if (second == std::string_view::npos || !Unescape(text.substr(0, first), &header) ||
      !Unescape(text.substr(first + 1, second - first - 1), &claims) ||
      !Unescape(text.substr(second + 1), &jwt.signature)) {
    return absl::InvalidArgumentError("expected a JWT: three parts in base64url");
  }
  jwt.header = json::parse(header, nullptr, /*allow_exceptions=*/false);
  jwt.claims = json::parse(claims, nullptr, /*allow_exceptions=*/false);
  if (!jwt.header.is_object() || !jwt.claims.is_object())
    return absl::InvalidArgumentError("expected a JWT: its parts are not JSON objects");
  jwt.signed_part = text.substr(0, second);
  return jwt;
}

bool IsSignedBy(const Jwt& jwt, std::span<const VerifyKey> keys) {
  const auto algorithm = jwt.header.find("alg");
  if (algorithm == jwt.header.end() || *algorithm != "RS256") return false;
  const auto key_id = jwt.header.find("kid");
  for (const VerifyKey& key : keys) {
    const bool other = !key.id.empty() && key_id != jwt.header.end() && *key_id != key.id;
    if (other || !key.key) continue;
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    const bool good =
        EVP_DigestVerifyInit(context, nullptr, EVP_sha256(), nullptr, key.key.get()) == 1 &&
        EVP_DigestVerify(context, reinterpret_cast<const unsigned char*>(jwt.signature.data()),
                         jwt.signature.size(), reinterpret_cast<const unsigned char*>(jwt.signed_part.data()),
                         jwt.signed_part.size()) == 1;
    EVP_MD_CTX_free(context);
    ERR_clear_error();
    if (good) return true;
  }
  return false;
}

std::string SignJwt(const json& header, const json& claims, const RsaKey& key) {
  const std::string text = Base64Url(header.dump()) + "." + Base64Url(claims.dump());
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  std::string signature(static_cast<size_t>(EVP_PKEY_size(key.get())), '\0');
  size_t size = signature.size();
  const bool good = EVP_DigestSignInit(context, nullptr, EVP_sha256(), nullptr, key.get()) == 1 &&
                    EVP_DigestSign(context, reinterpret_cast<unsigned char*>(signature.data()), &size,
                                   reinterpret_cast<const unsigned char*>(text.data()), text.size()) == 1;
  EVP_MD_CTX_free(context);
  signature.resize(good ? size : 0);
  return text + "." + Base64Url(signature);
}

bool IsTimely(const Jwt& jwt, absl::Time now, absl::Duration longest) {
  const int64_t issued = NumberAt(jwt.claims, "iat", -1), expires = NumberAt(jwt.claims, "exp", -1);
  if (issued < 0 || expires < 0) return false;
  const absl::Time from = absl::FromUnixSeconds(issued), until = absl::FromUnixSeconds(expires);
  return from <= now + kClockSkew && until > now && until > from && until - from <= longest + kClockSkew;
}

}  // namespace hakobu::localbq::auth
