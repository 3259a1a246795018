// zstd for the MySQL protocol's compressed packets. Connector/C takes it from a plugin that the distribution
// does not build; this is that plugin, over libzstd.
#pragma once

#include "absl/status/status.h"

namespace hakobu {

// From now on connections of this process that ask for compression use zstd where the server speaks it
// (MySQL 8.0.18 and later), and zlib elsewhere. May be called again, and by several threads.
absl::Status OfferWireZstd();

}  // namespace hakobu
