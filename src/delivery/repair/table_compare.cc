#include "delivery/repair/table_compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/crash_point.h"
#include "base/log.h"
#include "base/status.h"
#include "delivery/repair/extra_rows.h"
#include "delivery/repair/stream_wait.h"
#include "delivery/schema_change.h"
#include "delivery/stream/table_contract.h"
#include "log/sequence.h"

namespace hakobu {
namespace {

constexpr size_t kBytesInFlight = 4 << 20;
// BigQuery forgets deleted keys after two days, and what was read must not be older than that.
constexpr absl::Duration kOldestResumed = absl::Hours(24);
constexpr absl::Duration kBesideLife = absl::Hours(24 * 7);

SourceColumn Integer(std::string_view name) {
  SourceColumn column;
  column.name = name;
  column.type = SourceType::kBigInt;
  column.declared = "bigint";
  return column;
}

}  // namespace

TableCompare::~TableCompare() = default;

absl::StatusOr<std::unique_ptr<TableCompare>> TableCompare::Open(RepairContext* context,
                                                                 const TableWork& work) {
  HAKOBU_ASSIGN_OR_RETURN(const TableOptions options,
                          DeliveredOptions(*context->config, context->ledger, work));
  HAKOBU_ASSIGN_OR_RETURN(LaneSchema lane, MakeLaneSchema(*context->config, options, work.source));
  if (!lane.base.key.has_value()) {
    return WithHint(
        absl::FailedPreconditionError(fmt::format(
            "{}: without a key its rows cannot be told apart, and so not be compared", work.name)),
        "`hakobu repair --recopy` copies the table anew");
  }
  std::unique_ptr<TableCompare> compare(new TableCompare(context, std::move(lane)));
  HAKOBU_RETURN_IF_ERROR(Annotate(compare->Prepare(), "compare " + work.name));
  return compare;
}

absl::Status TableCompare::Prepare() {
  const absl::StatusOr<Resource> existing = GetTable(*context_->destination.rest, target());
  if (existing.status().code() == absl::StatusCode::kNotFound) {
    return WithHint(existing.status(), "`hakobu stream` makes the table; then it can be compared");
  }
  HAKOBU_RETURN_IF_ERROR(existing.status());
  HAKOBU_ASSIGN_OR_RETURN(const std::optional<SchemaVersion> delivered,
                          context_->ledger->schemas().NewestSchema(target().ToString()));
  HAKOBU_ASSIGN_OR_RETURN(
      const SchemaChanges changes,
      CompareSchemas(existing->json, delivered.has_value() ? delivered->schema_json : "", &lane_.work));
  if (!changes.ddl.empty()) {
    return WithHint(absl::FailedPreconditionError(fmt::format(
                        "its columns in BigQuery are not yet the source's: {}", changes.ddl.front())),
                    "let `hakobu stream` catch up first");
  }
  const nlohmann::json resource = nlohmann::json::parse(existing->json, nullptr, false);
  if (resource.value("requirePartitionFilter", false) && lane_.work.options.partition.has_value()) {
    partition_column_ = lane_.work.options.partition->column;
  }
  read_ = lane_.work.source;
  for (const Field& field : lane_.work.schema.fields) {
    if (field.source_column < lane_.base.columns.size()) rows_.fields.push_back(field);
  }
  for (const std::string_view name : {kChunkColumn, kRoundColumn}) {
    Field field;
    field.name = name;
    field.type = FieldType::kInt64;
    field.source_column = read_.columns.size();
    read_.columns.push_back(Integer(name));
    rows_.fields.push_back(std::move(field));
  }
  // Of what decides the rows: another schema, target or mode begins anew.
  const std::string fingerprint = fmt::format("{} {}", LaneModeName(lane_.mode), SchemaJson(lane_.work));
  HAKOBU_ASSIGN_OR_RETURN(const bool resumed, Resume(fingerprint));
  if (!resumed) HAKOBU_RETURN_IF_ERROR(Begin(fingerprint));
  ++record_.round;
  return context_->repairs->StoreRound(name(), record_.round);
}

absl::StatusOr<bool> TableCompare::Resume(const std::string& fingerprint) {
  HAKOBU_ASSIGN_OR_RETURN(const std::optional<RepairTableRecord> known, context_->repairs->Find(name()));
  if (!known.has_value()) return false;
  bool usable = known->fingerprint == fingerprint && known->target == target().ToString() &&
                context_->clock->Now() - known->started < kOldestResumed;
  HAKOBU_ASSIGN_OR_RETURN(const std::vector<StreamGapRecord> gaps, context_->log->Gaps());
  for (const StreamGapRecord& gap : gaps) usable = usable && gap.opened < known->started;
  if (usable) usable = GetTable(*context_->destination.rest, Beside("rows")).ok();
  if (!usable) return false;
  HAKOBU_ASSIGN_OR_RETURN(chunks_, context_->repairs->Chunks(name()));
  if (!chunks_.empty() && !BoundsOf(chunks_.front()).ok()) return false;  // sealed with another salt
  record_ = *known;
  Log(LogSeverity::kInfo, "going on with an interrupted comparison", {{"table", name()}});
  return true;
}

absl::Status TableCompare::Begin(const std::string& fingerprint) {
  record_ = {};
  record_.source = name();
  record_.target = target().ToString();
  record_.rows_table = Beside("rows").ToString();
  record_.fingerprint = fingerprint;
  record_.started = context_->clock->Now();
  HAKOBU_ASSIGN_OR_RETURN(record_.sequence, NoteSequence());
  HAKOBU_ASSIGN_OR_RETURN(Connection * source, source_.Get());
  ChunkOptions options;
  options.target_rows = std::min<uint64_t>(lane_.work.options.chunk_rows, 50'000);
  options.target_bytes = std::min<uint64_t>(lane_.work.options.chunk_bytes, 16 << 20);
  HAKOBU_ASSIGN_OR_RETURN(const ChunkPlan plan, PlanChunks(source, lane_.base, options));
  chunks_.clear();
  for (const Chunk& chunk : plan.chunks) {
    chunks_.push_back({.number = chunks_.size(), .bounds_json = values_.Write(chunk.ToJson())});
  }
  HAKOBU_RETURN_IF_ERROR(MakeRowsTable());
  HAKOBU_RETURN_IF_ERROR(context_->repairs->Begin(record_, chunks_));
  CrashPoint("repair.begun");
  Log(LogSeverity::kInfo, "comparing", {{"table", name()}, {"chunks", fmt::format("{}", chunks_.size())}});
  return absl::OkStatus();
}

absl::StatusOr<Chunk> TableCompare::BoundsOf(const StreamChunkRecord& chunk) const {
  HAKOBU_ASSIGN_OR_RETURN(const std::string bounds_json, values_.Read(chunk.bounds_json));
  return Chunk::FromJson(bounds_json);
}

absl::Status TableCompare::MakeRowsTable() {
  Rest& rest = *context_->destination.rest;
  const TableName rows = Beside("rows");
  const absl::Status gone = DeleteTable(rest, rows);
  if (!gone.ok() && gone.code() != absl::StatusCode::kNotFound) return gone;
  nlohmann::json resource;
  resource["schema"]["fields"] = nlohmann::json::parse(SchemaFieldsJson(rows_), nullptr, false);
  resource["expirationTime"] = std::to_string(absl::ToUnixMillis(context_->clock->Now() + kBesideLife));
  resource["description"] =
      "the source's rows, to compare " + target().table + " with; made and removed by hakobu";
  return CreateTable(rest, rows, resource.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace))
      .status();
}

// Rows read from here on are sent below every change that the stream delivers after the place it has stored,
// and above every one that it delivered before.
absl::StatusOr<std::string> TableCompare::NoteSequence() {
  HAKOBU_ASSIGN_OR_RETURN(const DeliveredPoint stored, DeliveredUpTo(*context_->log));
  HAKOBU_ASSIGN_OR_RETURN(Connection * source, source_.Get());
  HAKOBU_ASSIGN_OR_RETURN(const LogState state, ReadLogState(source));
  const auto another = [&](std::string_view why) {
    return WithHint(
        absl::FailedPreconditionError(fmt::format("the source is not where the stream left it: {}", why)),
        "run `hakobu stream` first: it finds out what that means for the tables");
  };
  if (state.server_uuid != stored.server_uuid || state.server_id != stored.server_id) {
    return another("another server answers");
  }
  const bool by_gtid = stored.flavor == ServerFlavor::kMySql && !stored.gtid_set.empty();
  // What the log has may not be seen by readers of the tables at the same moment.
  if (!by_gtid) {
    if (context_->cancel->WaitFor(absl::Seconds(1))) return context_->cancel->Check();
  } else {
    const std::string sql =
        fmt::format("SELECT GTID_SUBSET({}, @@GLOBAL.gtid_executed)", QuoteText(stored.gtid_set));
    for (int tries = 0;; ++tries) {
      HAKOBU_ASSIGN_OR_RETURN(const std::string contained, source->QueryValue(sql));
      if (contained == "1") break;
      if (tries == 100) return another("it lacks transactions that were delivered");
      if (context_->cancel->WaitFor(absl::Milliseconds(50))) return context_->cancel->Check();
    }
  }
  return SequenceText(JustBefore(ChangeSequence::At(stored, stored.epoch)));
}

absl::Status TableCompare::NotePosition() {
  HAKOBU_ASSIGN_OR_RETURN(Connection * source, source_.Get());
  HAKOBU_ASSIGN_OR_RETURN(const LogPoint place, ReadLogPoint(source));
  position_ = place.Text();
  if (!place.gtid_set.empty()) {
    position_ += " (" + place.gtid_set + ")";
  }
  return absl::OkStatus();
}

absl::Status TableCompare::WaitForStream() {
  HAKOBU_ASSIGN_OR_RETURN(Connection * source, source_.Get());
  HAKOBU_ASSIGN_OR_RETURN(behind_,
                          StreamStaysBehind(context_, source, name(), lane_.work.options.max_staleness));
  return absl::OkStatus();
}

absl::Status TableCompare::ReadSource() {
  HAKOBU_RETURN_IF_ERROR(NotePosition());
  // Rows of chunks that an earlier process finished have the first round's number.
  for (StreamChunkRecord& chunk : chunks_) {
    if (!chunk.done) HAKOBU_RETURN_IF_ERROR(ReadChunk(&chunk, true, ""));
  }
  return absl::OkStatus();
}

absl::StatusOr<Differences> TableCompare::Compare() {
  found_round_ = record_.round;
  HAKOBU_RETURN_IF_ERROR(Run(CompareSql(lane_, Tables(), 1)));
  CrashPoint("repair.compared");
  return Count();
}

absl::StatusOr<Differences> TableCompare::CompareAgain() {
  HAKOBU_RETURN_IF_ERROR(WaitForStream());
  HAKOBU_ASSIGN_OR_RETURN(const std::vector<size_t> numbers, ChunksThatDiffered());
  HAKOBU_RETURN_IF_ERROR(ReadChunks(numbers, ""));
  const TableName before = Tables().found;
  found_round_ = record_.round;
  HAKOBU_RETURN_IF_ERROR(Run(CompareAgainSql(lane_, Tables(), before, record_.round)));
  return Count();
}

absl::StatusOr<Differences> TableCompare::Repair() {
  HAKOBU_ASSIGN_OR_RETURN(const std::string sequence, NoteSequence());
  HAKOBU_ASSIGN_OR_RETURN(const std::vector<size_t> numbers, ChunksThatDiffered());
  const bool by_key = lane_.changes_by_key();
  if (by_key && found_.extra > 0) HAKOBU_RETURN_IF_ERROR(SendExtra());
  HAKOBU_RETURN_IF_ERROR(ReadChunks(numbers, by_key ? sequence : ""));
  if (!by_key) HAKOBU_RETURN_IF_ERROR(AppendToHistory(sequence));
  CrashPoint("repair.sent");
  HAKOBU_RETURN_IF_ERROR(WaitForStream());
  const TableName before = Tables().found;
  found_round_ = record_.round;
  HAKOBU_RETURN_IF_ERROR(Run(CompareAgainSql(lane_, Tables(), before, record_.round)));
  return Count();
}

// None of these keys was in the source when its range was read, after the place of record_.sequence was
// noted: a row that came since has a greater sequence number and stays.
absl::Status TableCompare::SendExtra() {
  std::unique_ptr<WriteStream> stream;
  const auto send = [&](std::shared_ptr<EncodedRows> request) {
    RowBytes rows{.bytes = request->bytes(), .row_count = request->rows(), .owner = request};
    return stream->Append(std::move(rows));
  };
  HAKOBU_ASSIGN_OR_RETURN(const std::unique_ptr<ExtraRows> extra,
                          ExtraRows::Create(lane_, record_.sequence, send));
  AppendOptions options;
  options.max_bytes_in_flight = kBytesInFlight;
  stream = std::make_unique<WriteStream>(*context_->destination.storage,
                                         AppendTarget{.stream = DefaultStream(target()),
                                                      .descriptor = std::string(extra->descriptor()),
                                                      .next_offset = 0},
                                         options);
  HAKOBU_RETURN_IF_ERROR(Ask(ExtraSql(lane_, Tables(), lane_.mode == LaneMode::kSoft),
                             [&](const RowValues& row) { return extra->Add(row); }));
  HAKOBU_RETURN_IF_ERROR(extra->Finish());
  return stream->Flush();
}

absl::Status TableCompare::AppendToHistory(const std::string& sequence) {
  const std::string place = SortableSequence(ParseSequence(sequence));
  return Run(AppendRepairSql(lane_, Tables(), record_.round, place));
}

absl::StatusOr<std::vector<size_t>> TableCompare::ChunksThatDiffered() {
  std::vector<bool> wanted(chunks_.size(), false);
  HAKOBU_RETURN_IF_ERROR(Ask(ChunksSql(Tables().found), [&](const RowValues& row) -> absl::Status {
    size_t number = 0;
    const std::string& text = row[0].value_or("");
    std::from_chars(text.data(), text.data() + text.size(), number);
    if (number < wanted.size()) wanted[number] = true;
    return absl::OkStatus();
  }));
  if (found_.extra > 0) {
    bool all = false;
    HAKOBU_ASSIGN_OR_RETURN(const std::vector<size_t> numbers, ChunksOfExtra(&all));
    if (all) wanted.assign(chunks_.size(), true);
    for (const size_t number : numbers) wanted[number] = true;
  }
  std::vector<size_t> numbers;
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i]) numbers.push_back(i);
  }
  return numbers;
}

