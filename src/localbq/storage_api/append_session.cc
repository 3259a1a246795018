#include "localbq/storage_api/append_session.h"

#include <fmt/format.h>

#include "base/status.h"
#include "localbq/storage_api/caller.h"
#include "localbq/storage_api/storage_error.h"

namespace hakobu::localbq {
namespace {

// As much as one transaction takes of what waits on a connection.
constexpr size_t kTransactionBytes = size_t{32} << 20;
constexpr size_t kMaxRequestBytes = size_t{20} << 20;

}  // namespace

// Asked again for every batch of requests, so that access that is taken away ends a connection.
absl::Status AppendSession::CheckMay(std::string_view write_stream) const {
  if (services_.authority == nullptr) return absl::OkStatus();
  const auto name = ParseStreamPath(write_stream);
  return name ? CheckMayAppend(services_.authority, member_, name->table) : absl::OkStatus();
}

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
  HAKOBU_RETURN_IF_ERROR(CheckMay(request.write_stream));
  auto& target = targets_[std::string(request.write_stream)];
  if (target == nullptr) {
    auto opened = AppendTarget::Open(services_, request.write_stream);
    if (!opened.ok()) {
      targets_.erase(std::string(request.write_stream));
      return opened.status();
    }
    target = *std::move(opened);
    HAKOBU_RETURN_IF_ERROR(Hold(target->table().project));
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

AppendSession::~AppendSession() {
  if (!held_project_.empty()) services_.faults->quotas().Release("AppendRows", held_project_);
}

absl::Status AppendSession::Hold(const std::string& project) {
  if (!services_.faults->quotas().is_on() || !held_project_.empty()) return absl::OkStatus();
  HAKOBU_RETURN_IF_ERROR(services_.faults->quotas().Hold("AppendRows", project));
  held_project_ = project;
  return absl::OkStatus();
}

Call AppendSession::call() const {
  if (current_ == nullptr) return {"AppendRows", "", "", "", ""};
  const TableId& table = current_->table();
  return {"AppendRows", table.project, table.dataset, table.table, ""};
}

absl::Status AppendSession::Add(size_t bytes, std::vector<std::string>* responses) {
  if (request_.default_missing_value != MissingValue::kUnspecified) {
    default_missing_value_ = request_.default_missing_value;
  }
  if (services_.faults->is_active()) return AddWithFaults(bytes, responses);
  return current_->Add(request_, default_missing_value_);
}

// What waits is answered first: only this request is to be hit.
absl::Status AppendSession::AddWithFaults(size_t bytes, std::vector<std::string>* responses) {
  HAKOBU_RETURN_IF_ERROR(services_.faults->quotas().ChargeBytes(call(), static_cast<int64_t>(bytes)));
  const Effect effect = services_.faults->Decide(call());
  if (effect.delay > absl::ZeroDuration()) {
    HAKOBU_RETURN_IF_ERROR(Flush(responses));
    services_.faults->Delay(effect.delay);
  }
  const absl::Status dropped = absl::UnavailableError("Socket closed");
  const absl::Status failure =
      effect.end == Effect::End::kError ? WithEntity(effect.error, current_->path()) : dropped;
  if (effect.end == Effect::End::kNone) return current_->Add(request_, default_missing_value_);
  if (!effect.is_after_effect && effect.is_in_band) {
    current_->AddRefused(request_, failure);
    return absl::OkStatus();
  }
  if (!effect.is_after_effect) return failure;
  HAKOBU_RETURN_IF_ERROR(Flush(responses));
  HAKOBU_RETURN_IF_ERROR(current_->Add(request_, default_missing_value_));
  std::vector<std::string> lost;
  HAKOBU_RETURN_IF_ERROR(Flush(&lost));
  return failure;
}

absl::Status AppendSession::Process(std::span<const std::string> requests,
                                    std::vector<std::string>* responses) {
  if (current_ != nullptr) HAKOBU_RETURN_IF_ERROR(CheckMay(current_->path()));
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
    if (status.ok()) status = Add(bytes.size(), responses);
    if (!status.ok()) {
      HAKOBU_RETURN_IF_ERROR(Flush(responses));
      return status;
    }
    if (current_->waiting_bytes() > kTransactionBytes) HAKOBU_RETURN_IF_ERROR(Flush(responses));
  }
  return Flush(responses);
}

}  // namespace hakobu::localbq
