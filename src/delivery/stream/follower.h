// What the log says, turned into rows for BigQuery: the log thread's visitor.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
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

namespace hakobu {

// Used by the log's thread alone, but for the counters.
class Follower : public binlog::LogVisitor {
 public:
  explicit Follower(StreamContext* context);

  // Before the first event of a connection. What came of a transaction that was cut off is taken back.
  absl::Status Begin(const StreamPosition& position);
  // What the tables look like here; before the first event.
  void UseSchemas(std::unique_ptr<SchemaFollower> schemas) { schemas_ = std::move(schemas); }
  SchemaFollower* schemas() { return schemas_.get(); }
  // A table goes on: its changes are delivered from here on. Its schema is that of this place.
  absl::Status Join(StreamTable* table);
  // A table begins (anew): an empty target, a copy, and the changes from here on. `first`: this is the first
  // place the stream ever read from. A problem of the table's own stops it, and is no error.
  absl::Status BeginTable(StreamTable* table, bool first);

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
  StreamPosition boundary() const;
  const StreamPosition& place() const { return boundary_; }  // the same without its GTIDs, which take time
  // Of the file whose events follow.
  void SetFileIdentity(std::string identity) { boundary_.file_identity = std::move(identity); }

  // Until when the log is known to hold nothing more than what was fed: what a heartbeat proves.
  void SetProven(absl::Time at) { proven_ = at; }

  uint64_t transactions() const { return transactions_.load(std::memory_order_relaxed); }
  uint64_t events() const { return events_.load(std::memory_order_relaxed); }

  absl::Status OnBegin(const binlog::LogContext& context) override;
  absl::Status OnRows(const binlog::LogContext& context, const binlog::TableMap& map,
                      const binlog::RowsEvent& rows) override;
  absl::Status OnStatement(const binlog::LogContext& context, const binlog::LogStatement& statement) override;
  absl::Status OnEnd(const binlog::LogContext& context, binlog::TransactionEnd end) override;
  absl::Status OnRotate(const binlog::LogContext& context) override;
  absl::Status OnHeartbeat(const binlog::LogContext& context) override;

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

  // Statements (follower_ddl.cc), and what the DDL history is told of them (follower_note.cc).
  absl::Status Note(const binlog::LogContext& context, const binlog::LogStatement& statement,
                    const ddl::TableEffect& effect, size_t number);
  std::string WhatWasDone(const ddl::TableName& name) const;
  absl::Status Apply(const binlog::LogContext& context, const ddl::TableEffect& effect);
  absl::Status Created(const ddl::TableName& name);
  absl::Status Gone(const ddl::TableName& name, const std::string& reason);
  absl::Status Truncated(const binlog::LogContext& context, StreamTable* table);
  absl::Status Altered(StreamTable* table, const ddl::TableEffect& effect);
  // Delivers by another schema from here on, BigQuery's table included.
  absl::Status ChangeSchema(StreamTable* table, const SourceTable& after);
  // Copies all rows over those that are there.
  absl::Status CopyAgain(StreamTable* table);
  // Rows may differ now without events in the log: the table begins anew. `reason`: a phrase.
  absl::Status ChangedUnseen(StreamTable* table, const std::string& reason);
  // Everything before this is acknowledged. Cancelled when the stream is being stopped.
  absl::Status Barrier();
  LogPlace PlaceOf(const binlog::LogContext& context) const;
  absl::Status TakeRows(const binlog::LogContext& context, const LogPlace& place, const binlog::TableMap& map,
                        const binlog::RowsEvent& rows, bool late);
  void EndLanes();

  // Prepared transactions (follower_xa.cc).
  struct Waiting {
    std::unique_ptr<HeldTransaction> rows;  // null: without rows of any table
    std::string gtid;
    StreamPosition before;  // with its GTIDs
    absl::Time prepared;
  };
  absl::Status Prepared(const binlog::LogContext& context);
  // XA COMMIT and XA ROLLBACK; false for every other statement.
  absl::StatusOr<bool> EndPrepared(const binlog::LogContext& context, std::string_view statement);
  absl::Status CommitPrepared(Waiting* waiting);
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
  bool in_transaction_ = false;
  // The XA transaction under way, and those that wait for their end; a place before the latter is what may be
  // stored.
  std::unique_ptr<HeldTransaction> xa_;
  std::map<std::string, Waiting> prepared_;  // by xid
  struct CommittedXa {
    std::string xid;
    std::vector<StreamTable*> touched;
  };
  std::deque<CommittedXa> committed_;  // the last ones
  absl::Time proven_ = absl::InfinitePast();
  uint64_t file_number_ = 0;

  StreamPosition boundary_;  // its gtid_set is executed_'s
  ExecutedGtids executed_;
  absl::Time whole_until_ = absl::InfinitePast();
  absl::Time open_since_ = absl::InfiniteFuture();  // of the oldest row that is not shipped
  int64_t open_bytes_ = 0;                          // encoded and not shipped
  bool moved_ = false;                              // since the last mark
  std::atomic<uint64_t> transactions_{0};
  std::atomic<uint64_t> events_{0};
};

}  // namespace hakobu
