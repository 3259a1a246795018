#include "delivery/move/request_writer.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/check.h"
#include "base/status.h"

namespace hakobu {
namespace {

constexpr size_t kMostKeys = 10;  // of refused rows, in an error

}  // namespace

absl::Status RequestWriter::Write(const Batch& batch, std::span<const RowChange> changes) {
  HAKOBU_CHECK(changes.empty() || changes.size() == batch.rows(), "rows and their changes do not match",
               kStartAgain);
  for (size_t row = 0; row < batch.rows();) {
    if (request_ == nullptr) request_ = pool_->Take();
    const size_t before = request_->rows();
    HAKOBU_ASSIGN_OR_RETURN(const size_t taken, encoder_.Append(batch, row, kRequestBytes, request_.get(),
                                                                &quarantine_, changes));
    NoteRows(before);
    HAKOBU_CHECK(taken > 0 || before > 0, "the encoder took no row of a request that was empty", kStartAgain);
    HAKOBU_CHECK(taken <= batch.rows() - row, "the encoder took more rows than there are", kStartAgain);
    row += taken;
    if (row < batch.rows() || request_->bytes().size() >= kRequestBytes) HAKOBU_RETURN_IF_ERROR(Flush());
  }
  return absl::OkStatus();
}

absl::Status RequestWriter::Flush() {
  if (request_ == nullptr || request_->rows() == 0) return absl::OkStatus();
  bytes_ += request_->bytes().size();
  return send_(std::exchange(request_, nullptr));
}

void RequestWriter::NoteRows(size_t first) {
  for (size_t i = first; i < request_->rows(); ++i) {
    const auto place = static_cast<int64_t>(content_.rows);
    content_.Add(request_->Message(i));
    for (const RowError& error : refused_) {
      if (error.row != place || keys_.size() >= kMostKeys) continue;
      keys_.push_back(fmt::format("key {}: {}", encoder_.KeyText(request_->Message(i)), error.message));
    }
  }
}

absl::Status RequestWriter::Explain(const absl::Status& status) const {
  if (status.ok() || keys_.empty()) return status;
  absl::Status explained = absl::InvalidArgumentError(
      fmt::format("BigQuery refused {} rows: {}", refused_.size(), fmt::join(keys_, "; ")));
  status.ForEachPayload(
      [&](absl::string_view url, const absl::Cord& payload) { explained.SetPayload(url, payload); });
  return WithHint(explained, "give the column another type with `as:`, or leave the rows out with `where:`");
}

}  // namespace hakobu
