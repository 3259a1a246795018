#include "delivery/stream/sweep.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/crash_point.h"
#include "base/log.h"
#include "base/status.h"
#include "delivery/repair/compare_sql.h"
#include "delivery/repair/extra_rows.h"
#include "log/sequence.h"

namespace hakobu {
namespace {

constexpr size_t kKeyBytesInFlight = 4 << 20;
constexpr absl::Duration kKeysLive = absl::Hours(24 * 7);

// The places of the key's fields among the delivered ones; empty when one is not delivered as it is.
std::vector<size_t> KeyPlaces(const LaneSchema& schema) {
  std::vector<size_t> places;
  if (!schema.base.key.has_value()) return places;
  const std::vector<Field>& fields = schema.work.schema.fields;
  for (const size_t column : schema.base.key->columns) {
    const auto field = std::find_if(fields.begin(), fields.end(), [&](const Field& each) {
      return each.source_column == column && each.mask != Mask::kNull && each.mask != Mask::kFirstN;
    });
    if (field == fields.end()) return {};
    places.push_back(static_cast<size_t>(field - fields.begin()));
  }
  return places;
}

AppendOptions KeyAppends() {
  AppendOptions options;
  options.max_bytes_in_flight = kKeyBytesInFlight;
  options.table_patience = absl::Minutes(10);
  options.schema_patience = absl::Minutes(10);
  return options;
}

}  // namespace

bool Sweep::Possible(const LaneSchema& schema) {
  return !KeyPlaces(schema).empty();
}

Sweep::Sweep(StreamContext* context, std::shared_ptr<const LaneSchema> schema, std::string sequence)
    : context_(context), schema_(std::move(schema)), sequence_(std::move(sequence)) {
  for (const size_t place : KeyPlaces(*schema_)) {
    keys_.fields.push_back(schema_->work.schema.fields[place]);
    keys_.fields.back().description.clear();
  }
}

// Its own name for each copy: a name that is made again loses rows of whoever wrote to it before.
TableName Sweep::Keys() const {
  const DestinationConfig& destination = context_->config->destination;
  std::string suffix = sequence_;
  std::replace(suffix.begin(), suffix.end(), '/', '_');
  const TableName& target = schema_->work.target;
  return {target.project, destination.staging_dataset.empty() ? target.dataset : destination.staging_dataset,
          fmt::format("_hakobu_keys_{}_{}_{}", target.table, context_->ledger->id(), suffix)};
}

absl::Status Sweep::Begin() {
  nlohmann::json resource;
  resource["schema"]["fields"] = nlohmann::json::parse(SchemaFieldsJson(keys_), nullptr, false);
  resource["expirationTime"] = std::to_string(absl::ToUnixMillis(context_->clock->Now() + kKeysLive));
  resource["description"] =
      "keys of rows that came to " + schema_->work.target.table + "; made and removed by hakobu";
  const absl::Status made =
      CreateTable(*context_->destination.rest, Keys(),
                  resource.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace))
          .status();
  CrashPoint("stream.keys_begun");
  return made.code() == absl::StatusCode::kAlreadyExists ? absl::OkStatus() : made;
}

absl::StatusOr<bool> Sweep::IsThere() {
  const absl::Status found = GetTable(*context_->destination.rest, Keys()).status();
  if (found.code() == absl::StatusCode::kNotFound) return false;
  HAKOBU_RETURN_IF_ERROR(found);
  return true;
}

absl::Status Sweep::Prepare() {
  if (stream_ != nullptr) return absl::OkStatus();
  HAKOBU_ASSIGN_OR_RETURN(ProtoEncoder encoder, ProtoEncoder::Create(schema_->work.source, keys_));
  encoder_ = std::make_unique<ProtoEncoder>(std::move(encoder));
  stream_ = std::make_unique<WriteStream>(*context_->destination.storage,
                                          AppendTarget{.stream = DefaultStream(Keys()),
                                                       .descriptor = std::string(encoder_->descriptor()),
                                                       .next_offset = 0},
                                          KeyAppends());
  return absl::OkStatus();
}

absl::Status Sweep::Send(std::shared_ptr<EncodedRows> request) {
  RowBytes rows{.bytes = request->bytes(), .row_count = request->rows(), .owner = request};
  return stream_->Append(std::move(rows));
}

absl::Status Sweep::Take(const Batch& rows) {
  HAKOBU_RETURN_IF_ERROR(Prepare());
  Quarantine quarantine;
  for (size_t row = 0; row < rows.rows();) {
    if (open_ == nullptr) open_ = pool_->Take();
    HAKOBU_ASSIGN_OR_RETURN(const size_t taken,
                            encoder_->Append(rows, row, kRequestBytes, open_.get(), &quarantine));
    row += taken;
    if (row < rows.rows() || open_->bytes().size() >= kRequestBytes)
      HAKOBU_RETURN_IF_ERROR(Send(std::move(open_)));
  }
  return absl::OkStatus();
}

