// What the log says, turned into rows for BigQuery: the log thread's visitor.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "decode/binlog/log_decoder.h"
#include "delivery/stream/executed.h"
#include "delivery/stream/held_transaction.h"
#include "delivery/stream/lane.h"
#include "delivery/stream/schema_follower.h"
#include "delivery/stream/stream_context.h"
#include "delivery/stream/table_contract.h"
#include "delivery/stream/table_inquiry.h"

namespace hakobu {

// Used by the log's thread alone, but for the counters.
class Follower : public binlog::LogVisitor {
 public:
  explicit Follower(StreamContext* context);

  // Before the first event of a connection. What came of a transaction that was cut off is taken back.
  absl::Status Begin(const DeliveredPoint& position);
  // What the tables look like here; before the first event.
  void UseSchemas(std::unique_ptr<SchemaFollower> schemas) { schemas_ = std::move(schemas); }
  SchemaFollower* schemas() { return schemas_.get(); }
  // A table goes on: its changes are delivered from here on. Its schema is that of this place.
  absl::Status Join(StreamTable* table);
  // A table begins (anew): a copy over what its target holds, what did not come goes, and the changes from
  // here on. `first`: this is the first place the stream ever read from. A problem of the table's own stops
  // it, and is no error.
  absl::Status BeginTable(StreamTable* table, bool first, ContractOccasion occasion,
                          std::map<std::string, std::string> renamed = {});

  // Sends what is encoded and marks the place, unless a transaction is under way. False when the stream is
  // being stopped.
  bool Flush();
  // Flushes when enough waits, or it has waited long enough.
  bool FlushIfDue();
  // Reading ends: a transaction that is not whole is left out.
  bool Finish();
  bool has_rows() const { return open_since_ != absl::InfiniteFuture(); }
  bool in_transaction() const { return in_transaction_; }
  // Behind the last whole transaction: where a new connection goes on.
  DeliveredPoint boundary() const;
  const DeliveredPoint& place() const { return boundary_; }  // the same without its GTIDs, which take time
  // Of the file whose events follow.
  void SetFileIdentity(LogFileIdentity identity) { boundary_.identity = std::move(identity); }

  // Between two transactions, after every event: what waits for this place of the log begins here, and the
  // server is asked about what the log could not tell. Not OK: the source cannot be asked now; nothing is
  // lost.
  absl::Status Settle(const binlog::LogContext& context);
  // Tables that are asked for, and have not begun.
  size_t asked() const { return asked_count_.load(std::memory_order_relaxed); }

  // The log does not tell what the table is now, or which rows it has: the server is asked, and the table
  // begins anew where its answer holds. Until then its changes are left out. `reason`: a phrase.
  absl::Status AskAnew(const ddl::TableName& name, const std::string& reason);

  // Until when the log is known to hold nothing more than what was fed: what a heartbeat proves.
  void SetProven(absl::Time at) { proven_ = at; }
  // What is fed now was committed by then, whatever it says: sessions and clocks can put any time into the
  // log.
  void SetLatest(absl::Time at) { latest_ = at; }

  uint64_t transactions() const { return transactions_.load(std::memory_order_relaxed); }
  uint64_t events() const { return events_.load(std::memory_order_relaxed); }

  absl::Status OnBegin(const binlog::LogContext& context) override;
  absl::Status OnRows(const binlog::LogContext& context, const binlog::TableMap& map,
                      const binlog::RowsEvent& rows) override;
  absl::Status OnStatement(const binlog::LogContext& context, const binlog::LogStatement& statement) override;
  absl::Status OnEnd(const binlog::LogContext& context, binlog::TransactionEnd end) override;
  absl::Status OnRotate(const binlog::LogContext& context) override;
  absl::Status OnHeartbeat(const binlog::LogContext& context) override;
  absl::Status OnUnreadable(const binlog::LogContext& context, const std::vector<binlog::TableMap>& tables,
                            const absl::Status& problem) override;

 private:
  // How the rows of one table id are read.
  struct Known {
    binlog::TableMap map;
    StreamTable* table = nullptr;  // null: not delivered
    uint64_t generation = 0;
    std::optional<binlog::RowImageDecoder> decoder;
  };
  absl::StatusOr<Known*> Find(const binlog::TableMap& map);
  absl::Status OpenStream(StreamTable* table);
  absl::Status MakeReady(Known* known);
  Lane* LaneOf(StreamTable* table) { return lanes_[table->id].get(); }
  absl::Status TableProblem(StreamTable* table, const absl::Status& status);
  // A table that cannot be read as it is known here: it is asked for, or, where the answer was not enough,
  // stops.
  absl::Status Unfit(Known* known, const absl::Status& why);

