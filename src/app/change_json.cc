#include "app/change_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/escaping.h"
#include "absl/time/time.h"
#include "base/status.h"
#include "decode/binlog/native_text.h"
#include "decode/ddl/ddl.h"
#include "encode/geometry.h"
#include "encode/number_text.h"
#include "encode/temporal.h"

namespace hakobu {
namespace {

using binlog::LogColumn;

void AppendString(std::string_view text, std::string* out) {
  out->append(nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

std::string TimeText(const binlog::LogContext& context) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E*SZ", absl::FromUnixMicros(context.committed_us()),
                          absl::UTCTimeZone());
}

void AppendTemporal(const Cell& cell, const LogColumn& column, std::string* out) {
  char text[48];
  char* end;
  switch (cell.kind) {
    case CellKind::kDate:
      end = WriteDate(cell.integer, text);
      break;
    case CellKind::kTime:
      end = WriteTime(cell.integer, column.scale, text);
      break;
    default:
      end = WriteDateTime(cell.integer, column.scale, text);
      if (cell.kind == CellKind::kTimestamp) *end++ = 'Z';
  }
  AppendString({text, static_cast<size_t>(end - text)}, out);
}

void AppendCell(const Cell& cell, const LogColumn& column, std::string* out) {
  switch (cell.kind) {
    case CellKind::kNull:
      out->append("null");
      break;
    case CellKind::kInt64:
      out->append(fmt::format("{}", cell.integer));
      break;
    case CellKind::kUInt64:
      out->append(fmt::format("{}", cell.unsigned_integer));
      break;
    case CellKind::kDouble:
      AppendDouble(cell.real, out);
      break;
    case CellKind::kFloat: {
      char text[48];
      out->append(text, WriteFloat(static_cast<float>(cell.real), text));
      break;
    }
    case CellKind::kDecimal:
    case CellKind::kString:
      AppendString(cell.text(), out);
      break;
    case CellKind::kBytes:
      AppendString(absl::Base64Escape(View(cell.text())), out);
      break;
    case CellKind::kDate:
    case CellKind::kDateTime:
    case CellKind::kTimestamp:
    case CellKind::kTime:
      AppendTemporal(cell, column, out);
      break;
    case CellKind::kJson:
      out->append(cell.text());
      break;
    case CellKind::kGeometry: {
      std::string wkt;
      if (AppendWkt(cell.text(), GeometryUse::kText, &wkt) != GeometryProblem::kNone) {
        wkt = absl::BytesToHexString(View(cell.text()));
      }
      AppendString(wkt, out);
      break;
    }
    case CellKind::kVector:
      AppendVector(cell.text(), out);
      break;
    case CellKind::kInvalid:
      out->append("{\"invalid\":");
      AppendString(cell.text(), out);
      out->push_back('}');
      break;
  }
}

bool IsPresent(std::string_view bits, size_t place) {
  return (bits[place / 8] >> (place % 8) & 1) != 0;
}

std::string_view TypeName(binlog::RowChange change) {
  switch (change) {
    case binlog::RowChange::kInsert:
      return "insert";
    case binlog::RowChange::kUpdate:
      return "update";
    case binlog::RowChange::kDelete:
      return "delete";
  }
  return "";
}

void AppendPlace(const binlog::LogContext& context, std::string* out) {
  out->append("{\"file\":");
  AppendString(context.file, out);
  out->append(fmt::format(",\"position\":{},\"gtid\":", context.position));
  if (context.gtid.empty()) {
    out->append("null");
  } else {
    AppendString(context.gtid, out);
  }
  out->append(fmt::format(",\"time\":\"{}\"", TimeText(context)));
}

bool MayHoldNative(const binlog::TableMap& map) {
  return std::any_of(map.columns.begin(), map.columns.end(), [](const LogColumn& column) {
    return column.type == binlog::LogType::kString && (column.length == 4 || column.length == 16);
  });
}

// Whether the definition of now may be that of the log's place, and says more than the log: it may have been
// altered since.
bool FitsNative(const binlog::TableMap& map, const SourceTable& known) {
  if (known.columns.size() != map.columns.size()) return false;
  bool any = false;
  for (size_t i = 0; i < map.columns.size(); ++i) {
    const uint16_t bytes = binlog::NativeBytes(known.columns[i].declared);
    if (map.has_names && map.columns[i].name != known.columns[i].name) return false;
    if (bytes == 0) continue;
    if (map.columns[i].type != binlog::LogType::kString || map.columns[i].length != bytes) return false;
    any = true;
  }
  return any;
}

}  // namespace

struct ChangeJson::Table {
  binlog::TableMap map;
  std::vector<std::string> names;  // as JSON strings
  binlog::RowImageDecoder decoder;
  Batch batch;

  void AppendRow(std::span<const Cell> row, std::string_view present, std::string* out) const {
    out->push_back('{');
    bool first = true;
    for (size_t i = 0; i < row.size(); ++i) {
      if (!IsPresent(present, i)) continue;
      if (!first) out->push_back(',');
      first = false;
      out->append(names[i]);
      out->push_back(':');
      AppendCell(row[i], map.columns[i], out);
    }
    out->push_back('}');
  }

