// What the DDL history is told of statements.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/log.h"
#include "base/status.h"
#include "delivery/stream/ddl_history.h"
#include "delivery/stream/follower.h"

namespace hakobu {
namespace {

std::string_view EffectName(ddl::TableEffect::Kind kind) {
  using Kind = ddl::TableEffect::Kind;
  switch (kind) {
    case Kind::kCreated:
      return "created";
    case Kind::kReplaced:
      return "replaced";
    case Kind::kDropped:
      return "dropped";
    case Kind::kRenamed:
      return "renamed";
    case Kind::kTruncated:
      return "truncated";
    case Kind::kAltered:
      return "altered";
    case Kind::kRowsChangedUnseen:
      return "rows_changed";
    case Kind::kUnknown:
      break;
  }
  return "unknown";
}

}  // namespace

std::string Follower::WhatWasDone(const ddl::TableName& name) const {
  const StreamTable* table = context_->tables.Find(fmt::format("{}.{}", name.database, name.table));
  if (table == nullptr) return "not streamed";
  const StreamTableRecord record = table->record();
  if (record.state == StreamTableState::kStopped) return "the table is stopped: " + record.reason;
  if (record.state == StreamTableState::kDropped) return "no longer delivered, BigQuery keeps the rows";
  std::vector<std::string> done = followed_;
  // A copy that begins at this place: the statement asked for it.
  const ChangeSequence begin = JustBefore(NextPlace());
  if (record.copy_sequence == SequenceText(begin)) done.push_back("copied");
  return done.empty() ? "nothing to do" : fmt::format("{}", fmt::join(done, "; "));
}

absl::Status Follower::Note(const binlog::LogContext& context, const binlog::LogStatement& statement,
                            const ddl::TableEffect& effect, size_t number) {
  if (context_->ddl_history == nullptr) return absl::OkStatus();
  const bool renamed = effect.kind == ddl::TableEffect::Kind::kRenamed;
  const auto streamed = [&](const ddl::TableName& name) {
    return context_->tables.Find(fmt::format("{}.{}", name.database, name.table)) != nullptr;
  };
  if (!streamed(effect.table) && !(renamed && streamed(effect.to))) return absl::OkStatus();
  DdlEntry entry;
  entry.place = PlaceOf(context);
  entry.place.row += number;
  entry.unix_micros = context.committed_us();
  entry.gtid = context.gtid;
  entry.database = effect.table.database;
  entry.table = effect.table.table;
  entry.effect = EffectName(effect.kind);
  entry.action = WhatWasDone(effect.table);
  if (renamed) {
    entry.action += fmt::format("; {}.{}: {}", effect.to.database, effect.to.table, WhatWasDone(effect.to));
  }
  entry.statement = StatementText(statement.text, statement.settings.client_collation);
  const absl::Status added = context_->ddl_history->Add(entry);
  if (added.ok() || added.code() == absl::StatusCode::kCancelled) return added;
  // The tables go on without it.
  Log(LogSeverity::kError, "the DDL history lacks a statement",
      {{"table", entry.database + "." + entry.table},
       {"statement", entry.statement},
       {"error", std::string(View(added.message()))}});
  return absl::OkStatus();
}

}  // namespace hakobu