  // Statements (follower_ddl.cc), and what the DDL history is told of them (follower_note.cc).
  absl::Status Note(const binlog::LogContext& context, const binlog::LogStatement& statement,
                    const ddl::TableEffect& effect, size_t number);
  std::string WhatWasDone(const ddl::TableName& name) const;
  absl::Status ApplyAll(const binlog::LogContext& context, const binlog::LogStatement& statement);
  absl::Status Apply(const binlog::LogContext& context, const ddl::TableEffect& effect);
  bool TargetHas(StreamTable* table, const ddl::TableEffect& effect);
  absl::Status Created(const ddl::TableName& name);
  // Names that appear or change (follower_names.cc). The stream's table of this name, made when the
  // configuration wants one and it may begin; null when it is not wanted, left out or stopped.
  absl::StatusOr<StreamTable*> Wanted(const ddl::TableName& name);
  std::string WhyNot(const TableRule& rule, const ddl::TableName& name) const;  // empty: it is delivered
  bool IsKnown(const std::string& database, std::string_view table, bool prefix) const;
  // DataLoss when the table would show under its new name what was kept back or hidden under the old one.
  absl::Status JudgeRename(const ddl::TableEffect& effect) const;
  // InvalidArgument when another table is delivered to the same table of BigQuery.
  absl::Status CheckAppearingTarget(const ddl::TableName& name, const TableOptions& options) const;
  // A table that is wanted and must not begin.
  absl::Status StopAppearing(const ddl::TableName& name, const absl::Status& reason);
  absl::Status Gone(const ddl::TableName& name, const std::string& reason);
  absl::Status Truncated(const binlog::LogContext& context, StreamTable* table);
  absl::Status Altered(StreamTable* table, const ddl::TableEffect& effect);
  // Delivers by another schema from here on, BigQuery's table included.
  absl::Status ChangeSchema(StreamTable* table, const SourceTable& after);
  StreamTableRecord BeginningOf(const StreamTable& table, const LaneSchema& schema, Existing existing);
  absl::Status NotBegun(StreamTable* table, bool first, const absl::Status& status);
  // Copies all rows over those that are there.
  absl::Status CopyAgain(StreamTable* table);
  // Rows may differ now without events in the log: the table begins anew. `reason`: a phrase.
  absl::Status ChangedUnseen(StreamTable* table, const std::string& reason);
  // Tables that are asked for (follower_asked.cc).
  struct Asked {
    ddl::TableName name;
    std::string reason;
    std::optional<TableDefinition> definition;
    std::optional<LogPoint> place;  // where the definition holds, in the log of this server; none: ask
  };
  absl::Status Ask(const std::string& name, Asked* asked);
  absl::Status BeginAsked(const std::string& name, Asked asked);
  absl::Status LookAt(const TableList& list);

  // Everything before this is acknowledged. Cancelled when the stream is being stopped.
  absl::Status Barrier();
  ChangeSequence PlaceOf(const binlog::LogContext& context) const;
  ChangeSequence NextPlace() const {  // of the first change behind the boundary
    return {
        .epoch = static_cast<uint64_t>(boundary_.epoch), .file = file_number_, .position = boundary_.offset};
  }
  absl::Status TakeRows(const binlog::LogContext& context, const ChangeSequence& place,
                        const binlog::TableMap& map, const binlog::RowsEvent& rows);
  void EndLanes();

  // Transactions whose rows wait (follower_xa.cc).
  struct Waiting {
    std::unique_ptr<HeldTransaction> rows;  // null: without rows of any table
    std::string gtid;
    DeliveredPoint before;  // with its GTIDs
    absl::Time prepared;
  };
  absl::Status Prepared(const binlog::LogContext& context);
  // SAVEPOINT and ROLLBACK TO; false for every other statement.
  bool TakeSavepoint(const binlog::LogStatement& statement);
  absl::Status TakeHeld(const binlog::LogContext& context);
  // XA COMMIT and XA ROLLBACK; false for every other statement.
  absl::StatusOr<bool> EndPrepared(const binlog::LogContext& context, std::string_view statement);
  absl::Status CommitPrepared(const binlog::LogContext& context, Waiting* waiting);
  // Those that the server lost in a crash will never end.
  void DropLostPrepared();
  // Of one that is not waiting.
  absl::Status EndUnprepared(const binlog::LogContext& context, const std::string& xid, bool commits);
  void EndedAt(const binlog::LogContext& context);
  void Count(StreamTable* table);

  StreamContext* context_;
  std::unique_ptr<SchemaFollower> schemas_;
  bool schemas_changed_ = false;       // since the last mark
  std::vector<std::string> followed_;  // in BigQuery, for the statement under way
  std::shared_ptr<RequestPool> pool_ = std::make_shared<RequestPool>();
  std::map<size_t, std::unique_ptr<Lane>> lanes_;  // by table id of StreamTables
  absl::flat_hash_map<uint64_t, Known> known_;     // by table id of the log
  uint64_t generation_ = 1;                        // of schemas
  std::vector<StreamTable*> touched_;              // in the transaction under way
  // Begin anew once it has ended: the rows it changed are not all in the log, for a reason.
  std::vector<std::pair<StreamTable*, std::string>> unseen_;
  // A part of it was undone, and which rows that were cannot be told: all its tables do.
  bool undone_unseen_ = false;
  std::set<std::string> left_out_;  // helper tables that were told of
  std::map<std::string, Asked, std::less<>> asked_;
  std::set<std::string, std::less<>> answered_;  // begun as the server answered, and no statement since
  std::string unreadable_;                       // why all tables begin anew; "": they do not
  int unreadables_ = 0;
  bool in_transaction_ = false;
  // Rows of the transaction under way that may still be taken back: all of an XA transaction, those behind
  // the first savepoint of any other.
  std::unique_ptr<HeldTransaction> held_;
  // XA transactions that wait for their end; a place before them is what may be stored.
  std::map<std::string, Waiting> prepared_;  // by xid
  struct CommittedXa {
    std::string xid;
    std::vector<StreamTable*> touched;
  };
  std::deque<CommittedXa> committed_;  // the last ones
  absl::Time proven_ = absl::InfinitePast();
  absl::Time latest_ = absl::InfiniteFuture();
  uint64_t file_number_ = 0;

  DeliveredPoint boundary_;  // its gtid_set is executed_'s
  ExecutedGtids executed_;
  absl::Time whole_until_ = absl::InfinitePast();
  absl::Time open_since_ = absl::InfiniteFuture();  // of the oldest row that is not shipped
  int64_t open_bytes_ = 0;                          // encoded and not shipped
  bool moved_ = false;                              // since the last mark
  std::atomic<uint64_t> transactions_{0};
  std::atomic<uint64_t> events_{0};
  std::atomic<size_t> asked_count_{0};
};

}  // namespace hakobu
