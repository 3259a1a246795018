#include "app/stream_alerts.h"

#include "absl/time/clock.h"
#include "app/stream_conditions.h"

namespace hakobu {
namespace {

constexpr absl::Duration kGapsPatience = absl::Milliseconds(50);

}  // namespace

void StreamAlerts::OnStatus(const StreamStatus& status) {
  next_->OnStatus(status);
  if (notifier_ == nullptr) return;
  const absl::Time now = absl::Now();
  notifier_->Show(ObserveStream(status, Gaps(status), config_.notify, now));
  if (IsWell(status, config_.notify, now)) notifier_->Well();
}

std::optional<std::vector<StreamGapRecord>> StreamAlerts::Gaps(const StreamStatus& status) {
  if (status.state != StreamPhase::kStreaming) return std::nullopt;
  if (gaps_.has_value() && gaps_open_ == status.open_gaps) return gaps_;
  gaps_.reset();
  SqliteOptions options;
  options.patience = kGapsPatience;
  const auto ledger = Ledger::Open(config_.ledger, options);
  if (!ledger.ok()) return std::nullopt;
  auto read = (*ledger)->streams().Gaps();
  if (!read.ok()) return std::nullopt;
  gaps_ = *std::move(read);
  gaps_open_ = status.open_gaps;
  return gaps_;
}

}  // namespace hakobu
