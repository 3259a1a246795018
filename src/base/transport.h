// How a connection to a server is protected and compressed: the words that config/ reads and source/ obeys.
#pragma once

#include <cstdint>

namespace hakobu {

enum class TlsMode : uint8_t { kOff, kRequire, kVerifyCa, kVerifyIdentity };
enum class WireCompression : uint8_t { kNone, kZlib, kZstd };

}  // namespace hakobu
