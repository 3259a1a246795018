// The rows of one chunk, each to its tenant's piece. Memory is bounded whatever the number of tenants: when
// all buffers together are too large, the largest becomes a piece of the spool.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "delivery/tenants/piece_spool.h"
#include "delivery/tenants/tenant_keys.h"

namespace hakobu {

struct Partitioned {
  std::vector<std::pair<uint32_t, Piece>> pieces;  // by tenant
  NobodyRows nobody;
  uint64_t elsewhere = 0;  // rows of tenants that another scan serves

  uint64_t handed_out() const;
};

// One thread.
class Partition {
 public:
  // `served`: by tenant, whether this scan serves it. All outlive the partition.
  Partition(PieceSpool* spool, const TenantKeys* keys, const std::vector<bool>* served, uint64_t most_bytes)
      : spool_(spool), keys_(keys), served_(served), most_bytes_(most_bytes) {}

  absl::Status Take(const Cell& key, std::string_view packet);
  // What is left in memory becomes pieces. Nothing may follow.
  absl::StatusOr<Partitioned> Finish();

 private:
  absl::Status Seal(uint32_t tenant, PieceBuffer* buffer);
  absl::Status SealLargest();

  PieceSpool* spool_;
  const TenantKeys* keys_;
  const std::vector<bool>* served_;
  const uint64_t most_bytes_;
  std::array<char, 24> digits_{};
  absl::flat_hash_map<uint32_t, PieceBuffer> buffers_;
  uint64_t bytes_ = 0;
  Partitioned result_;
};

}  // namespace hakobu