absl::Status Sweep::Flush() {
  if (open_ != nullptr && open_->rows() > 0) HAKOBU_RETURN_IF_ERROR(Send(std::move(open_)));
  open_ = nullptr;
  return stream_ == nullptr ? absl::OkStatus() : stream_->Flush();
}

absl::Status Sweep::Ask(const std::string& sql, absl::FunctionRef<absl::Status(const RowValues&)> each) {
  QuerySpec query;
  query.project = context_->config->destination.billing_project;
  query.location = context_->config->destination.location;
  query.sql = sql;
  return Annotate(RunQuery(*context_->destination.rest, query, each).status(),
                  fmt::format("{}: {}", schema_->work.name, sql.substr(0, 100)));
}

// Nothing may go because its key was lost.
absl::Status Sweep::CheckKeys(uint64_t rows) {
  uint64_t kept = 0;
  HAKOBU_RETURN_IF_ERROR(
      Ask(fmt::format("SELECT COUNT(*) FROM {}", Keys().Quoted()), [&](const RowValues& row) -> absl::Status {
        const std::string& text = row[0].value_or("");
        std::from_chars(text.data(), text.data() + text.size(), kept);
        return absl::OkStatus();
      }));
  if (kept >= rows) return absl::OkStatus();
  return absl::UnavailableError(fmt::format("{}: {} of {} keys that came can be read in {}",
                                            schema_->work.name, kept, rows, Keys().ToString()));
}

absl::Status Sweep::Finish(uint64_t rows) {
  // Rows that were delivered just before are shown by then.
  const absl::Duration staleness = schema_->work.options.max_staleness;
  if (schema_->changes_by_key() && staleness > absl::ZeroDuration() && context_->stop.WaitFor(staleness))
    return context_->stop.Check();
  HAKOBU_RETURN_IF_ERROR(CheckKeys(rows));
  HAKOBU_RETURN_IF_ERROR(schema_->changes_by_key() ? RemoveByKey() : AppendDeletes());
  CrashPoint("stream.swept");
  return absl::OkStatus();
}

absl::Status Sweep::Remove() {
  const absl::Status gone = DeleteTable(*context_->destination.rest, Keys());
  return gone.code() == absl::StatusCode::kNotFound ? absl::OkStatus() : gone;
}

namespace {

CompareTables TablesOf(const LaneSchema& schema, TableName keys) {
  CompareTables tables;
  tables.target = schema.work.target;
  tables.rows = std::move(keys);
  const std::optional<PartitionConfig>& partition = schema.work.options.partition;
  if (partition.has_value() && partition->require_filter) tables.partition_column = partition->column;
  return tables;
}

}  // namespace

// A row that came since the place of `sequence` has a greater one, and stays.
absl::Status Sweep::RemoveByKey() {
  std::unique_ptr<WriteStream> stream;
  uint64_t requests = 0;
  const auto send = [&](std::shared_ptr<EncodedRows> request) {
    ++requests;
    RowBytes rows{.bytes = request->bytes(), .row_count = request->rows(), .owner = request};
    return stream->Append(std::move(rows));
  };
  HAKOBU_ASSIGN_OR_RETURN(const std::unique_ptr<ExtraRows> gone,
                          ExtraRows::Create(*schema_, sequence_, send));
  stream = std::make_unique<WriteStream>(*context_->destination.storage,
                                         AppendTarget{.stream = DefaultStream(schema_->work.target),
                                                      .descriptor = std::string(gone->descriptor()),
                                                      .next_offset = 0},
                                         KeyAppends());
  uint64_t rows = 0;
  const bool soft = schema_->mode == LaneMode::kSoft;
  HAKOBU_RETURN_IF_ERROR(
      Ask(UnseenSql(*schema_, TablesOf(*schema_, Keys()), soft), [&](const RowValues& row) {
        ++rows;
        return gone->Add(row);
      }));
  HAKOBU_RETURN_IF_ERROR(gone->Finish());
  HAKOBU_RETURN_IF_ERROR(stream->Flush());
  Log(LogSeverity::kInfo,
      soft ? "rows that did not come are marked deleted" : "rows that did not come are removed",
      {{"table", schema_->work.name}, {"rows", fmt::format("{}", rows)}});
  return absl::OkStatus();
}

absl::Status Sweep::AppendDeletes() {
  const std::string place = SortableSequence(ParseSequence(sequence_));
  return Ask(AppendUnseenSql(*schema_, TablesOf(*schema_, Keys()), place),
             [](const RowValues&) { return absl::OkStatus(); });
}

absl::Status MarkHistoryEmptied(StreamContext* context, const LaneSchema& schema,
                                const std::string& sequence) {
  ChangeSequence place = ParseSequence(sequence);
  if (place.row > 0) --place.row;  // below the rows that are copied
  QuerySpec query;
  query.project = context->config->destination.billing_project;
  query.location = context->config->destination.location;
  query.sql = MarkEmptiedSql(TablesOf(schema, {}), SortableSequence(place));
  return Annotate(RunQuery(*context->destination.rest, query).status(), schema.work.name);
}

}  // namespace hakobu
