// A writer of the default stream goes on appending a numbered row at a time while the table's rows are
// replaced: by a load with WRITE_TRUNCATE_DATA, one with WRITE_TRUNCATE, a copy, a MERGE. Rows that were
// acknowledged after the job had ended and are not there afterwards are lost by that way.
#include <fmt/format.h>

#include <set>

#include "base/status.h"
#include "destination/probe/experiments.h"
#include "destination/probe/rows.h"
#include "destination/probe/site.h"

namespace hakobu {
namespace {

constexpr int kBefore = 3, kAfter = 20;
constexpr absl::Duration kBetweenRows = absl::Milliseconds(500);
constexpr absl::Duration kAnswerPatience = absl::Seconds(150);  // an append was seen to hang for two minutes
constexpr char kFields[] = R"([{"name":"id","type":"INTEGER"}])";

struct Way {
  const char* question;
  const char* name;
  absl::Status (*replace)(ProbeSite& site, const TableName& table);
};

absl::Status ReplaceByLoad(ProbeSite& site, const TableName& table) {
  return site.Load(table, "{\"id\":0}\n", WriteDisposition::kTruncateData);
}
absl::Status ReplaceWholeByLoad(ProbeSite& site, const TableName& table) {
  return site.Load(table, "{\"id\":0}\n", WriteDisposition::kTruncate, "NEWLINE_DELIMITED_JSON", kFields);
}
absl::Status ReplaceByCopy(ProbeSite& site, const TableName& table) {
  HAKOBU_ASSIGN_OR_RETURN(const TableName other, site.Make(table.table + "_source", kFields));
  HAKOBU_RETURN_IF_ERROR(site.Load(other, "{\"id\":0}\n", WriteDisposition::kAppend));
  return site.Copy(other, table, WriteDisposition::kTruncate);
}
absl::Status ReplaceByMerge(ProbeSite& site, const TableName& table) {
  return site.Execute(fmt::format(
      "MERGE {} t USING (SELECT 0 AS id) s ON FALSE WHEN NOT MATCHED THEN INSERT (id) VALUES (id) "
      "WHEN NOT MATCHED BY SOURCE THEN DELETE",
      table.Quoted()));
}

constexpr Way kWays[] = {
    {"writers_and_load_data", "a load with WRITE_TRUNCATE_DATA", ReplaceByLoad},
    {"writers_and_load", "a load with WRITE_TRUNCATE", ReplaceWholeByLoad},
    {"writers_and_copy", "a copy with WRITE_TRUNCATE", ReplaceByCopy},
    {"writers_and_merge", "a MERGE that replaces every row", ReplaceByMerge},
};

absl::StatusOr<ProbeAnswer> TryWay(ProbeSite& site, const Way& way) {
  ProbeAnswer answer{.question = way.question};
  answer.taken = "runs and streams never write the same table; rows anew go by the stream's own path";
  HAKOBU_ASSIGN_OR_RETURN(const TableName table, site.Make(way.question, kFields));
  AppendTarget target;
  target.stream = DefaultStream(table);
  target.descriptor = ProbeDescriptor(RowShape::kPlain);
  AppendOptions options;
  options.answer_timeout = kAnswerPatience;
  WriteStream writer(site.storage(), std::move(target), options);
  int64_t next = 1;
  const auto append = [&]() -> absl::Status {
    HAKOBU_RETURN_IF_ERROR(writer.Append(ProbeRows({{.id = next++}})));
    return writer.Flush();
  };
  for (int i = 0; i < kBefore; ++i) HAKOBU_RETURN_IF_ERROR(append());
  const absl::Status replaced = way.replace(site, table);
  if (!replaced.ok()) {
    answer.answer = "refused";
    answer.seen = Words(replaced);
    answer.meaning = fmt::format("{} is refused while rows are streamed", way.name);
    return answer;
  }
  const int64_t first = next;
  absl::Status refused;
  for (int i = 0; i < kAfter && refused.ok(); ++i) {
    refused = append();
    HAKOBU_RETURN_IF_ERROR(site.Sleep(kBetweenRows));
  }
  const int64_t acknowledged = static_cast<int64_t>(writer.AcknowledgedRows()) - kBefore;
  HAKOBU_ASSIGN_OR_RETURN(
      const std::vector<RowValues> rows,
      site.Query(fmt::format("SELECT DISTINCT CAST(id AS STRING) FROM {} WHERE id >= {} AND id < {}",
                             table.Quoted(), first, first + acknowledged)));
  const int64_t lost = acknowledged - static_cast<int64_t>(rows.size());
  answer.answer = lost > 0 ? "loses" : "keeps";
  answer.seen = fmt::format("{} of {} rows that were acknowledged afterwards are missing; {} connections{}",
                            lost, acknowledged, writer.counters().connections,
                            refused.ok() ? "" : "; then " + Words(refused));
  answer.meaning = lost > 0 ? fmt::format("{} must not meet an open writer", way.name)
                            : fmt::format("{} leaves open writers alone", way.name);
  return answer;
}

}  // namespace

ProbeAnswers ProbeOpenWriters(ProbeSite& site) {
  std::vector<ProbeAnswer> answers;
  for (const Way& way : kWays) {
    HAKOBU_ASSIGN_OR_RETURN(ProbeAnswer answer, TryWay(site, way));
    answers.push_back(std::move(answer));
  }
  return answers;
}

}  // namespace hakobu
