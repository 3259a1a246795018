#include "source/wire_auth.h"

#include <errmsg.h>
#include <fmt/format.h>
#include <mysql.h>
#include <mysql/plugin_auth.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "base/status.h"
#include "source/wire_socket.h"

// Exported by the library, in none of its installed headers: calls back with what is read (mode 0) and
// written, behind TLS.
extern "C" int ma_pvio_register_callback(my_bool add,
                                         void (*callback)(int mode, MYSQL* mysql, const unsigned char* bytes,
                                                          size_t size));

namespace hakobu {
namespace {

constexpr size_t kScrambleBytes = 20;
constexpr uint8_t kAskKeySha256 = 1, kAskKeyCachingSha2 = 2, kFastLoginDone = 3, kFullLoginWanted = 4;

using Digest = std::array<uint8_t, SHA256_DIGEST_LENGTH>;

bool Write(MYSQL_PLUGIN_VIO* vio, const void* bytes, size_t size) {
  return vio->write_packet(vio, static_cast<const unsigned char*>(bytes), static_cast<int>(size)) == 0;
}

std::optional<std::string> Read(MYSQL_PLUGIN_VIO* vio) {
  unsigned char* packet = nullptr;
  const int size = vio->read_packet(vio, &packet);
  if (size < 0) return std::nullopt;
  return std::string(reinterpret_cast<const char*>(packet), static_cast<size_t>(size));
}

// The server's random bytes; it ends them with a zero.
std::optional<std::string> ReadScramble(MYSQL_PLUGIN_VIO* vio) {
  std::optional<std::string> scramble = Read(vio);
  if (!scramble || scramble->size() != kScrambleBytes + 1) return std::nullopt;
  scramble->resize(kScrambleBytes);
  return scramble;
}

Digest Sha256(std::string_view bytes) {
  Digest digest;
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.data());
  return digest;
}

std::string_view Bytes(const Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

// "Caching SHA-2 pluggable authentication": SHA256(password) XOR SHA256(SHA256(SHA256(password)), scramble).
Digest Answer(std::string_view password, std::string_view scramble) {
  Digest answer = Sha256(password);
  std::string twice(Bytes(Sha256(Bytes(answer))));
  twice += scramble;
  const Digest mask = Sha256(twice);
  for (size_t i = 0; i < answer.size(); ++i) answer[i] ^= mask[i];
  return answer;
}

std::optional<std::vector<uint8_t>> Encrypt(std::string_view pem, std::string_view secret) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> text(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free);
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
      PEM_read_bio_PUBKEY(text.get(), nullptr, nullptr, nullptr), EVP_PKEY_free);
  if (key == nullptr) return std::nullopt;
  const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(
      EVP_PKEY_CTX_new(key.get(), nullptr), EVP_PKEY_CTX_free);
  size_t size = 0;
  const auto* bytes = reinterpret_cast<const unsigned char*>(secret.data());
  if (context == nullptr || EVP_PKEY_encrypt_init(context.get()) != 1 ||
      EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_OAEP_PADDING) != 1 ||
      EVP_PKEY_encrypt(context.get(), nullptr, &size, bytes, secret.size()) != 1) {
    return std::nullopt;
  }
  std::vector<uint8_t> encrypted(size);
  if (EVP_PKEY_encrypt(context.get(), encrypted.data(), &size, bytes, secret.size()) != 1)
    return std::nullopt;
  encrypted.resize(size);
  return encrypted;
}

int Fail(absl::Status why) {
  if (WireOpening* opening = WireOpening::Current()) opening->Fail(std::move(why));
  return CR_ERROR;
}

