#include "delivery/repair/nightly_compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "absl/strings/match.h"
#include "base/status.h"
#include "delivery/contract/contract.h"
#include "delivery/merge_sql.h"
#include "delivery/recorded_contract.h"
#include "delivery/repair/multiset_sql.h"
#include "delivery/repair/rows_beside.h"
#include "delivery/run_contract.h"
#include "delivery/window.h"

namespace hakobu {
namespace {

constexpr std::string_view kAfterRun = "run `hakobu run` first";

class NightlyCompare {
 public:
  NightlyCompare(RepairContext* context, TableWork work, RepairedTable* table)
      : context_(context), rest_(*context->destination.rest), work_(std::move(work)), table_(table) {}

  absl::Status Compare() {
    HAKOBU_RETURN_IF_ERROR(MapTable(*context_->config, &work_));
    table_->target = work_.target.ToString();
    HAKOBU_ASSIGN_OR_RETURN(runs_, context_->ledger->runs().Deliveries(table_->target));
    HAKOBU_RETURN_IF_ERROR(LookAtBoth());
    if (work_.mode == WriteMode::kAppend) return CountRows();
    HAKOBU_RETURN_IF_ERROR(LeaveOutWhatIsNotThere());
    if (work_.mode == WriteMode::kIncremental) return CompareIncremental();
    HAKOBU_RETURN_IF_ERROR(CompareRows(work_.options.where, /*extra_keys=*/true));
    if (table_->left.all() > 0) {
      Note(fmt::format("what changed at the source since {} counts as a difference", LastRun()));
    }
    return absl::OkStatus();
  }

 private:
  void Note(std::string note) { table_->notes.push_back(std::move(note)); }

  std::string LastRun() const {
    return runs_.empty() ? "the last run" : fmt::format("run {}", runs_.back().run_id);
  }

  // The target is there, and was delivered as the configuration has it now.
  absl::Status LookAtBoth() {
    HAKOBU_ASSIGN_OR_RETURN(target_, LookAtTarget(rest_, work_.target));
    HAKOBU_ASSIGN_OR_RETURN(stored_, ReadContract(context_->ledger, table_->target));
    if (!target_.exists && !stored_.has_value()) {
      return WithHint(absl::FailedPreconditionError("it has not been delivered yet"), kAfterRun);
    }
    if (target_.exists) work_.existing = target_.resource;
    SourceLease lease(context_->source());
    HAKOBU_ASSIGN_OR_RETURN(Connection * source, lease.Get());
    HAKOBU_RETURN_IF_ERROR(HoldToContract(
        {.config = context_->config, .rest = &rest_, .ledger = context_->ledger}, source, &work_));
    if (!target_.exists)
      return WithHint(absl::FailedPreconditionError("it is gone from BigQuery"), kAfterRun);
    if (work_.from_start && work_.others != OtherRows::kStay) {
      return WithHint(absl::FailedPreconditionError(
                          fmt::format("its rows are to come in another form with the next run: {}",
                                      work_.notes.empty() ? "" : work_.notes.back())),
                      kAfterRun);
    }
    for (const std::string& note : work_.notes) Note(note);
    return absl::OkStatus();
  }

  // Columns that the next run adds, widens or takes another way.
  absl::Status LeaveOutWhatIsNotThere() {
    HAKOBU_ASSIGN_OR_RETURN(const TargetIdentity found, ReadTargetIdentity(target_.resource));
    std::vector<const Field*> keys;
    for (const size_t place : work_.schema.key) keys.push_back(&work_.schema.fields[place]);
    for (const Field& field : work_.schema.fields) {
      std::string type(FieldTypeName(field.type));
      if (field.mode == FieldMode::kRepeated) type = fmt::format("ARRAY<{}>", type);
      const auto there = std::find_if(
          found.columns.begin(), found.columns.end(),
          [&](const TargetColumn& column) { return absl::EqualsIgnoreCase(column.name, field.name); });
      if (there != found.columns.end() && there->type == type) {
        fields_.push_back(&field);
        continue;
      }
      Note(fmt::format(
          "column `{}` was not compared: it is {} at the source and {} in BigQuery until the next run",
          field.name, type, there == found.columns.end() ? "not" : there->type));
      // Without one of its columns a key tells nothing apart.
      if (std::find(keys.begin(), keys.end(), &field) != keys.end()) keys.clear();
    }
    if (!fields_.empty()) {
      keys_ = std::move(keys);
      return absl::OkStatus();
    }
    return WithHint(
        absl::FailedPreconditionError("none of its columns is in BigQuery as it is at the source"),
        kAfterRun);
  }

