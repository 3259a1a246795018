// `hakobu status --max-age`: whether what is in BigQuery is recent enough, for monitoring.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "config/config.h"
#include "ledger/ledger.h"

namespace hakobu {

// A table that is older than it may be.
struct LateTable {
  std::string source;  // "shop.members", or the pattern of an entry that delivered nothing yet
  absl::Time as_of =
      absl::InfinitePast();  // the source as it was then is in BigQuery; InfinitePast: never delivered
  std::string reason;        // what is known besides: a stopped table's reason
};

// Every table that the ledger knows and the configuration still wants, and every entry of the configuration
// for which the ledger knows no table. A nightly table is as old as the start of the last run that delivered
// it; a streamed one as what was last known to be delivered whole, and late whatever its age while it is not
// whole.
absl::StatusOr<std::vector<LateTable>> FindLate(Ledger* ledger, const Config& config, absl::Duration max_age,
                                                absl::Time now);

std::string LateText(const std::vector<LateTable>& late, absl::Duration max_age, absl::Time now);

}  // namespace hakobu