// The password itself, as far as this connection may carry it.
int SendPassword(MYSQL_PLUGIN_VIO* vio, MYSQL* mysql, std::string_view scramble, uint8_t ask_key) {
  MYSQL_PLUGIN_VIO_INFO info{};
  vio->info(vio, &info);
  const std::string_view password(mysql->passwd, std::strlen(mysql->passwd) + 1);  // with its zero
  const bool private_line =
      info.protocol == MYSQL_PLUGIN_VIO_INFO::MYSQL_VIO_SOCKET || mysql_get_ssl_cipher(mysql) != nullptr;
  if (private_line) return Write(vio, password.data(), password.size()) ? CR_OK : CR_ERROR;
  const WireOpening* opening = WireOpening::Current();
  if (opening == nullptr || !opening->local()) {
    return Fail(WithHint(absl::UnauthenticatedError(
                             "the server asks for the password itself, and the line is not encrypted; it "
                             "was not sent"),
                         "set the source's tls.mode to require or, better, verify_identity"));
  }
  if (!Write(vio, &ask_key, 1)) return CR_ERROR;
  std::optional<std::string> key = Read(vio);
  if (!key) return CR_ERROR;
  if (!key->empty() && key->front() == '\x01') key->erase(0, 1);  // "extra data" of the packet
  std::string masked(password);
  for (size_t i = 0; i < masked.size(); ++i)
    masked[i] = static_cast<char>(masked[i] ^ scramble[i % scramble.size()]);
  const auto encrypted = Encrypt(*key, masked);
  if (!encrypted) return Fail(absl::UnauthenticatedError("the server's RSA key cannot be read"));
  return Write(vio, encrypted->data(), encrypted->size()) ? CR_OK : CR_ERROR;
}

int CachingSha2(MYSQL_PLUGIN_VIO* vio, MYSQL* mysql) {
  const std::optional<std::string> scramble = ReadScramble(vio);
  if (!scramble) return CR_SERVER_HANDSHAKE_ERR;
  if (mysql->passwd == nullptr || mysql->passwd[0] == '\0') return Write(vio, "", 0) ? CR_OK : CR_ERROR;
  // The answer to the challenge first, also over TLS: often it is enough, and the password stays here.
  const Digest answer = Answer(mysql->passwd, *scramble);
  if (!Write(vio, answer.data(), answer.size())) return CR_ERROR;
  std::optional<std::string> reply = Read(vio);
  if (!reply) return CR_ERROR;
  if (reply->size() == 2 && reply->front() == '\x01') reply->erase(0, 1);
  if (reply->size() != 1)
    return CR_OK_HANDSHAKE_COMPLETE;  // an error, or the end already: the library reads it
  const auto wanted = static_cast<uint8_t>(reply->front());
  if (wanted == kFastLoginDone) return CR_OK;
  if (wanted != kFullLoginWanted) return CR_ERROR;
  return SendPassword(vio, mysql, *scramble, kAskKeyCachingSha2);
}

int PlainSha256(MYSQL_PLUGIN_VIO* vio, MYSQL* mysql) {
  const std::optional<std::string> scramble = ReadScramble(vio);
  if (!scramble) return CR_SERVER_HANDSHAKE_ERR;
  if (mysql->passwd == nullptr || mysql->passwd[0] == '\0') return Write(vio, "", 1) ? CR_OK : CR_ERROR;
  return SendPassword(vio, mysql, *scramble, kAskKeySha256);
}

// The library offers it only where AuthenticationMethods() names it.
int ClearPassword(MYSQL_PLUGIN_VIO* vio, MYSQL* mysql) {
  return Write(vio, mysql->passwd, std::strlen(mysql->passwd) + 1) ? CR_OK : CR_ERROR;
}

using Authenticate = int (*)(MYSQL_PLUGIN_VIO*, MYSQL*);

// st_mysql_client_plugin_AUTHENTICATION of mysql/client_plugin.h, which needs a header that is not installed.
struct AuthenticationPlugin {
  st_mysql_client_plugin header;
  Authenticate authenticate;
};

AuthenticationPlugin Plugin(const char* name, Authenticate authenticate) {
  constexpr int kAuthenticationPlugin = 2;            // MYSQL_CLIENT_AUTHENTICATION_PLUGIN
  constexpr unsigned int kInterfaceVersion = 0x0100;  // …_INTERFACE_VERSION
  AuthenticationPlugin plugin{};
  plugin.header.type = kAuthenticationPlugin;
  plugin.header.interface_version = kInterfaceVersion;
  plugin.header.name = name;
  plugin.header.author = "hakobu";
  plugin.header.desc = name;
  plugin.header.version[0] = 1;
  plugin.header.license = "Apache-2.0";
  plugin.authenticate = authenticate;
  return plugin;
}

