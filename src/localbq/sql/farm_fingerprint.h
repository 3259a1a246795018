// FarmHash's Fingerprint64, stable for ever: https://github.com/google/farmhash (farmhashna::Hash64).
#pragma once

#include <cstdint>
#include <string_view>

namespace hakobu::localbq::sql {

uint64_t FarmFingerprint(std::string_view bytes);

}  // namespace hakobu::localbq::sql
