// tables.insert, then at once CreateWriteStream, FinalizeWriteStream and BatchCommitWriteStreams: which of
// them are denied, and how often in a row.
#include <fmt/format.h>

#include <algorithm>

#include "base/status.h"
#include "destination/probe/experiments.h"
#include "destination/probe/site.h"
#include "destination/transport.h"

namespace hakobu {
namespace {

namespace storage = google::cloud::bigquery::storage::v1;

constexpr int kTables = 20;
constexpr int kMostTries = 60;
constexpr absl::Duration kBetweenTries = absl::Milliseconds(500);

struct Denials {
  int calls = 0, denied_tables = 0, denials = 0, longest = 0;
  std::string words;  // of the first one
};

// One call without the client's patience, again until it is not denied.
absl::Status Insist(ProbeSite& site, Denials* denials, absl::FunctionRef<absl::Status()> call) {
  ++denials->calls;
  for (int refused = 0;; ++refused) {
    const absl::Status status = call();
    const bool denied = absl::IsPermissionDenied(status) || absl::IsNotFound(status);
    if (!denied || refused == kMostTries) return status;
    if (refused == 0) ++denials->denied_tables;
    ++denials->denials;
    denials->longest = std::max(denials->longest, refused + 1);
    if (denials->words.empty()) denials->words = Words(status);
    HAKOBU_RETURN_IF_ERROR(site.Sleep(kBetweenTries));
  }
}

absl::Status FinalizeOnce(ProbeSite& site, const TableName& table, const std::string& stream) {
  storage::FinalizeWriteStreamRequest request;
  request.set_name(stream);
  storage::FinalizeWriteStreamResponse response;
  return site.storage().transport().CallUnary(
      {"finalize a write stream", "name=" + PercentEncode(stream), table, absl::ZeroDuration()},
      [&](StorageWrite::Transport::Stub& stub, grpc::ClientContext* call,
          StorageWrite::Transport::Done done) {
        stub.async()->FinalizeWriteStream(call, &request, &response, std::move(done));
      });
}

absl::Status CommitOnce(ProbeSite& site, const TableName& table, const std::string& stream) {
  storage::BatchCommitWriteStreamsRequest request;
  request.set_parent(table.Resource());
  request.add_write_streams(stream);
  storage::BatchCommitWriteStreamsResponse response;
  return site.storage().transport().CallUnary(
      {"commit a write stream", "parent=" + PercentEncode(table.Resource()), table, absl::ZeroDuration()},
      [&](StorageWrite::Transport::Stub& stub, grpc::ClientContext* call,
          StorageWrite::Transport::Done done) {
        stub.async()->BatchCommitWriteStreams(call, &request, &response, std::move(done));
      });
}

ProbeAnswer AnswerOf(const char* question, const Denials& denials) {
  ProbeAnswer answer{.question = question};
  answer.answer = denials.denials == 0 ? "never" : "denied";
  answer.seen = fmt::format("{} of {} tables, {} denials, {} in a row at the most{}", denials.denied_tables,
                            denials.calls, denials.denials, denials.longest,
                            denials.words.empty() ? "" : ": " + denials.words);
  answer.meaning = denials.denials == 0 ? "it was not met here" : "a denial may pass by itself";
  answer.taken = "a denial of a table that is there is waited out for minutes";
  return answer;
}

}  // namespace

ProbeAnswers ProbeNewTables(ProbeSite& site) {
  Denials create, finalize, commit;
  for (int i = 0; i < kTables; ++i) {
    HAKOBU_ASSIGN_OR_RETURN(const TableName table,
                            site.Make(fmt::format("new_{}", i), R"([{"name":"id","type":"INTEGER"}])"));
    std::string stream;
    HAKOBU_RETURN_IF_ERROR(Insist(site, &create, [&] {
      absl::StatusOr<StreamFacts> made =
          site.storage().CreateStream(table, StreamType::kPending, absl::ZeroDuration());
      if (made.ok()) stream = made->name;
      return made.status();
    }));
    HAKOBU_RETURN_IF_ERROR(Insist(site, &finalize, [&] { return FinalizeOnce(site, table, stream); }));
    HAKOBU_RETURN_IF_ERROR(Insist(site, &commit, [&] { return CommitOnce(site, table, stream); }));
  }
  return std::vector<ProbeAnswer>{AnswerOf("create_after_insert", create),
                                  AnswerOf("finalize_after_insert", finalize),
                                  AnswerOf("commit_after_insert", commit)};
}

}  // namespace hakobu