  // Rows below the cursor's place have all been read; of the others a run has seen some.
  absl::Status CompareIncremental() {
    HAKOBU_ASSIGN_OR_RETURN(const std::optional<std::string> text,
                            context_->ledger->runs().Cursor(work_.name, table_->target));
    if (!text.has_value())
      return WithHint(absl::FailedPreconditionError("no run has delivered it to the end"), kAfterRun);
    HAKOBU_ASSIGN_OR_RETURN(const CursorState state, CursorState::FromJson(*text));
    if (state.lower.empty()) {
      return WithHint(
          absl::FailedPreconditionError("no window of it has ended yet: every run reads all rows"),
          "end the transaction that is open at the source, and run `hakobu run`");
    }
    const std::string below = fmt::format("{0} < {1} OR {0} IS NULL", QuoteIdentifier(work_.options.cursor),
                                          QuoteText(state.lower));
    HAKOBU_RETURN_IF_ERROR(CompareRows(
        work_.options.where.empty() ? below : fmt::format("({}\n) AND ({})", work_.options.where, below),
        /*extra_keys=*/false));
    const uint64_t others = table_->left.extra;
    table_->found.extra = table_->left.extra = 0;
    Note(fmt::format("compared: rows whose `{}` is below {}, where the next window begins",
                     work_.options.cursor, state.lower));
    if (others > 0) {
      Note(fmt::format(
          "{} rows of BigQuery were not compared: the source has changed them since, or has them no "
          "more (deletes are not seen)",
          others));
    }
    if (table_->rows > 0 || others == 0) return absl::OkStatus();
    return WithHint(
        absl::FailedPreconditionError("all its rows are in the next run's window: nothing can be compared"),
        "compare again after the next run");
  }

  absl::Status CompareRows(const std::string& where, bool extra_keys) {
    RowsBeside rows(context_, work_, where);
    HAKOBU_RETURN_IF_ERROR(rows.Read());
    table_->rows = rows.rows();
    table_->chunks = rows.chunks();
    std::string target = work_.target.Quoted();
    if (target_.require_filter) {
      const std::string column = QuoteField(target_.partition_column);
      target = fmt::format("(SELECT * FROM {0} WHERE {1} IS NULL OR {1} IS NOT NULL)", target, column);
    }
    HAKOBU_ASSIGN_OR_RETURN(const Differences found, AskDifferences(context_,
                                                                    {.fields = fields_,
                                                                     .keys = keys_,
                                                                     .source = rows.table().Quoted(),
                                                                     .target = target,
                                                                     .sign = "",
                                                                     .extra_keys = extra_keys},
                                                                    &table_->first_keys));
    table_->found = table_->left = found;
    if (keys_.empty()) {
      table_->first_keys.clear();
      Note("without a key rows are told apart by all they have: none counts as different");
    }
    return absl::OkStatus();
  }

  // What runs have added, and what is there. No value of it is at the source any more as it was then.
  absl::Status CountRows() {
    uint64_t expected = 0, runs = 0;
    const std::string& from = stored_.has_value() ? stored_->contract.counted_run : std::string();
    if (!from.empty()) expected = stored_->contract.counted_rows;
    for (const RunTableRecord& run : runs_) {
      if (run.run_id <= from || run.mode != "append") continue;
      expected += run.rows;
      ++runs;
    }
    if (runs == 0 && from.empty())
      return WithHint(absl::FailedPreconditionError("this ledger has no run that appended to it"), kAfterRun);
    HAKOBU_ASSIGN_OR_RETURN(const uint64_t found,
                            CountTargetRows(rest_, context_->config->destination, work_.target, target_));
    table_->rows = expected;
    table_->left.missing = expected > found ? expected - found : 0;
    table_->left.extra = found > expected ? found - expected : 0;
    table_->found = table_->left;
    Note(fmt::format("rows were counted: {} by {} runs{}, {} in BigQuery; their values were not compared",
                     expected, runs, from.empty() ? "" : fmt::format(" and what was there at run {}", from),
                     found));
    if (table_->left.missing > 0 && target_.partitions_expire)
      Note("partitions of it expire: BigQuery does not keep their rows");
    return absl::OkStatus();
  }

  RepairContext* context_;
  Rest& rest_;
  TableWork work_;
  RepairedTable* table_;
  PublishTarget target_;
  std::optional<StoredContract> stored_;
  std::vector<RunTableRecord> runs_;
  std::vector<const Field*> fields_;  // that are compared
  std::vector<const Field*> keys_;
};

}  // namespace

absl::StatusOr<Differences> AskDifferences(RepairContext* context, const MultisetQuestion& question,
                                           std::vector<std::string>* first_keys) {
  QuerySpec query;
  query.project = context->config->destination.billing_project;
  query.location = context->config->destination.location;
  query.sql = MultisetSql(question);
  HAKOBU_ASSIGN_OR_RETURN(const QueryAnswer answer, RunQuery(*context->destination.rest, query));
  Differences found;
  uint64_t* const places[] = {&found.missing, &found.different, &found.extra};
  for (size_t i = 0; i < std::size(places); ++i) {
    const std::string text = answer.rows.size() == 1 && answer.rows[0].size() == 4
                                 ? answer.rows[0][i].value_or("")
                                 : std::string();
    if (std::from_chars(text.data(), text.data() + text.size(), *places[i]).ec != std::errc())
      return absl::InternalError(fmt::format("expected a number of rows, BigQuery's answer is '{}'", text));
  }
  first_keys->clear();
  if (found.all() > 0 && answer.rows[0][3].has_value()) first_keys->push_back(*answer.rows[0][3]);
  return found;
}

absl::Status CompareNightly(RepairContext* context, TableWork work, RepairedTable* table) {
  return NightlyCompare(context, std::move(work), table).Compare();
}

}  // namespace hakobu
