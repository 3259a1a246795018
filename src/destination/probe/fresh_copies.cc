// A PENDING stream of 1,000 rows is committed; then, again and again, tables.get, a copy, and counts of both.
#include <fmt/format.h>

#include "base/status.h"
#include "destination/probe/experiments.h"
#include "destination/probe/rows.h"
#include "destination/probe/site.h"

namespace hakobu {
namespace {

constexpr int64_t kRows = 1000;
constexpr absl::Duration kBetweenLooks = absl::Seconds(2);
constexpr char kFields[] = R"([{"name":"id","type":"INTEGER"}])";

struct Looks {
  int count = 0, short_copies = 0, unseen_short_copies = 0;
  int64_t fewest = kRows;
  bool buffer_seen = false;
  absl::Duration whole_after = absl::InfiniteDuration(), counted_after = absl::InfiniteDuration();
};

std::string After(absl::Duration duration) {
  if (duration == absl::InfiniteDuration()) return "not while it was watched";
  return fmt::format("after {:.1f} s", absl::ToDoubleSeconds(duration));
}

absl::Status Stream(ProbeSite& site, const TableName& table) {
  HAKOBU_ASSIGN_OR_RETURN(const StreamFacts stream, site.storage().CreateStream(table, StreamType::kPending));
  std::vector<ProbeRow> rows(kRows);
  for (int64_t i = 0; i < kRows; ++i) rows[static_cast<size_t>(i)].id = i;
  HAKOBU_RETURN_IF_ERROR(AppendOnce(site.storage(), stream.name, RowShape::kPlain, rows));
  HAKOBU_RETURN_IF_ERROR(site.storage().Finalize(stream.name).status());
  return site.storage().BatchCommit(table, {stream.name});
}

absl::Status LookOnce(ProbeSite& site, const TableName& table, absl::Time committed, Looks* looks) {
  HAKOBU_ASSIGN_OR_RETURN(const Resource resource, GetTable(site.rest(), table));
  HAKOBU_ASSIGN_OR_RETURN(const TableFacts facts, ReadTableFacts(resource.json));
  const absl::Duration since = site.Now() - committed;
  if (facts.rows == kRows) looks->counted_after = std::min(looks->counted_after, since);
  looks->buffer_seen = looks->buffer_seen || facts.has_streaming_buffer;
  const TableName copy = site.Table("fresh_copy");
  HAKOBU_RETURN_IF_ERROR(site.Copy(table, copy, WriteDisposition::kTruncate));
  HAKOBU_ASSIGN_OR_RETURN(const int64_t copied, site.Count(copy));
  ++looks->count;
  looks->fewest = std::min(looks->fewest, copied);
  if (copied == kRows) {
    looks->whole_after = std::min(looks->whole_after, since);
  } else {
    looks->whole_after = absl::InfiniteDuration();
    ++looks->short_copies;
    if (!facts.has_streaming_buffer) ++looks->unseen_short_copies;
  }
  return absl::OkStatus();
}

}  // namespace

ProbeAnswers ProbeFreshCopies(ProbeSite& site) {
  HAKOBU_ASSIGN_OR_RETURN(const TableName table, site.Make("fresh_rows", kFields));
  HAKOBU_RETURN_IF_ERROR(Stream(site, table));
  const absl::Time committed = site.Now();
  HAKOBU_ASSIGN_OR_RETURN(const int64_t queried, site.Count(table));
  Looks looks;
  while (true) {
    HAKOBU_RETURN_IF_ERROR(LookOnce(site, table, committed, &looks));
    const bool settled =
        looks.whole_after != absl::InfiniteDuration() && looks.counted_after != absl::InfiniteDuration();
    if (settled || site.Now() - committed > site.plan().watch) break;
    HAKOBU_RETURN_IF_ERROR(site.Sleep(kBetweenLooks));
  }
  ProbeAnswer answer{.question = "fresh_copies"};
  answer.seen = fmt::format(
      "of {} rows a query had {}; {} of {} copies lacked some, the worst had {}; copies were whole {}, "
      "numRows {}; streamingBuffer {}",
      kRows, queried, looks.short_copies, looks.count, looks.fewest, After(looks.whole_after),
      After(looks.counted_after), looks.buffer_seen ? "was shown" : "was never shown");
  answer.taken = "what was streamed is put in place by a query, never by a copy";
  if (looks.short_copies == 0) {
    answer.answer = "whole";
    answer.meaning = "copies had every row from the first look on";
  } else if (looks.unseen_short_copies > 0) {
    answer.answer = "short";
    answer.meaning = "rows were missing while no buffer was shown: waiting for it to go is unsafe";
  } else {
    answer.answer = "short_with_buffer";
    answer.meaning = "rows were missing only while the buffer was shown";
  }
  return std::vector<ProbeAnswer>{std::move(answer)};
}

}  // namespace hakobu