// The ranges in which keys would lie that only BigQuery has. Other keys than integers are ordered by the
// source's collations: all ranges then.
absl::StatusOr<std::vector<size_t>> TableCompare::ChunksOfExtra(bool* all) {
  constexpr size_t kMost = 1000;
  std::vector<size_t> numbers;
  const size_t column = lane_.base.key->columns.front();
  const auto field = std::find_if(rows_.fields.begin(), rows_.fields.end(),
                                  [&](const Field& each) { return each.source_column == column; });
  *all = field == rows_.fields.end() || field->type != FieldType::kInt64 || field->mask != Mask::kNone ||
         lane_.base.columns[column].type > SourceType::kBigInt || chunks_.size() == 1;
  if (*all) return numbers;
  std::vector<int64_t> keys;
  const std::string sql = fmt::format("SELECT DISTINCT `{}` FROM {} WHERE {} = 'extra' LIMIT {}", field->name,
                                      Tables().found.Quoted(), kFoundColumn, kMost);
  HAKOBU_RETURN_IF_ERROR(Ask(sql, [&](const RowValues& row) -> absl::Status {
    const std::string& text = row[0].value_or("");
    int64_t key = 0;
    std::from_chars(text.data(), text.data() + text.size(), key);
    keys.push_back(key);
    return absl::OkStatus();
  }));
  *all = keys.size() == kMost;
  const auto bound = [](const std::optional<KeyBound>& at, int64_t open) {
    int64_t value = open;
    if (at.has_value() && !at->empty()) {
      std::from_chars(at->front().data(), at->front().data() + at->front().size(), value);
    }
    return value;
  };
  for (const StreamChunkRecord& record : chunks_) {
    HAKOBU_ASSIGN_OR_RETURN(const Chunk chunk, BoundsOf(record));
    const int64_t from = bound(chunk.after, std::numeric_limits<int64_t>::min());
    const int64_t to = bound(chunk.upto, std::numeric_limits<int64_t>::max());
    if (std::any_of(keys.begin(), keys.end(), [&](int64_t key) { return from <= key && key <= to; })) {
      numbers.push_back(record.number);
    }
  }
  return numbers;
}

