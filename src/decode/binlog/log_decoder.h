// A binary log, event by event, as transactions of row changes and statements.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "decode/binlog/event.h"
#include "decode/binlog/gtid.h"
#include "decode/binlog/row_image.h"
#include "decode/binlog/statement_settings.h"
#include "decode/binlog/table_map.h"

namespace hakobu::binlog {

// Where and when: of the event that is being reported.
struct LogContext {
  std::string file;  // "" until a ROTATE event (or the caller) names it
  uint64_t position =
      0;  // of the event's first byte; of the payload's for events of a compressed transaction
  uint64_t next_position = 0;
  uint32_t timestamp = 0;  // seconds since the epoch
  uint32_t server_id = 0;
  std::string gtid;            // of the transaction: "uuid:7", "0-1-7" (MariaDB), "" where there is none
  uint64_t commit_micros = 0;  // when it was committed on its first server; 0 where the log does not say
  uint32_t event_in_transaction = 0;
  // Of an XA transaction, from its OnBegin to its OnEnd: as XA COMMIT and XA ROLLBACK name it later:
  // "X'61',X'',1".
  std::string xid;

  // Since the epoch; by the event's own time, in whole seconds, where the log says no more.
  int64_t committed_us() const {
    return commit_micros != 0 ? static_cast<int64_t>(commit_micros) : int64_t{timestamp} * 1'000'000;
  }
};

// The id of an XA transaction as LogContext::xid has it.
std::string XidText(std::string_view global, std::string_view branch, uint32_t format);

struct LogStatement {
  std::string database;  // the session's
  std::string text;      // in the session's character set, as logged
  StatementSettings settings;
  bool ansi_quotes = false;  // sql_mode has ANSI_QUOTES: "x" is a name
  uint16_t error_code = 0;
};

enum class TransactionEnd { kCommit, kRollback, kXaPrepare };

// What a log says. Statuses that are not OK stop the decoder and are returned from Feed.
class LogVisitor {
 public:
  virtual ~LogVisitor() = default;
  virtual absl::Status OnBegin(const LogContext& context) = 0;
  // `rows` borrows memory until the call returns.
  virtual absl::Status OnRows(const LogContext& context, const TableMap& map, const RowsEvent& rows) = 0;
  // DDL, and anything else a QUERY event holds but BEGIN, COMMIT and ROLLBACK. It is a transaction of its own
  // unless it came between OnBegin and OnEnd (SAVEPOINT, statements of statement-format logging).
  virtual absl::Status OnStatement(const LogContext& context, const LogStatement& statement) = 0;
  virtual absl::Status OnEnd(const LogContext& context, TransactionEnd end) = 0;
  virtual absl::Status OnPreviousGtids(const LogContext&, const GtidSet&) { return absl::OkStatus(); }
  virtual absl::Status OnRotate(const LogContext&) {
    return absl::OkStatus();
  }  // context.file: the next file
  virtual absl::Status OnHeartbeat(const LogContext&) { return absl::OkStatus(); }
  // An event with the ignorable flag that this decoder does not know.
  virtual absl::Status OnIgnored(const LogContext&, EventType) { return absl::OkStatus(); }
  // Something that may have changed rows and cannot be read: an event that is not known and may not be
  // skipped, or INCIDENT, by which the source says that its log lacks changes. `tables`: those whose maps its
  // statement has; none: any table may be concerned. `problem` is what is returned by whoever cannot do
  // without it, as this one.
  virtual absl::Status OnUnreadable(const LogContext&, const std::vector<TableMap>& /*tables*/,
                                    const absl::Status& problem) {
    return problem;
  }
};

// Not thread-safe. Pure: it sees bytes only.
class LogDecoder {
 public:
  explicit LogDecoder(LogVisitor* visitor) : visitor_(visitor) {}

  // One whole event as it stands in a file or comes from the wire (after the packet's status byte).
  // DataLoss: corrupt bytes. Unimplemented: an event that cannot be skipped safely. Messages name file and
  // position.
  absl::Status Feed(std::string_view event);
  // Before the first Feed, when reading a file rather than the wire, or when starting in the middle of one.
  void SetPosition(std::string file, uint64_t position);

  const LogContext& context() const { return context_; }
  const Format& format() const { return format_; }
  // Between a transaction's first event, which announces its GTID, and its last.
  bool in_transaction() const { return in_transaction_ || announced_; }
  // Where that first event stands.
  uint64_t transaction_position() const { return transaction_position_; }

 private:
  absl::Status Handle(const Event& event, const Format& format);
  absl::Status HandleQuery(const Event& event);
  absl::Status HandleLoadData(const Event& event);
  absl::Status HandleUnreadable(const absl::Status& problem);
  absl::Status HandleGtid(const Event& event);
  absl::Status HandleTaggedGtid(const Event& event);
  absl::Status HandleMariadbGtid(const Event& event);
  absl::Status HandleRows(const Event& event, const Format& format);
  absl::Status HandlePayload(const Event& event);
  absl::Status HandleRotate(const Event& event);
  void Announce();
  absl::Status Begin();
  absl::Status End(TransactionEnd end);

  LogVisitor* visitor_;
  Format format_;
  LogContext context_;
  bool in_transaction_ = false;
  bool announced_ = false;  // its GTID was read, and nothing of it since
  uint64_t transaction_position_ = 0;
  // Servers repeat a table's map before every statement: it is parsed once for each form it takes.
  struct KnownMap {
    std::string body;
    TableMap map;
    uint64_t statement = 0;  // since whose begin it stands
  };
  absl::Status HandleTableMap(const Event& event, const Format& format);
  const TableMap* FindMap(uint64_t table_id) const;
  void ForgetMaps() { ++statement_; }

  absl::flat_hash_map<uint64_t, std::unique_ptr<KnownMap>> maps_;  // by table id
  uint64_t statement_ = 1;
  std::string inflated_;
};

}  // namespace hakobu::binlog
