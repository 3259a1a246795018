// One AppendRows connection, without its gRPC: requests in, responses out, in order.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "localbq/storage_api/append_request.h"
#include "localbq/storage_api/append_target.h"

namespace hakobu::localbq {

// Not thread-safe.
class AppendSession {
 public:
  // `member`: whose appends they are, with an Authority.
  explicit AppendSession(AppendServices services, std::string member = "")
      : services_(services), member_(std::move(member)) {}
  ~AppendSession();
  AppendSession(const AppendSession&) = delete;
  AppendSession& operator=(const AppendSession&) = delete;

  // Serialized AppendRowsRequests become as many serialized AppendRowsResponses. Neighbours to one
  // destination are appended in one transaction. Not OK: the connection ends with this status, after the
  // responses so far.
  absl::Status Process(std::span<const std::string> requests, std::vector<std::string>* responses);
  // The table that the last request went to, as rules and quotas see it; without names before the first.
  Call call() const;
  // The stream that the last request went to; empty before the first.
  std::string_view destination() const { return current_ == nullptr ? std::string_view() : current_->path(); }

 private:
  absl::Status Route(const AppendRequest& request);
  absl::Status Hold(const std::string& project);
  absl::Status Add(size_t bytes, std::vector<std::string>* responses);
  absl::Status AddWithFaults(size_t bytes, std::vector<std::string>* responses);
  absl::Status CheckMay(std::string_view write_stream) const;
  absl::Status Flush(std::vector<std::string>* responses);

  const AppendServices services_;
  const std::string member_;
  absl::flat_hash_map<std::string, std::unique_ptr<AppendTarget>> targets_;
  AppendTarget* current_ = nullptr;
  bool has_switched_ = false;
  MissingValue default_missing_value_ = MissingValue::kUnspecified;
  std::string held_project_;  // whose quota of connections this one counts for
  AppendRequest request_;     // its memory is used again
};

}  // namespace hakobu::localbq
