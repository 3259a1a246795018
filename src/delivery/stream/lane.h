// One table's changes on their way from the log to BigQuery's bytes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "decode/binlog/log_decoder.h"
#include "decode/binlog/row_image.h"
#include "delivery/move/request_pool.h"
#include "delivery/stream/lane_schema.h"
#include "log/sequence.h"

namespace hakobu {

// Used by the log's thread alone.
class Lane {
 public:
  // Takes a full request away; false when the stream is being stopped.
  using Ship = std::function<bool(std::shared_ptr<EncodedRows> rows)>;

  Lane(size_t id, std::shared_ptr<RequestPool> pool, Ship ship)
      : id_(id), pool_(std::move(pool)), ship_(std::move(ship)) {}

  // From the next row on. Rows encoded before must have been shipped.
  absl::Status Use(std::shared_ptr<const LaneSchema> schema);

  // History: so many rows of the log came before, and so many are written already; the next ones up to there
  // are left out.
  void SetWritten(uint64_t before, uint64_t written) {
    history_rows_ = before;
    history_written_ = written;
  }
  uint64_t history_rows() const { return history_rows_; }

  // The rows of one event, which begins at `place` (its row section counts on from there). Rows at or before
  // the last one taken are left out: they came before the connection broke. InvalidArgument and DataLoss
  // concern this table alone; Cancelled: the stream is being stopped.
  absl::Status Take(const binlog::LogContext& context, const ChangeSequence& place,
                    const binlog::RowsEvent& event, binlog::RowImageDecoder* decoder);
  // A row of a history without values.
  absl::Status TakeMark(const binlog::LogContext& context, const ChangeSequence& place,
                        std::string_view type);

  // What came since the last EndTransaction is taken back. False when some of it was shipped already.
  bool AbortTransaction();
  void EndTransaction() { transaction_begin_.reset(); }
  bool in_transaction() const { return transaction_begin_.has_value(); }
  bool ShipOpen();  // what is encoded goes out; false when the stream is being stopped
  void Forget();    // what is encoded is dropped: the lane has failed

  size_t id() const { return id_; }
  const std::shared_ptr<const LaneSchema>& schema() const { return schema_; }
  std::string_view descriptor() const { return encoder_->descriptor(); }
  size_t open_bytes() const { return open_ == nullptr ? 0 : open_->bytes().size(); }
  uint64_t inserts() const { return inserts_; }
  uint64_t updates() const { return updates_; }
  uint64_t deletes() const { return deletes_; }
  uint64_t bytes() const { return bytes_; }
  const Quarantine& quarantine() const { return quarantine_; }

 private:
  void Keep(size_t row, ChangeType type, const ChangeSequence& place, const RowFacts& facts);
  bool KeyChanged(size_t before, size_t after) const;
  absl::Status Decode(const binlog::RowsEvent& event, binlog::RowImageDecoder* decoder);
  absl::Status Encode();
  std::string_view SequenceOf(const ChangeSequence& place);

  const size_t id_;
  const std::shared_ptr<RequestPool> pool_;
  const Ship ship_;
  std::shared_ptr<const LaneSchema> schema_;
  std::optional<ProtoEncoder> encoder_;
  std::optional<Batch> batch_;
  std::optional<Batch> wide_;
  std::vector<RowChange> changes_;
  size_t kept_ = 0;  // rows of the batch that go out, moved to its front
  ChangeSequence last_;
  std::shared_ptr<EncodedRows> open_;
  // Where the transaction's rows begin in `open_`; shipped: they begin in a request that is gone.
  struct Begin {
    size_t rows = 0;
    bool shipped = false;
  };
  std::optional<Begin> transaction_begin_;
  ChangeSequence last_before_transaction_;
  uint64_t history_rows_ = 0, history_written_ = 0, history_rows_before_transaction_ = 0;
  Quarantine quarantine_;
  uint64_t inserts_ = 0, updates_ = 0, deletes_ = 0, bytes_ = 0;
};

}  // namespace hakobu
