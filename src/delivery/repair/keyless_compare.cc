// A streamed table without a key is a history. What it says is there now is told from its rows: those that
// came, less those that went.
#include <fmt/format.h>

#include "absl/strings/numbers.h"
#include "base/status.h"
#include "delivery/merge_sql.h"
#include "delivery/recorded_contract.h"
#include "delivery/repair/nightly_compare.h"
#include "delivery/repair/rows_beside.h"
#include "delivery/repair/stream_wait.h"
#include "delivery/stream/table_contract.h"

namespace hakobu {
namespace {

constexpr int kMostCounts = 3;
constexpr std::string_view kGone = "`_hakobu_type` IN ('delete', 'repair_delete')";

class KeylessCompare {
 public:
  KeylessCompare(RepairContext* context, RepairedTable* table)
      : context_(context),
        destination_(context->config->destination),
        table_(table),
        source_(context->source()) {}

  absl::Status Compare(const TableWork& work) {
    HAKOBU_RETURN_IF_ERROR(Prepare(work));
    for (int look = 0; look < kMostCounts; ++look) {
      HAKOBU_ASSIGN_OR_RETURN(Connection * source, source_.Get());
      HAKOBU_ASSIGN_OR_RETURN(table_->behind,
                              StreamStaysBehind(context_, source, work_.name, absl::ZeroDuration()));
      HAKOBU_RETURN_IF_ERROR(Look());
      if (table_->left.all() == 0 || table_->behind) break;
    }
    table_->notes.push_back(
        updates_ == 0
            ? "without a key rows are told apart by all they have: none counts as different"
            : fmt::format("rows were counted; their values were not compared: a history without a key does "
                          "not tell what its {} updated rows were before",
                          updates_));
    return absl::OkStatus();
  }

 private:
  absl::Status Prepare(const TableWork& work) {
    HAKOBU_ASSIGN_OR_RETURN(work_.options, DeliveredOptions(*context_->config, context_->ledger, work));
    work_.name = work.name;
    work_.source = work.source;
    HAKOBU_RETURN_IF_ERROR(MapTable(*context_->config, &work_));
    table_->target = work_.target.ToString();
    HAKOBU_ASSIGN_OR_RETURN(target_, LookAtTarget(*context_->destination.rest, work_.target));
    if (target_.exists) return absl::OkStatus();
    return WithHint(absl::FailedPreconditionError("it is not in BigQuery"),
                    "`hakobu stream` makes the table");
  }

  // The rows of the history that say what is there: behind the last time that all of them went.
  std::string History() const {
    std::string every = "TRUE";
    if (target_.require_filter) {
      const std::string column = QuoteField(target_.partition_column);
      every = fmt::format("({0} IS NULL OR {0} IS NOT NULL)", column);
    }
    return fmt::format(
        "{0} WHERE {1} AND `_hakobu_type` != 'truncate' AND `_hakobu_place` >= (SELECT "
        "IFNULL(MAX(`_hakobu_place`), "
        "'') FROM {0} WHERE {1} AND `_hakobu_type` = 'truncate')",
        work_.target.Quoted(), every);
  }

  absl::StatusOr<uint64_t> CountHistory(std::string_view condition) {
    return QueryNumber(*context_->destination.rest, destination_,
                       fmt::format("SELECT COUNTIF({}) FROM {}", condition, History()));
  }

  absl::Status Look() {
    HAKOBU_ASSIGN_OR_RETURN(updates_, CountHistory("`_hakobu_type` = 'update'"));
    return updates_ == 0 ? CompareRows() : CompareCounts();
  }

  absl::Status CompareRows() {
    RowsBeside rows(context_, work_, "");
    HAKOBU_RETURN_IF_ERROR(rows.Read());
    table_->rows = rows.rows();
    table_->chunks = rows.chunks();
    std::vector<const Field*> fields;
    for (const Field& field : work_.schema.fields) fields.push_back(&field);
    const std::string history =
        fmt::format("(SELECT *, IF({}, -1, 1) AS _hakobu_sign FROM {})", kGone, History());
    std::vector<std::string> keys;  // there are none
    HAKOBU_ASSIGN_OR_RETURN(const Differences found, AskDifferences(context_,
                                                                    {.fields = fields,
                                                                     .keys = {},
                                                                     .source = rows.table().Quoted(),
                                                                     .target = history,
                                                                     .sign = "_hakobu_sign"},
                                                                    &keys));
    table_->found = table_->left = found;
    return absl::OkStatus();
  }

  absl::Status CompareCounts() {
    HAKOBU_ASSIGN_OR_RETURN(Connection * source, source_.Get());
    HAKOBU_ASSIGN_OR_RETURN(
        const std::string text,
        source->QueryValue(fmt::format("SELECT COUNT(*) FROM {}.{}", QuoteIdentifier(work_.source.database),
                                       QuoteIdentifier(work_.source.name))));
    HAKOBU_ASSIGN_OR_RETURN(const uint64_t gone, CountHistory(kGone));
    HAKOBU_ASSIGN_OR_RETURN(const uint64_t came,
                            CountHistory("`_hakobu_type` IN ('snapshot', 'insert', 'repair')"));
    if (!absl::SimpleAtoi(text, &table_->rows))
      return absl::InternalError(fmt::format("expected a number of rows, the source's answer is '{}'", text));
    const uint64_t there = came > gone ? came - gone : 0;
    table_->left.missing = table_->rows > there ? table_->rows - there : 0;
    table_->left.extra = there > table_->rows ? there - table_->rows : 0;
    table_->found = table_->left;
    return absl::OkStatus();
  }

  RepairContext* context_;
  const DestinationConfig& destination_;
  RepairedTable* table_;
  SourceLease source_;
  TableWork work_;
  PublishTarget target_;
  uint64_t updates_ = 0;
};

}  // namespace

absl::Status CompareKeyless(RepairContext* context, const TableWork& work, RepairedTable* table) {
  return KeylessCompare(context, table).Compare(work);
}

}  // namespace hakobu
