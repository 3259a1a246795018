#include "localbq/auth/tokens.h"

#include <openssl/rand.h>

#include "absl/strings/escaping.h"

namespace hakobu::localbq::auth {

std::string RandomText(int bytes) {
  std::string random(static_cast<size_t>(bytes), '\0');
  RAND_bytes(reinterpret_cast<unsigned char*>(random.data()), bytes);
  std::string text = absl::WebSafeBase64Escape(random);
  while (text.ends_with('=')) text.pop_back();
  return text;
}

std::string TokenStore::Mint(AccessToken token, absl::Time now) {
  std::string text = "ya29." + RandomText(32);
  absl::MutexLock lock(&mutex_);
  absl::erase_if(tokens_, [now](const auto& entry) { return entry.second.expires <= now; });
  tokens_[text] = std::move(token);
  return text;
}

void TokenStore::Add(std::string text, AccessToken token) {
  absl::MutexLock lock(&mutex_);
  tokens_[std::move(text)] = std::move(token);
}

std::optional<AccessToken> TokenStore::Find(std::string_view text, absl::Time now) const {
  absl::ReaderMutexLock lock(&mutex_);
  const auto found = tokens_.find(std::string(text));
  if (found == tokens_.end() || found->second.expires <= now) return std::nullopt;
  return found->second;
}

}  // namespace hakobu::localbq::auth
