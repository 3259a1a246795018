// Text on disk that only who has a secret can read: AES-256-GCM, so that a changed byte is noticed too.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace hakobu {

// Immutable, so thread-safe. The key leaves memory with the object.
class Sealer {
 public:
  // The same three make the same key (HKDF with SHA-256, RFC 5869): `secret` is what others do not have,
  // `salt` tells keys of equal secrets apart, `purpose` those of equal salts.
  static Sealer Derive(std::string_view secret, std::string_view salt, std::string_view purpose);
  // A key of this object alone: what it sealed cannot be opened by anybody once it is gone.
  static Sealer Random();

  Sealer(const Sealer&) = default;
  Sealer& operator=(const Sealer&) = default;
  ~Sealer();

  static constexpr size_t kOverheadBytes = 12 + 16;  // a nonce before, a tag after

  // `place`: where the text stands; it opens nowhere else.
  std::string Seal(std::string_view text, std::string_view place) const;
  // FailedPrecondition when it was sealed with another key, for another place, or is damaged.
  absl::StatusOr<std::string> Open(std::string_view sealed, std::string_view place) const;

 private:
  Sealer() = default;
  std::array<uint8_t, 32> key_{};
};

}  // namespace hakobu
