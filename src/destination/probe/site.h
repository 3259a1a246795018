// Where the experiments of a probe happen: the scratch dataset, and what is done in it again and again.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "destination/jobs.h"
#include "destination/probe/probe.h"

namespace hakobu {

// What a call ended with, as a few words: "ok", or its code and the service's text.
std::string Words(const absl::Status& status);

class ProbeSite {
 public:
  ProbeSite(Rest& rest, StorageWrite& storage, const ProbePlan& plan)
      : rest_(rest), storage_(storage), plan_(plan) {}
  Rest& rest() { return rest_; }
  StorageWrite& storage() { return storage_; }
  const ProbePlan& plan() const { return plan_; }

  TableName Table(std::string_view name) const;
  // `fields` and `more` are JSON: `[{"name": …}]`, and members of the Table resource.
  absl::StatusOr<TableName> Make(std::string_view name, std::string_view fields,
                                 std::string_view more = "{}");
  absl::StatusOr<std::vector<RowValues>> Query(std::string sql);
  // A statement; what it is refused with is returned.
  absl::Status Execute(std::string sql) { return Query(std::move(sql)).status(); }
  absl::StatusOr<int64_t> Count(const TableName& table);
  // Texts of the query's first column, sorted: "1 2 3".
  absl::StatusOr<std::string> List(std::string sql);

  // One load job. `table`: with a partition's decorator, if one is meant.
  absl::Status Load(const TableName& table, std::string_view file, WriteDisposition disposition,
                    std::string_view format = "NEWLINE_DELIMITED_JSON", std::string_view fields = "");
  absl::Status Copy(const TableName& from, const TableName& to, WriteDisposition disposition);
  absl::Status Select(std::string sql, const TableName& to, WriteDisposition disposition);

  absl::Status Sleep(absl::Duration duration) { return SleepFor(rest_.options().context, duration); }
  absl::Time Now() { return rest_.options().context.clock->Now(); }

 private:
  JobName NewJob(std::string_view kind);
  Rest& rest_;
  StorageWrite& storage_;
  const ProbePlan& plan_;
  int jobs_ = 0;
};

}  // namespace hakobu
