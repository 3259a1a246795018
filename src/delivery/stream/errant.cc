#include "delivery/stream/errant.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <variant>

#include "absl/strings/match.h"
#include "base/status.h"
#include "decode/binlog/log_decoder.h"
#include "decode/ddl/ddl.h"
#include "delivery/stream/log_file_head.h"

namespace hakobu {
namespace {

using binlog::GtidSet;

// Reads transactions until every one of `wanted` has come; those that are not in `ours` are errant.
class ErrantVisitor : public binlog::LogVisitor {
 public:
  ErrantVisitor(const GtidSet& ours, GtidSet wanted)
      : ours_(ours), wanted_(std::move(wanted)), left_(wanted_.Count()) {}

  bool done() const { return left_ == 0; }
  ErrantTransactions Found() && {
    found_.gtids = errant_.Text();
    if (tables_known_) found_.tables = std::move(tables_);
    return std::move(found_);
  }

  absl::Status OnBegin(const binlog::LogContext&) override {
    in_transaction_ = true;
    return absl::OkStatus();
  }
  absl::Status OnRows(const binlog::LogContext&, const binlog::TableMap& map,
                      const binlog::RowsEvent&) override {
    touched_.insert(map.database + "." + map.table);
    return absl::OkStatus();
  }
  absl::Status OnStatement(const binlog::LogContext& context,
                           const binlog::LogStatement& statement) override {
    Touch(statement);
    return in_transaction_ ? absl::OkStatus() : Take(context, /*prepared=*/false);
  }
  absl::Status OnEnd(const binlog::LogContext& context, binlog::TransactionEnd end) override {
    in_transaction_ = false;
    return Take(context, end == binlog::TransactionEnd::kXaPrepare);
  }

 private:
  // The tables that a statement may change are added to those touched.
  void Touch(const binlog::LogStatement& statement) {
    const ddl::DdlContext context = ddl::ContextOf(statement, ddl::Dialect::kMySql, ddl::DdlContext().version,
                                                   /*lower_case_names=*/false);
    const auto changes = ddl::ParseDdl(statement.text, context);
    if (!changes.ok() || absl::StartsWithIgnoreCase(statement.text, "XA ")) {
      touches_unknown_ = true;
      return;
    }
    for (const ddl::DdlChange& change : *changes) Touch(change);
  }

  void Touch(const ddl::DdlChange& change) {
    using Kind = ddl::DdlKind;
    if (change.kind == Kind::kOther || change.kind == Kind::kCreateDatabase ||
        change.kind == Kind::kAlterDatabase)
      return;
    const bool names_others =
        std::any_of(change.actions.begin(), change.actions.end(), [](const auto& action) {
          return std::holds_alternative<ddl::RenameTo>(action) ||
                 std::holds_alternative<ddl::PartitionData>(action);
        });
    if (change.kind == Kind::kDropDatabase || change.may_concern_any_table || names_others)
      touches_unknown_ = true;
    Touch(change.table);
    Touch(change.to);
    for (const ddl::TableName& table : change.tables) Touch(table);
  }
  void Touch(const ddl::TableName& table) {
    if (!table.table.empty()) touched_.insert(table.database + "." + table.table);
  }

  // A transaction is whole. A prepared one is left out of what was delivered until its end, and comes again.
  absl::Status Take(const binlog::LogContext& context, bool prepared) {
    const std::set<std::string> touched = std::exchange(touched_, {});
    const bool touches_unknown = std::exchange(touches_unknown_, false);
    if (context.gtid.empty()) return absl::OkStatus();
    HAKOBU_ASSIGN_OR_RETURN(const GtidSet one, GtidSet::Parse(context.gtid));
    if (wanted_.Contains(one)) --left_;
    if (prepared || ours_.Contains(one)) return absl::OkStatus();
    errant_.Add(one);
    tables_.insert(touched.begin(), touched.end());
    tables_known_ = tables_known_ && !touches_unknown;
    const absl::Time committed = absl::FromUnixMicros(context.committed_us());
    found_.from = std::min(found_.from.value_or(committed), committed);
    return absl::OkStatus();
  }

  const GtidSet& ours_;
  const GtidSet wanted_;
  uint64_t left_;
  bool in_transaction_ = false;
  std::set<std::string> touched_;  // by the transaction under way
  bool touches_unknown_ = false;
  GtidSet errant_;
  std::set<std::string> tables_;
  bool tables_known_ = true;
  ErrantTransactions found_;
};

GtidSet Minus(GtidSet a, const GtidSet& b) {
  a.Subtract(b);
  return a;
}

class ErrantSearch {
 public:
  ErrantSearch(const ConnectOptions& connect, const LogState& state, const Cancellation& cancel)
      : connect_(connect), state_(state), cancel_(cancel) {}

