// Access tokens that were handed out, until they expire.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace hakobu::localbq::auth {

struct AccessToken {
  std::string member;
  std::vector<std::string> scopes;  // empty: all
  absl::Time expires = absl::InfiniteFuture();
};

// Thread-safe. Tokens do not outlive the process: after a restart clients get a 401 and ask anew.
class TokenStore {
 public:
  // A fresh token, "ya29.…", that nobody can guess.
  std::string Mint(AccessToken token, absl::Time now);
  // A token as an identity file gives it.
  void Add(std::string text, AccessToken token);
  // nullopt for one that is unknown or has expired.
  std::optional<AccessToken> Find(std::string_view text, absl::Time now) const;

 private:
  mutable absl::Mutex mutex_;
  absl::flat_hash_map<std::string, AccessToken> tokens_ ABSL_GUARDED_BY(mutex_);
};

// `bytes` random bytes in base64url.
std::string RandomText(int bytes);

}  // namespace hakobu::localbq::auth
