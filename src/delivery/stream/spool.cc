#include "delivery/stream/spool.h"

#include "base/status.h"
#include "delivery/stream/disk_spool.h"

namespace hakobu {

absl::StatusOr<std::unique_ptr<Spool>> Spool::Open(const SpoolOptions& options) {
  auto opened = std::make_unique<spool::DiskSpool>(options);
  HAKOBU_RETURN_IF_ERROR(opened->Recover());
  return opened;
}

}  // namespace hakobu
