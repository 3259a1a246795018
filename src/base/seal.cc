#include "base/seal.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/rand.h>

#include <memory>

#include "base/check.h"

namespace hakobu {
namespace {

constexpr size_t kNonceBytes = 12;
constexpr size_t kTagBytes = 16;

template <auto kFree>
struct Freed {
  template <typename Object>
  void operator()(Object* object) const {
    kFree(object);
  }
};
using Cipher = std::unique_ptr<EVP_CIPHER_CTX, Freed<EVP_CIPHER_CTX_free>>;
using KeyDerivation = std::unique_ptr<EVP_PKEY_CTX, Freed<EVP_PKEY_CTX_free>>;

const uint8_t* Bytes(std::string_view text) {
  return reinterpret_cast<const uint8_t*>(text.data());
}
uint8_t* Bytes(std::string* text) {
  return reinterpret_cast<uint8_t*>(text->data());
}
int Size(std::string_view text) {
  return static_cast<int>(text.size());
}

void Must(bool done) {
  HAKOBU_CHECK(done, "the cryptographic library refused a call that cannot fail but for memory", kStartAgain);
}

}  // namespace

Sealer Sealer::Derive(std::string_view secret, std::string_view salt, std::string_view purpose) {
  Sealer sealer;
  size_t size = sealer.key_.size();
  const KeyDerivation derivation(EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, nullptr));
  Must(derivation != nullptr && EVP_PKEY_derive_init(derivation.get()) == 1 &&
       EVP_PKEY_CTX_set_hkdf_md(derivation.get(), EVP_sha256()) == 1 &&
       EVP_PKEY_CTX_set1_hkdf_salt(derivation.get(), Bytes(salt), Size(salt)) == 1 &&
       EVP_PKEY_CTX_set1_hkdf_key(derivation.get(), Bytes(secret), Size(secret)) == 1 &&
       EVP_PKEY_CTX_add1_hkdf_info(derivation.get(), Bytes(purpose), Size(purpose)) == 1 &&
       EVP_PKEY_derive(derivation.get(), sealer.key_.data(), &size) == 1);
  return sealer;
}

Sealer Sealer::Random() {
  Sealer sealer;
  Must(RAND_priv_bytes(sealer.key_.data(), static_cast<int>(sealer.key_.size())) == 1);
  return sealer;
}

Sealer::~Sealer() {
  OPENSSL_cleanse(key_.data(), key_.size());
}

std::string Sealer::Seal(std::string_view text, std::string_view place) const {
  std::string sealed(kNonceBytes + text.size() + kTagBytes, '\0');
  uint8_t* const nonce = Bytes(&sealed);
  uint8_t* const body = nonce + kNonceBytes;
  Must(RAND_bytes(nonce, kNonceBytes) == 1);
  const Cipher cipher(EVP_CIPHER_CTX_new());
  int size = 0;
  Must(cipher != nullptr &&
       EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, key_.data(), nonce) == 1 &&
       EVP_EncryptUpdate(cipher.get(), nullptr, &size, Bytes(place), Size(place)) == 1 &&
       EVP_EncryptUpdate(cipher.get(), body, &size, Bytes(text), Size(text)) == 1 &&
       EVP_EncryptFinal_ex(cipher.get(), body + size, &size) == 1 &&
       EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes, body + text.size()) == 1);
  return sealed;
}

absl::StatusOr<std::string> Sealer::Open(std::string_view sealed, std::string_view place) const {
  const auto refuse = [] {
    return absl::FailedPreconditionError("it is damaged, or was sealed with another secret");
  };
  if (sealed.size() < kOverheadBytes) return refuse();
  const std::string_view body = sealed.substr(kNonceBytes, sealed.size() - kOverheadBytes);
  std::string tag(sealed.substr(sealed.size() - kTagBytes));
  std::string text(body.size(), '\0');
  const Cipher cipher(EVP_CIPHER_CTX_new());
  int size = 0;
  Must(cipher != nullptr &&
       EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, key_.data(), Bytes(sealed)) == 1);
  const bool opened = EVP_DecryptUpdate(cipher.get(), nullptr, &size, Bytes(place), Size(place)) == 1 &&
                      EVP_DecryptUpdate(cipher.get(), Bytes(&text), &size, Bytes(body), Size(body)) == 1 &&
                      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, tag.data()) == 1 &&
                      EVP_DecryptFinal_ex(cipher.get(), Bytes(&text) + size, &size) == 1;
  if (!opened) return refuse();
  return text;
}

}  // namespace hakobu