  absl::StatusOr<ErrantTransactions> Run(const DeliveredPoint& stored, uint64_t most_bytes) {
    HAKOBU_ASSIGN_OR_RETURN(ours_, GtidSet::Parse(stored.gtid_set));
    HAKOBU_ASSIGN_OR_RETURN(const GtidSet purged, GtidSet::Parse(state_.purged_gtids));
    in_log_ = Minus(ours_, purged);
    HAKOBU_ASSIGN_OR_RETURN(const size_t behind,
                            FirstFile([&](const GtidSet& previous) { return previous.Contains(in_log_); }));
    if (behind == 0) return ErrantTransactions();  // what lies before is purged, and was delivered
    const size_t last = behind - 1;
    HAKOBU_ASSIGN_OR_RETURN(const size_t past, FirstFile([&](const GtidSet& previous) {
                              return !Minus(previous, ours_).empty();
                            }));
    if (past > last) return Read(last);
    const size_t first = past == 0 ? 0 : past - 1;
    uint64_t bytes = 0;
    for (size_t i = first; i <= last; ++i) bytes += state_.files[i].bytes;
    if (bytes <= most_bytes) return Read(first);
    return ReadWithoutTables(first, last);
  }

 private:
  // Of a file: when it was made, and what had been executed before it.
  struct Start {
    absl::Time created;
    GtidSet previous;
  };

  absl::StatusOr<const Start*> StartOf(size_t file) {
    if (const auto known = starts_.find(file); known != starts_.end()) return &known->second;
    HAKOBU_RETURN_IF_ERROR(cancel_.Check());
    const std::string& name = state_.files[file].name;
    HAKOBU_ASSIGN_OR_RETURN(const LogFileHead head, ReadLogFileHead(connect_, name));
    if (!head.previous_gtids.has_value())
      return absl::UnavailableError(fmt::format("look for errant transactions: {} cannot be read", name));
    HAKOBU_ASSIGN_OR_RETURN(GtidSet previous, GtidSet::Parse(*head.previous_gtids));
    Start start{absl::FromUnixSeconds(head.identity.created), std::move(previous)};
    return &starts_.emplace(file, std::move(start)).first->second;
  }

  // The first file before which `holds`, which stays true once it is; the number of files when there is none.
  template <typename Holds>
  absl::StatusOr<size_t> FirstFile(Holds holds) {
    size_t low = 0, high = state_.files.size();
    while (low < high) {
      const size_t middle = low + (high - low) / 2;
      HAKOBU_ASSIGN_OR_RETURN(const Start* start, StartOf(middle));
      if (holds(start->previous)) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return low;
  }

  absl::StatusOr<ErrantTransactions> Read(size_t file) {
    HAKOBU_ASSIGN_OR_RETURN(const Start* start, StartOf(file));
    LogStreamOptions options;
    options.stop_at_end = true;
    HAKOBU_ASSIGN_OR_RETURN(const auto stream,
                            LogStream::Open(connect_, LogStart::At(state_.files[file].name), options));
    ErrantVisitor visitor(ours_, Minus(in_log_, start->previous));
    binlog::LogDecoder decoder(&visitor);
    while (!visitor.done() && !stream->at_end()) {
      HAKOBU_RETURN_IF_ERROR(cancel_.Check());
      HAKOBU_ASSIGN_OR_RETURN(const auto event, stream->Next(connect_.read_timeout));
      if (event) HAKOBU_RETURN_IF_ERROR(decoder.Feed(*event));
    }
    return std::move(visitor).Found();
  }

  absl::StatusOr<ErrantTransactions> ReadWithoutTables(size_t first, size_t last) {
    HAKOBU_ASSIGN_OR_RETURN(ErrantTransactions found, Read(last));
    HAKOBU_ASSIGN_OR_RETURN(const Start* end, StartOf(last));
    HAKOBU_ASSIGN_OR_RETURN(const Start* begin, StartOf(first));
    HAKOBU_ASSIGN_OR_RETURN(GtidSet errant, GtidSet::Parse(found.gtids));
    errant.Add(Minus(end->previous, ours_));
    found.gtids = errant.Text();
    found.tables.reset();
    found.from = begin->created;
    return found;
  }

  const ConnectOptions& connect_;
  const LogState& state_;
  const Cancellation& cancel_;
  GtidSet ours_, in_log_;
  std::map<size_t, Start> starts_;  // by the file's place in the list
};

}  // namespace

absl::StatusOr<ErrantTransactions> FindErrant(const ConnectOptions& connect, const DeliveredPoint& stored,
                                              const LogState& state, const Cancellation& cancel,
                                              uint64_t most_bytes) {
  return ErrantSearch(connect, state, cancel).Run(stored, most_bytes);
}

}  // namespace hakobu
