#include "delivery/stream/lane.h"

#include <algorithm>

#include "base/check.h"
#include "base/status.h"

namespace hakobu {
namespace {

bool SameCell(const Cell& a, const Cell& b) {
  if (a.kind != b.kind) return false;
  if (a.kind == CellKind::kNull) return true;
  return IsText(a.kind) ? a.text() == b.text() : a.integer == b.integer;
}

}  // namespace

absl::Status Lane::Use(std::shared_ptr<const LaneSchema> schema) {
  HAKOBU_ASSIGN_OR_RETURN(ProtoEncoder encoder, schema->MakeEncoder());
  schema_ = std::move(schema);
  encoder_.emplace(std::move(encoder));
  batch_.emplace(schema_->columns());
  return absl::OkStatus();
}

bool Lane::KeyChanged(size_t before, size_t after) const {
  if (!schema_->base.key.has_value()) return false;
  const auto& columns = schema_->base.key->columns;
  return std::any_of(columns.begin(), columns.end(), [&](size_t column) {
    return !SameCell(batch_->Row(before)[column], batch_->Row(after)[column]);
  });
}

std::string_view Lane::SequenceOf(const ChangeSequence& place) {
  char* text = batch_->arena().Allocate(kMaxSequenceBytes);
  const size_t size =
      schema_->mode == LaneMode::kHistory ? WriteSortableSequence(place, text) : WriteSequence(place, text);
  HAKOBU_CHECK(size <= kMaxSequenceBytes, "a sequence number is longer than its room", kStartAgain);
  batch_->arena().ShrinkLast(kMaxSequenceBytes, size);
  return {text, size};
}

void Lane::Keep(size_t row, ChangeType type, const ChangeSequence& place, const RowFacts& facts) {
  if (place <= last_) return;
  last_ = place;
  if (schema_->mode == LaneMode::kHistory && ++history_rows_ <= history_written_) return;
  HAKOBU_CHECK(kept_ <= row, "a change would be written over one that is not encoded yet", kStartAgain);
  const std::span<Cell> to = batch_->MutableRow(kept_++);
  const std::span<const Cell> from = batch_->Row(row);
  if (to.data() != from.data()) std::copy(from.begin(), from.end(), to.begin());
  RowFacts own = facts;
  own.place = SequenceOf(place);
  if (schema_->changes_by_key()) changes_.push_back({type, own.place});
  schema_->FillOwnCells(to, own);
}

absl::Status Lane::Take(const binlog::LogContext& context, const ChangeSequence& place,
                        const binlog::RowsEvent& event, binlog::RowImageDecoder* decoder) {
  if (!transaction_begin_.has_value()) {
    transaction_begin_ = Begin{.rows = open_ == nullptr ? 0 : open_->rows()};
    last_before_transaction_ = last_;
    history_rows_before_transaction_ = history_rows_;
  }
  Batch& batch = *batch_;
  batch.Clear();
  changes_.clear();
  kept_ = 0;
  HAKOBU_RETURN_IF_ERROR(Decode(event, decoder));
  const bool history = schema_->mode == LaneMode::kHistory;
  const bool soft = schema_->mode == LaneMode::kSoft;
  const ChangeType remove = soft ? ChangeType::kUpsert : ChangeType::kDelete;
  RowFacts facts;
  facts.commit_micros = context.committed_us();
  facts.gtid = context.gtid;
  ChangeSequence at = place;
  const auto keep = [&](size_t row, ChangeType type, std::string_view name, bool deleted) {
    facts.type = name;
    facts.deleted = deleted;
    Keep(row, type, at, facts);
  };
  bool key_changed = false;
  for (size_t row = 0; row < batch.rows(); ++row, ++at.row) {
    switch (batch.operations[row]) {
      case RowOperation::kInsert:
        ++inserts_;
        keep(row, ChangeType::kUpsert, "insert", false);
        break;
      case RowOperation::kDelete:
        ++deletes_;
        keep(row, remove, "delete", true);
        break;
      case RowOperation::kUpdateBefore:
        key_changed = row + 1 < batch.rows() && KeyChanged(row, row + 1);
        if (key_changed) keep(row, remove, "delete", true);
        break;
      case RowOperation::kUpdateAfter:
        ++updates_;
        keep(row, ChangeType::kUpsert, history && key_changed ? "insert" : "update", false);
        break;
    }
  }
  batch.KeepFirst(kept_);
  HAKOBU_CHECK(!schema_->changes_by_key() || changes_.size() == kept_, "changes and their kinds do not match",
               kStartAgain);
  return Encode();
}

absl::Status Lane::Decode(const binlog::RowsEvent& event, binlog::RowImageDecoder* decoder) {
  const size_t own = schema_->base.columns.size();
  if (decoder->columns() == own) return decoder->Decode(event, &*batch_);
  // The log has columns that the server keeps for itself, behind the table's.
  if (!wide_.has_value() || wide_->columns() != decoder->columns()) wide_.emplace(decoder->columns());
  wide_->Clear();
  HAKOBU_RETURN_IF_ERROR(decoder->Decode(event, &*wide_));
  for (size_t row = 0; row < wide_->rows(); ++row) {
    const std::span<const Cell> from = wide_->Row(row).first(own);
    std::copy(from.begin(), from.end(), batch_->AddRow().begin());
  }
  batch_->operations = wide_->operations;
  HAKOBU_CHECK(batch_->operations.size() == batch_->rows(),
               "rows of the log and what was done to them do not match", kStartAgain);
  return absl::OkStatus();
}

absl::Status Lane::TakeMark(const binlog::LogContext& context, const ChangeSequence& place,
                            std::string_view type) {
  batch_->Clear();
  changes_.clear();
  kept_ = 0;
  batch_->AddRow();
  RowFacts facts;
  facts.type = type;
  facts.commit_micros = int64_t{context.timestamp} * 1'000'000;
  facts.gtid = context.gtid;
  Keep(0, ChangeType::kUpsert, place, facts);
  batch_->KeepFirst(kept_);
  return Encode();
}

absl::Status Lane::Encode() {
  for (size_t row = 0; row < batch_->rows();) {
    if (open_ == nullptr) open_ = pool_->Take();
    const size_t before = open_->bytes().size();
    HAKOBU_ASSIGN_OR_RETURN(const size_t taken, encoder_->Append(*batch_, row, kRequestBytes, open_.get(),
                                                                 &quarantine_, changes_));
    HAKOBU_CHECK(taken > 0 || before > 0, "the encoder took no row of a request that was empty", kStartAgain);
    HAKOBU_CHECK(taken <= batch_->rows() - row, "the encoder took more rows than there are", kStartAgain);
    row += taken;
    bytes_ += open_->bytes().size() - before;
    if ((row < batch_->rows() || open_->bytes().size() >= kRequestBytes) && !ShipOpen()) {
      return absl::CancelledError("stopped on request");
    }
  }
  return absl::OkStatus();
}

bool Lane::ShipOpen() {
  if (open_ == nullptr || open_->rows() == 0) return true;
  if (transaction_begin_.has_value()) {
    HAKOBU_CHECK(transaction_begin_->rows <= open_->rows(),
                 "a transaction begins behind the rows that there are", kStartAgain);
    // Rows of this transaction that are in the request go with it; a transaction that begins right here has
    // none.
    transaction_begin_->shipped = transaction_begin_->shipped || transaction_begin_->rows < open_->rows();
    transaction_begin_->rows = 0;
  }
  // What is held until BigQuery answers is counted by its bytes, so it takes no more than them: a few changes
  // leave the large buffer behind.
  if (open_->buffer().capacity() > 2 * open_->bytes().size()) {
    auto exact = std::make_shared<EncodedRows>();
    exact->buffer().Reserve(open_->bytes().size());
    for (size_t row = 0; row < open_->rows(); ++row) {
      exact->buffer().Append(open_->Row(row));
      exact->EndRow();
    }
    open_ = std::move(exact);
  }
  return ship_(std::move(open_));
}

bool Lane::AbortTransaction() {
  if (!transaction_begin_.has_value()) return true;
  const bool whole = !transaction_begin_->shipped;
  if (whole) {
    if (open_ != nullptr && open_->rows() > transaction_begin_->rows)
      open_->KeepFirst(transaction_begin_->rows);
    HAKOBU_CHECK(last_before_transaction_ <= last_, "a transaction taken back would move sequence numbers on",
                 kStartAgain);
    HAKOBU_CHECK(history_rows_before_transaction_ <= history_rows_,
                 "a transaction taken back would count rows of a history twice", kStartAgain);
    last_ = last_before_transaction_;
    history_rows_ = history_rows_before_transaction_;
  }  // else its rows stay, and are left out when the transaction comes again
  transaction_begin_.reset();
  return whole;
}

void Lane::Forget() {
  open_.reset();
  transaction_begin_.reset();
}

}  // namespace hakobu