absl::StatusOr<Differences> TableCompare::Count() {
  found_ = {};
  HAKOBU_RETURN_IF_ERROR(Ask(CountSql(Tables().found), [&](const RowValues& row) -> absl::Status {
    const std::string kind = row[0].value_or("");
    const std::string& text = row[1].value_or("");
    uint64_t* const count = kind == "missing" ? &found_.missing
                            : kind == "extra" ? &found_.extra
                                              : &found_.different;
    std::from_chars(text.data(), text.data() + text.size(), *count);
    return absl::OkStatus();
  }));
  return found_;
}

absl::StatusOr<std::vector<std::string>> TableCompare::FirstKeys() {
  constexpr int kMost = 10;
  std::vector<std::string> keys;
  HAKOBU_RETURN_IF_ERROR(
      Ask(FirstKeysSql(lane_, Tables().found, kMost), [&](const RowValues& row) -> absl::Status {
        std::string key;
        for (const auto& value : row) {
          if (!key.empty()) key += ", ";
          key += value.value_or("NULL");
        }
        keys.push_back(std::move(key));
        return absl::OkStatus();
      }));
  return keys;
}

uint64_t TableCompare::rows() const {
  uint64_t rows = 0;
  for (const StreamChunkRecord& chunk : chunks_) rows += chunk.rows;
  return rows;
}

