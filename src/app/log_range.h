// From where to where of a binary log: whole transactions, by position, time or GTID.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "decode/binlog/log_decoder.h"
#include "log/point.h"

namespace hakobu {

// One end of a range.
struct LogBound {
  enum class Kind : uint8_t { kNone, kNow, kOldest, kPosition, kTime, kGtids, kMariadbGtids };
  Kind kind = Kind::kNone;
  LogPoint point;
  absl::Time time;
  binlog::GtidSet gtids;
  std::string text;

  // "now", "oldest", "binlog.000003", "binlog.000003:157", "2024-02-29T12:00:00Z", "uuid:1-7,…", "0-1-7,…".
  static absl::StatusOr<LogBound> Parse(std::string_view text);
};

// Hands on the transactions and statements from `from` up to `until`:
// from a position: those that begin there or later; from a time: committed then or later; from GTIDs: those
// that are not in the set. Until a position or time: those that begin (were committed) before it; until
// GTIDs: up to and with the first that is the last of its source's in the set.
class LogRange : public binlog::LogVisitor {
 public:
  LogRange(LogBound from, LogBound until, binlog::LogVisitor* inner)
      : from_(std::move(from)), until_(std::move(until)), inner_(inner) {}
  bool done() const { return done_; }

  absl::Status OnBegin(const binlog::LogContext& at) override;
  absl::Status OnRows(const binlog::LogContext& at, const binlog::TableMap& map,
                      const binlog::RowsEvent& rows) override;
  absl::Status OnStatement(const binlog::LogContext& at, const binlog::LogStatement& statement) override;
  absl::Status OnEnd(const binlog::LogContext& at, binlog::TransactionEnd end) override;
  absl::Status OnRotate(const binlog::LogContext& at) override;

 private:
  void Enter(const binlog::LogContext& at);  // at a transaction's first event
  bool Before(const binlog::LogContext& at, const LogBound& bound) const;
  void Leave(const binlog::LogContext& at);

  LogBound from_, until_;
  binlog::LogVisitor* inner_;
  bool in_transaction_ = false;
  bool wanted_ = false;
  bool done_ = false;
};

}  // namespace hakobu
