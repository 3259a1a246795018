// The writing half of moving rows over Storage Write: batches are encoded into requests, and each full one is
// sent.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "delivery/move/request_pool.h"
#include "destination/error.h"
#include "encode/encode.h"

namespace hakobu {

// One thread. After an error it is only good for being destroyed.
class RequestWriter {
 public:
  using Send = std::function<absl::Status(std::shared_ptr<EncodedRows>)>;

  RequestWriter(ProtoEncoder encoder, std::shared_ptr<RequestPool> pool, Send send)
      : encoder_(std::move(encoder)), pool_(std::move(pool)), send_(std::move(send)) {}

  // `changes`: one for each row of the batch where the encoder has change fields, none else.
  absl::Status Write(const Batch& batch, std::span<const RowChange> changes = {});
  // Sends the request that is being filled.
  absl::Status Flush();

  // Rows that BigQuery refused in an earlier attempt, by place among the rows written here: Explain names
  // their keys.
  void Refused(std::vector<RowError> refused) { refused_ = std::move(refused); }
  // `status` as it is, or with the keys of the refused rows that have been written since.
  absl::Status Explain(const absl::Status& status) const;

  std::string_view descriptor() const { return encoder_.descriptor(); }
  const ContentSum& content() const { return content_; }
  uint64_t bytes() const { return bytes_; }  // sent
  const Quarantine& quarantine() const { return quarantine_; }

 private:
  // Sums the rows from `first` on, and notes the keys of the refused ones among them.
  void NoteRows(size_t first);

  ProtoEncoder encoder_;
  std::shared_ptr<RequestPool> pool_;
  Send send_;
  std::shared_ptr<EncodedRows> request_;
  Quarantine quarantine_;
  ContentSum content_;
  uint64_t bytes_ = 0;
  std::vector<RowError> refused_;
  std::vector<std::string> keys_;
};

}  // namespace hakobu