absl::Status TableCompare::Finish() {
  Rest& rest = *context_->destination.rest;
  HAKOBU_ASSIGN_OR_RETURN(const std::vector<TableEntry> tables, ListTables(rest, Beside("").InDataset()));
  for (const TableEntry& table : tables) {
    // Those of processes that were killed too.
    if (!table.name.table.starts_with(Beside("").table)) continue;
    const absl::Status gone = DeleteTable(rest, table.name);
    if (!gone.ok() && gone.code() != absl::StatusCode::kNotFound) return gone;
    CrashPoint("repair.removed");
  }
  return context_->repairs->Forget(name());
}

absl::Status TableCompare::Run(const std::string& sql) {
  return Ask(sql, [](const RowValues&) { return absl::OkStatus(); });
}

absl::Status TableCompare::Ask(const std::string& sql,
                               absl::FunctionRef<absl::Status(const RowValues&)> each) {
  QuerySpec query;
  query.project = context_->config->destination.billing_project;
  query.location = context_->config->destination.location;
  query.sql = sql;
  return Annotate(RunQuery(*context_->destination.rest, query, each).status(),
                  fmt::format("{}: {}", name(), sql.substr(0, 100)));
}

TableName TableCompare::Beside(std::string_view suffix) const {
  const DestinationConfig& destination = context_->config->destination;
  return {target().project,
          destination.staging_dataset.empty() ? target().dataset : destination.staging_dataset,
          fmt::format("_hakobu_repair_{}_{}_{}", target().table, context_->ledger->id(), suffix)};
}

CompareTables TableCompare::Tables() const {
  CompareTables tables;
  tables.target = target();
  tables.rows = Beside("rows");
  tables.found = Beside(fmt::format("found{}", found_round_));
  tables.expires = context_->clock->Now() + kBesideLife;
  tables.partition_column = partition_column_;
  return tables;
}

}  // namespace hakobu
