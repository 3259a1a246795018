// A COMMITTED stream and two finalised PENDING ones are left alone; then the first is appended to, and one of
// the others committed. It takes days to learn anything, so it is done only where an age is asked for.
#include <fmt/format.h>

#include "base/status.h"
#include "destination/probe/experiments.h"
#include "destination/probe/rows.h"
#include "destination/probe/site.h"

namespace hakobu {
namespace {

constexpr char kStreamFields[] = R"([{"name":"id","type":"INTEGER"}])";

absl::StatusOr<std::string> FilledStream(ProbeSite& site, const TableName& table, StreamType type) {
  HAKOBU_ASSIGN_OR_RETURN(const StreamFacts stream, site.storage().CreateStream(table, type));
  HAKOBU_RETURN_IF_ERROR(AppendOnce(site.storage(), stream.name, RowShape::kPlain, {{.id = 1}}));
  return stream.name;
}

absl::Status AppendAfter(ProbeSite& site, const std::string& stream) {
  AppendTarget target;
  target.stream = stream;
  target.descriptor = ProbeDescriptor(RowShape::kPlain);
  target.next_offset = 1;
  WriteStream writer(site.storage(), std::move(target));
  HAKOBU_RETURN_IF_ERROR(writer.Append(ProbeRows({{.id = 2}})));
  return writer.Flush();
}

}  // namespace

ProbeAnswers ProbeOldStreams(ProbeSite& site) {
  ProbeAnswer committed{.question = "old_committed_stream"}, pending{.question = "old_finalised_stream"};
  committed.taken = "a stream that has ended is followed by a new one, and nothing comes twice";
  pending.taken = "what was finalised and cannot be committed is written again";
  if (site.plan().stream_age == absl::ZeroDuration()) {
    for (ProbeAnswer* answer : {&committed, &pending}) {
      answer->answer = std::string(kOpenAnswer);
      answer->seen = "not asked: streams have to be left alone for days";
      answer->meaning = "ask with --stream-age 120h";
    }
    return std::vector<ProbeAnswer>{std::move(committed), std::move(pending)};
  }
  HAKOBU_ASSIGN_OR_RETURN(const TableName table, site.Make("old_streams", kStreamFields));
  HAKOBU_ASSIGN_OR_RETURN(const std::string open, FilledStream(site, table, StreamType::kCommitted));
  HAKOBU_ASSIGN_OR_RETURN(const std::string final, FilledStream(site, table, StreamType::kPending));
  HAKOBU_RETURN_IF_ERROR(site.storage().Finalize(final).status());
  HAKOBU_RETURN_IF_ERROR(site.Sleep(site.plan().stream_age));
  const std::string age = absl::FormatDuration(site.plan().stream_age);
  const absl::Status got = site.storage().GetStream(open).status();
  const absl::Status appended = AppendAfter(site, open);
  committed.answer = appended.ok() ? "alive" : "gone";
  committed.seen = fmt::format("after {}: get: {}; append: {}", age, Words(got), Words(appended));
  committed.meaning = appended.ok() ? fmt::format("a COMMITTED stream outlives {} without traffic", age)
                                    : "this answer means: open a new stream";
  const absl::Status commit = site.storage().BatchCommit(table, {final});
  pending.answer = commit.ok() ? "kept" : "gone";
  pending.seen = fmt::format("after {}: commit: {}", age, Words(commit));
  pending.meaning =
      commit.ok() ? fmt::format("finalised rows outlive {}", age) : "this answer means: the rows are gone";
  return std::vector<ProbeAnswer>{std::move(committed), std::move(pending)};
}

}  // namespace hakobu
