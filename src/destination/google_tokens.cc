// Tokens from Google's own token endpoint: a service account's signed JWT (RFC 7523), a user's refresh token.
#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <nlohmann/json.hpp>

#include "base/address.h"
#include "base/status.h"
#include "destination/error.h"
#include "destination/json.h"
#include "destination/token_source.h"

namespace hakobu {
namespace {

using nlohmann::json;

constexpr std::string_view kGoogleTokenUrl = "https://oauth2.googleapis.com/token";

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using Key = std::unique_ptr<EVP_PKEY, FreeKey>;

std::string Base64Url(std::string_view bytes) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string text;
  uint32_t bits = 0;
  int count = 0;
  for (const char c : bytes) {
    bits = bits << 8 | static_cast<unsigned char>(c);
    for (count += 8; count >= 6; count -= 6) text += kAlphabet[bits >> (count - 6) & 63];
  }
  if (count > 0) text += kAlphabet[bits << (6 - count) & 63];
  return text;
}

absl::StatusOr<Key> ReadKey(const std::string& pem) {
  BIO* bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  Key key(PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr));
  BIO_free(bio);
  ERR_clear_error();
  if (key == nullptr || EVP_PKEY_base_id(key.get()) != EVP_PKEY_RSA) {
    return WithHint(absl::InvalidArgumentError("expected an RSA key in PEM form in 'private_key'"),
                    "line breaks in the key are \\n in the JSON file; a copy by hand may have lost them");
  }
  return key;
}

absl::StatusOr<std::string> SignRs256(EVP_PKEY* key, std::string_view text) {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  std::string signature(static_cast<size_t>(EVP_PKEY_size(key)), '\0');
  size_t size = signature.size();
  const bool signed_well =
      EVP_DigestSignInit(context, nullptr, EVP_sha256(), nullptr, key) == 1 &&
      EVP_DigestSign(context, reinterpret_cast<unsigned char*>(signature.data()), &size,
                     reinterpret_cast<const unsigned char*>(text.data()), text.size()) == 1;
  EVP_MD_CTX_free(context);
  if (!signed_well) return absl::InternalError("sign a JWT: OpenSSL refused the key");
  signature.resize(size);
  return signature;
}

std::string Joined(const Scopes& scopes) {
  std::string text;
  for (const std::string& scope : scopes) text += (text.empty() ? "" : " ") + scope;
  return text;
}

HttpRequest FormPost(const std::string& url, std::string_view form) {
  HttpRequest request;
  request.method = "POST";
  request.url = url;
  request.headers = {"Content-Type: application/x-www-form-urlencoded"};
  request.body = form;
  request.timeout = absl::Seconds(30);
  return request;
}

class ServiceAccount final : public TokenSource {
 public:
  struct Parts {
    std::string email, key_id, token_url;
    Key key;
  };
  ServiceAccount(Parts parts, Scopes scopes, TokenSeam seam)
      : parts_(std::move(parts)), scopes_(std::move(scopes)), seam_(std::move(seam)) {}

  absl::StatusOr<AccessToken> Fetch() override {
    const std::string what = "ask " + OriginOf(parts_.token_url);
    HAKOBU_ASSIGN_OR_RETURN(const std::string assertion, Assertion());
    const std::string form =
        FormEncode({{"grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"}, {"assertion", assertion}});
    absl::StatusOr<HttpResponse> response = seam_.Fetch(FormPost(parts_.token_url, form), what, {assertion});
    if (ErrorReason(response.status()) == "invalid_grant") {
      return WithHint(response.status(),
                      "the key may be deleted or disabled, or the account gone; make a new key");
    }
    if (!response.ok()) return response.status();
    return ParseTokenAnswer(*response, what, seam_.clock);
  }
  std::string Describe() const override { return "service account " + parts_.email; }

 private:
  absl::StatusOr<std::string> Assertion() const {
    const int64_t now = absl::ToUnixSeconds(seam_.clock->Now());
    json header = {{"alg", "RS256"}, {"typ", "JWT"}};
    if (!parts_.key_id.empty()) header["kid"] = parts_.key_id;
    const json claims = {{"iss", parts_.email},
                         {"scope", Joined(scopes_)},
                         {"aud", parts_.token_url},
                         {"iat", now},
                         {"exp", now + 3600}};
    const std::string text = Base64Url(header.dump()) + "." + Base64Url(claims.dump());
    HAKOBU_ASSIGN_OR_RETURN(const std::string signature, SignRs256(parts_.key.get(), text));
    return text + "." + Base64Url(signature);
  }
  const Parts parts_;
  const Scopes scopes_;
  const TokenSeam seam_;
};

class AuthorizedUser final : public TokenSource {
 public:
  AuthorizedUser(std::string token_url, std::string form, std::vector<std::string> secrets, TokenSeam seam)
      : token_url_(std::move(token_url)),
        form_(std::move(form)),
        secrets_(std::move(secrets)),
        seam_(std::move(seam)) {}
  absl::StatusOr<AccessToken> Fetch() override {
    const std::string what = "ask " + OriginOf(token_url_);
    absl::StatusOr<HttpResponse> response = seam_.Fetch(FormPost(token_url_, form_), what, secrets_);
    if (ErrorReason(response.status()) == "invalid_grant") {
      return WithHint(response.status(),
                      "the login has expired or was revoked; run gcloud auth application-default login");
    }
    if (!response.ok()) return response.status();
    return ParseTokenAnswer(*response, what, seam_.clock);
  }
  std::string Describe() const override { return "a user's own login"; }

 private:
  const std::string token_url_;
  const std::string form_;
  const std::vector<std::string> secrets_;  // in `form_`
  const TokenSeam seam_;
};

}  // namespace

MadeSource MakeServiceAccountSource(const json& file, const Scopes& scopes, const TokenSeam& seam) {
  ServiceAccount::Parts parts;
  HAKOBU_ASSIGN_OR_RETURN(parts.email, RequiredText(file, "client_email"));
  HAKOBU_ASSIGN_OR_RETURN(const std::string pem, RequiredText(file, "private_key"));
  HAKOBU_ASSIGN_OR_RETURN(parts.key, ReadKey(pem));
  parts.key_id = TextAt(file, "private_key_id");
  parts.token_url = TextAt(file, "token_uri");
  if (parts.token_url.empty()) parts.token_url = kGoogleTokenUrl;
  HAKOBU_RETURN_IF_ERROR(CheckTokenUrl(parts.token_url, "token_uri", seam));
  return std::make_unique<ServiceAccount>(std::move(parts), scopes, seam);
}

MadeSource MakeAuthorizedUserSource(const json& file, const TokenSeam& seam) {
  HAKOBU_ASSIGN_OR_RETURN(const std::string client_id, RequiredText(file, "client_id"));
  HAKOBU_ASSIGN_OR_RETURN(const std::string client_secret, RequiredText(file, "client_secret"));
  HAKOBU_ASSIGN_OR_RETURN(const std::string refresh_token, RequiredText(file, "refresh_token"));
  std::string token_url = TextAt(file, "token_uri");
  if (token_url.empty()) token_url = kGoogleTokenUrl;
  HAKOBU_RETURN_IF_ERROR(CheckTokenUrl(token_url, "token_uri", seam));
  std::string form = FormEncode({{"grant_type", "refresh_token"},
                                 {"client_id", client_id},
                                 {"client_secret", client_secret},
                                 {"refresh_token", refresh_token}});
  return std::make_unique<AuthorizedUser>(std::move(token_url), std::move(form),
                                          std::vector<std::string>{client_secret, refresh_token}, seam);
}

}  // namespace hakobu