AuthenticationPlugin plugins[] = {Plugin("caching_sha2_password", CachingSha2),
                                  Plugin("sha256_password", PlainSha256),
                                  Plugin("mysql_clear_password", ClearPassword)};

// Where the thread's LastAnswer keeps what is read; null: nobody logs in.
thread_local std::string* last_answer = nullptr;

void KeepAnswer(int mode, MYSQL* /*mysql*/, const unsigned char* bytes, size_t size) {
  constexpr size_t kMostBytes = 512;  // of which a method's name needs few; -1 as a size: nothing came
  if (last_answer == nullptr || mode != 0 || size == 0 || static_cast<ssize_t>(size) < 0) return;
  last_answer->assign(reinterpret_cast<const char*>(bytes), std::min(size, kMostBytes));
}

}  // namespace

LastAnswer::LastAnswer() {
  last_answer = &bytes_;
}
LastAnswer::~LastAnswer() {
  last_answer = nullptr;
}

// AuthSwitchRequest: length (3), number, 0xFE, the method's name and a zero.
std::string LastAnswer::AskedMethod() const {
  constexpr size_t kName = 5;
  constexpr size_t kLongest = 64;
  if (bytes_.size() <= kName || bytes_[kName - 1] != '\xFE') return "";
  const std::string name = bytes_.substr(kName, bytes_.find('\0', kName) - kName);
  const bool plausible = name.size() <= kLongest && std::all_of(name.begin(), name.end(), [](char c) {
                           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                                  (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '/' || c == '-';
                         });
  return plausible ? name : "";
}

std::string AuthenticationMethods(TlsMode tls, bool unix_socket) {
  std::string names = "mysql_native_password,client_ed25519,caching_sha2_password,sha256_password";
  if (unix_socket || tls == TlsMode::kVerifyIdentity) names += ",mysql_clear_password";
  return names;
}

absl::Status OfferAuthentication(st_mysql* mysql) {
  static absl::Mutex mutex;
  static bool offered = false;
  absl::MutexLock lock(&mutex);
  if (offered) return absl::OkStatus();
  for (auto& plugin : plugins) {
    if (mysql_client_register_plugin(mysql, &plugin.header) == nullptr) {
      return absl::InternalError(
          fmt::format("offer {} to the client library: {}", plugin.header.name, mysql_error(mysql)));
    }
  }
  if (ma_pvio_register_callback(1, KeepAnswer) != 0) {
    return absl::InternalError("listen to what the client library reads: it has no room");
  }
  offered = true;
  return absl::OkStatus();
}

absl::Status ExplainRefusedMethod(std::string_view library_text, std::string_view asked, TlsMode tls) {
  // CR_ERR_RESTRICTED_AUTH, and what the library says where it does not find a plugin's file.
  const bool refused = library_text.find("restricted_auth") != library_text.npos ||
                       library_text.find("could not be loaded") != library_text.npos;
  if (!refused) return absl::OkStatus();
  const size_t begin = library_text.find('\'');
  const size_t end = begin == library_text.npos ? begin : library_text.find('\'', begin + 1);
  const std::string_view name = !asked.empty()             ? asked
                                : end == library_text.npos ? "?"
                                                           : library_text.substr(begin + 1, end - begin - 1);
  const bool known = !name.empty() && name != "?";
  const absl::Status status = absl::UnauthenticatedError(fmt::format(
      "the server asks for the authentication method {}; it is refused, and nothing was sent",
      known ? std::string(name) : "of the account, which is none of " + AuthenticationMethods(tls, false)));
  if (name == "mysql_clear_password" && tls != TlsMode::kVerifyIdentity) {
    return WithHint(status,
                    "it sends the password itself, so the server must prove who it is: set tls.mode to "
                    "verify_identity and tls.ca");
  }
  return WithHint(status,
                  "give the account mysql_native_password, caching_sha2_password or ed25519; RDS's IAM and "
                  "PAM, which send "
                  "the password itself, need tls.mode verify_identity (MariaDB's PAM also "
                  "pam_use_cleartext_plugin=ON); if "
                  "it never was different, somebody else answers for the server");
}

}  // namespace hakobu
