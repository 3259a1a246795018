#include "localbq/storage_api/append_session.h"

#include <fmt/format.h>

#include "base/status.h"

namespace hakobu::localbq {
namespace {

// As much as one transaction takes of what waits on a connection.
constexpr size_t kTransactionBytes = size_t{32} << 20;
constexpr size_t kMaxRequestBytes = size_t{20} << 20;

}  // namespace

absl::Status AppendSession::Route(const AppendRequest& request) {
  if (request.write_stream.empty()) {
    if (current_ == nullptr) {
      return absl::InvalidArgumentError(
          "The first AppendRowsRequest of a connection must have a write_stream.");
    }
    if (has_switched_) {
      return absl::InvalidArgumentError(
          "A write_stream must be given in every AppendRowsRequest once a connection has changed its "
          "destination.");
    }
    return absl::OkStatus();
  }
  if (current_ != nullptr && request.write_stream == current_->path()) return absl::OkStatus();
  auto& target = targets_[std::string(request.write_stream)];
  if (target == nullptr) {
    auto opened = AppendTarget::Open(services_, request.write_stream);
    if (!opened.ok()) {
      targets_.erase(std::string(request.write_stream));
      return opened.status();
    }
    target = *std::move(opened);
  }
  if (current_ != nullptr) {
    if (!target->IsDefault() || !current_->IsDefault()) {
      return absl::InvalidArgumentError(fmt::format(
          "A connection can only change its destination between default streams, found {} after {}",
          request.write_stream, current_->path()));
    }
    has_switched_ = true;
  }
  current_ = target.get();
  return absl::OkStatus();
}

absl::Status AppendSession::Flush(std::vector<std::string>* responses) {
  return current_ == nullptr ? absl::OkStatus() : current_->Commit(responses);
}

absl::Status AppendSession::Process(std::span<const std::string> requests,
                                    std::vector<std::string>* responses) {
  for (const std::string& bytes : requests) {
    if (bytes.size() > kMaxRequestBytes) {
      HAKOBU_RETURN_IF_ERROR(Flush(responses));
      return absl::InvalidArgumentError(
          fmt::format("AppendRows request too large: {} limit {}", bytes.size(), kMaxRequestBytes));
    }
    if (!ParseAppendRequest(bytes, &request_)) {
      HAKOBU_RETURN_IF_ERROR(Flush(responses));
      return absl::InvalidArgumentError("The request is not an AppendRowsRequest.");
    }
    AppendTarget* const before = current_;
    const bool leaves =
        before != nullptr && !request_.write_stream.empty() && request_.write_stream != before->path();
    if (leaves) HAKOBU_RETURN_IF_ERROR(Flush(responses));
    absl::Status status = Route(request_);
    if (status.ok()) {
      if (request_.default_missing_value != MissingValue::kUnspecified) {
        default_missing_value_ = request_.default_missing_value;
      }
      status = current_->Add(request_, default_missing_value_);
    }
    if (!status.ok()) {
      HAKOBU_RETURN_IF_ERROR(Flush(responses));
      return status;
    }
    if (current_->waiting_bytes() > kTransactionBytes) HAKOBU_RETURN_IF_ERROR(Flush(responses));
  }
  return Flush(responses);
}

}  // namespace hakobu::localbq
