#include "delivery/tenants/partition.h"

#include <algorithm>

#include "base/status.h"

namespace hakobu {
namespace {

// A piece is read back whole.
constexpr size_t kPieceBytes = 1 << 20;

}  // namespace

uint64_t Partitioned::handed_out() const {
  uint64_t rows = 0;
  for (const auto& [tenant, piece] : pieces) rows += piece.rows;
  return rows;
}

absl::Status Partition::Take(const Cell& key, std::string_view packet) {
  if (key.kind == CellKind::kNull) {
    ++result_.nobody.null_rows;
    return absl::OkStatus();
  }
  const std::string_view value = KeyText(key, &digits_);
  // What could not be decoded is no text, whatever it looks like.
  const uint32_t tenant = key.kind == CellKind::kInvalid ? TenantKeys::kNone : keys_->Find(value);
  if (tenant == TenantKeys::kNone) {
    result_.nobody.AddUnknown(value);
    return absl::OkStatus();
  }
  if (!(*served_)[tenant]) {
    ++result_.elsewhere;
    return absl::OkStatus();
  }
  PieceBuffer& buffer = buffers_[tenant];
  const size_t before = buffer.bytes.size();
  buffer.Add(packet);
  bytes_ += buffer.bytes.size() - before;
  if (buffer.bytes.size() >= kPieceBytes) return Seal(tenant, &buffer);
  return bytes_ > most_bytes_ ? SealLargest() : absl::OkStatus();
}

absl::Status Partition::Seal(uint32_t tenant, PieceBuffer* buffer) {
  HAKOBU_ASSIGN_OR_RETURN(const Piece piece, spool_->Write(tenant, *buffer));
  result_.pieces.emplace_back(tenant, piece);
  bytes_ -= buffer->bytes.size();
  *buffer = PieceBuffer();
  return absl::OkStatus();
}

absl::Status Partition::SealLargest() {
  const auto largest =
      std::max_element(buffers_.begin(), buffers_.end(), [](const auto& left, const auto& right) {
        return left.second.bytes.size() < right.second.bytes.size();
      });
  return Seal(largest->first, &largest->second);
}

absl::StatusOr<Partitioned> Partition::Finish() {
  for (auto& [tenant, buffer] : buffers_) {
    if (buffer.rows > 0) HAKOBU_RETURN_IF_ERROR(Seal(tenant, &buffer));
  }
  return std::move(result_);
}

}  // namespace hakobu
