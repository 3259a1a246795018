// Rows are streamed into two days of a table; at once one day, or the whole table, is overwritten. Streamed
// rows of what was overwritten that are there afterwards have survived in the buffer.
#include <fmt/format.h>

#include "base/status.h"
#include "destination/probe/experiments.h"
#include "destination/probe/rows.h"
#include "destination/probe/site.h"

namespace hakobu {
namespace {

constexpr char kDayFields[] = R"([{"name":"id","type":"INTEGER"},{"name":"note","type":"STRING"}])";
// By time of arrival: what is streamed goes to today, whatever else the rows say.
constexpr char kByDay[] = R"({"timePartitioning":{"type":"DAY"}})";
constexpr absl::Duration kFlushPatience = absl::Seconds(5);

ProbeAnswer SurvivalAnswer(const std::string& question, const char* what, const absl::Status& overwritten,
                           const std::string& rows) {
  ProbeAnswer answer{.question = question};
  answer.taken = "hakobu never overwrites a partition, nor a table that is streamed to";
  if (!overwritten.ok()) {
    answer.answer = "refused";
    answer.seen = Words(overwritten);
    answer.meaning = fmt::format("{} cannot be overwritten so", what);
    return answer;
  }
  const bool survived = rows.find("streamed") != std::string::npos;
  answer.answer = survived ? "survive" : "gone";
  answer.seen = "rows afterwards: " + rows;
  answer.meaning = survived ? "streaming must stop before anything is overwritten"
                            : fmt::format("overwriting {} takes streamed rows too", what);
  return answer;
}

}  // namespace

ProbeAnswers ProbePartitions(ProbeSite& site) {
  std::vector<ProbeAnswer> answers;
  for (const bool by_day : {true, false}) {
    for (const WriteDisposition disposition :
         {WriteDisposition::kTruncate, WriteDisposition::kTruncateData}) {
      const std::string question = fmt::format("overwritten_{}_{}", by_day ? "day" : "table",
                                               disposition == WriteDisposition::kTruncate ? "whole" : "data");
      HAKOBU_ASSIGN_OR_RETURN(const TableName table, site.Make(question, kDayFields, kByDay));
      HAKOBU_RETURN_IF_ERROR(AppendOnce(site.storage(), DefaultStream(table), RowShape::kNoted,
                                        {{.id = 1, .note = "streamed"}}));
      TableName target = table;
      if (by_day) target.table += "$" + absl::FormatTime("%Y%m%d", site.Now(), absl::UTCTimeZone());
      const absl::Status overwritten = site.Load(target, "{\"id\":2,\"note\":\"loaded\"}\n", disposition,
                                                 "NEWLINE_DELIMITED_JSON", kDayFields);
      HAKOBU_RETURN_IF_ERROR(site.Sleep(std::min(kFlushPatience, site.plan().watch)));
      const absl::StatusOr<std::string> rows =
          site.List(fmt::format("SELECT CONCAT(CAST(id AS STRING), '=', note) FROM {}", table.Quoted()));
      HAKOBU_RETURN_IF_ERROR(rows.status());
      answers.push_back(SurvivalAnswer(question, by_day ? "a partition" : "a table", overwritten, *rows));
    }
  }
  return answers;
}

}  // namespace hakobu