  void AppendKey(std::span<const Cell> row, std::string* out) const {
    if (map.primary_key.empty()) {
      out->append("null");
      return;
    }
    out->push_back('{');
    for (size_t i = 0; i < map.primary_key.size(); ++i) {
      const size_t place = map.primary_key[i];
      if (i > 0) out->push_back(',');
      out->append(names[place]);
      out->push_back(':');
      AppendCell(row[place], map.columns[place], out);
    }
    out->push_back('}');
  }
};

ChangeJson::ChangeJson(Wanted wanted, Write write, Describe describe)
    : wanted_(std::move(wanted)), write_(std::move(write)), describe_(std::move(describe)) {}
ChangeJson::~ChangeJson() = default;

absl::StatusOr<binlog::RowImageDecoder> ChangeJson::DecoderFor(const binlog::TableMap& map) const {
  if (describe_ && MayHoldNative(map)) {
    const std::optional<SourceTable> known = describe_(map.database, map.table);
    if (known.has_value() && FitsNative(map, *known)) {
      absl::StatusOr<binlog::RowImageDecoder> decoder =
          binlog::RowImageDecoder::Create(map, &*known, binlog::UnknownColumns::kAssume);
      if (decoder.ok()) return decoder;
    }
  }
  return binlog::RowImageDecoder::Create(map, nullptr, binlog::UnknownColumns::kAssume);
}

absl::Status ChangeJson::Emit() {
  return held_ != nullptr ? held_->Add(line_) : write_(line_);
}

bool ChangeJson::TakeSavepoint(const binlog::LogStatement& statement) {
  if (!in_transaction_) return false;
  const std::optional<ddl::SavepointStatement> savepoint = ddl::ReadSavepoint(
      statement.text, ddl::ContextOf(statement, ddl::Dialect::kMariaDb, ddl::DdlContext().version, false));
  if (!savepoint.has_value()) return false;
  if (savepoint->rolls_back) return held_ != nullptr && held_->RollBackTo(savepoint->name);
  if (held_ == nullptr) held_ = std::make_unique<HeldLines>();
  held_->SetSavepoint(savepoint->name);
  return true;
}

absl::Status ChangeJson::OnBegin(const binlog::LogContext&) {
  held_.reset();
  in_transaction_ = true;
  return absl::OkStatus();
}

absl::StatusOr<ChangeJson::Table*> ChangeJson::FindTable(const binlog::TableMap& map) {
  // Servers give tables new ids all the time: those of old ones need no memory.
  constexpr size_t kMostTables = 1000;
  if (tables_.size() >= kMostTables && !tables_.contains(map.table_id)) tables_.clear();
  std::unique_ptr<Table>& table = tables_[map.table_id];
  // Ids are given anew after a restart, and after each DDL: the same id is the same table only within a
  // server's run.
  if (table != nullptr && table->map == map) return table.get();
  HAKOBU_ASSIGN_OR_RETURN(binlog::RowImageDecoder decoder, DecoderFor(map));
  std::vector<std::string> names;
  for (size_t i = 0; i < map.columns.size(); ++i) {
    std::string name;
    AppendString(map.has_names ? map.columns[i].name : fmt::format("@{}", i + 1), &name);
    names.push_back(std::move(name));
  }
  table.reset(new Table{map, std::move(names), std::move(decoder), Batch(map.columns.size())});
  return table.get();
}

absl::Status ChangeJson::OnRows(const binlog::LogContext& context, const binlog::TableMap& map,
                                const binlog::RowsEvent& rows) {
  if (!wanted_(map.database, map.table)) return absl::OkStatus();
  HAKOBU_ASSIGN_OR_RETURN(Table* const table, FindTable(map));
  table->batch.Clear();
  HAKOBU_RETURN_IF_ERROR(table->decoder.Decode(rows, &table->batch));
  const size_t step = rows.change == binlog::RowChange::kUpdate ? 2 : 1;
  for (size_t i = 0; i + step <= table->batch.rows(); i += step) {
    const std::span<const Cell> first = table->batch.Row(i), last = table->batch.Row(i + step - 1);
    line_.clear();
    AppendPlace(context, &line_);
    line_ += fmt::format(",\"type\":\"{}\",\"database\":", TypeName(rows.change));
    AppendString(map.database, &line_);
    line_ += ",\"table\":";
    AppendString(map.table, &line_);
    line_ += ",\"key\":";
    table->AppendKey(first, &line_);
    line_ += ",\"before\":";
    if (rows.change == binlog::RowChange::kInsert) {
      line_ += "null";
    } else {
      table->AppendRow(first, rows.present_before, &line_);
    }
    line_ += ",\"after\":";
    if (rows.change == binlog::RowChange::kDelete) {
      line_ += "null";
    } else {
      table->AppendRow(last, rows.present_after, &line_);
    }
    line_ += "}\n";
    HAKOBU_RETURN_IF_ERROR(Emit());
  }
  return absl::OkStatus();
}

absl::Status ChangeJson::OnStatement(const binlog::LogContext& context,
                                     const binlog::LogStatement& statement) {
  if (TakeSavepoint(statement)) return absl::OkStatus();
  line_.clear();
  AppendPlace(context, &line_);
  line_ += ",\"type\":\"statement\",\"database\":";
  AppendString(statement.database, &line_);
  line_ += ",\"statement\":";
  AppendString(statement.text, &line_);
  line_ += "}\n";
  return Emit();
}

absl::Status ChangeJson::OnEnd(const binlog::LogContext& context, binlog::TransactionEnd end) {
  in_transaction_ = false;
  if (const std::unique_ptr<HeldLines> held = std::move(held_); held != nullptr) {
    HAKOBU_RETURN_IF_ERROR(held->TakeAll([&](std::string_view piece) { return write_(std::string(piece)); }));
  }
  if (end == binlog::TransactionEnd::kCommit) return absl::OkStatus();
  line_.clear();
  AppendPlace(context, &line_);
  line_ += fmt::format(",\"type\":\"{}\"}}\n",
                       end == binlog::TransactionEnd::kRollback ? "rollback" : "xa_prepare");
  return write_(line_);
}

}  // namespace hakobu
