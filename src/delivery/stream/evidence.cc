#include "delivery/stream/evidence.h"

#include "base/status.h"
#include "decode/binlog/log_decoder.h"

namespace hakobu {
namespace {

// A log file's first events: who made it and when, and what had been executed then.
struct FileHead {
  LogFileIdentity identity;
  std::optional<std::string> previous_gtids;
};

class HeadVisitor : public binlog::LogVisitor {
 public:
  absl::Status OnBegin(const binlog::LogContext&) override { return Stop(); }
  absl::Status OnRows(const binlog::LogContext&, const binlog::TableMap&, const binlog::RowsEvent&) override {
    return Stop();
  }
  absl::Status OnStatement(const binlog::LogContext&, const binlog::LogStatement&) override { return Stop(); }
  absl::Status OnEnd(const binlog::LogContext&, binlog::TransactionEnd) override { return Stop(); }
  absl::Status OnPreviousGtids(const binlog::LogContext&, const binlog::GtidSet& set) override {
    previous_gtids = set.Text();
    return Stop();
  }

  std::optional<std::string> previous_gtids;
  bool stopped = false;

 private:
  absl::Status Stop() {
    stopped = true;
    return absl::OkStatus();
  }
};

absl::StatusOr<FileHead> ReadHead(const ConnectOptions& connect, const std::string& file) {
  LogStreamOptions options;
  options.stop_at_end = true;
  HAKOBU_ASSIGN_OR_RETURN(const auto stream, LogStream::Open(connect, LogStart::At(file), options));
  FileHead head;
  HeadVisitor visitor;
  binlog::LogDecoder decoder(&visitor);
  while (!visitor.stopped && !stream->at_end()) {
    HAKOBU_ASSIGN_OR_RETURN(const auto event, stream->Next(connect.read_timeout));
    if (!event) break;
    if (const auto identity = IdentityOf(*event)) {
      if (head.identity.known()) break;  // of the next file already
      head.identity = *identity;
    }
    HAKOBU_RETURN_IF_ERROR(decoder.Feed(*event));
  }
  head.previous_gtids = visitor.previous_gtids;
  return head;
}

// A file that is gone by now, or cannot be read, is no evidence; a broken connection is an error.
absl::StatusOr<FileHead> HeadOrUnknown(const ConnectOptions& connect, const std::string& file) {
  auto head = ReadHead(connect, file);
  if (head.ok() || LogFailureOf(head.status()) == LogFailure::kNone) return head;
  return FileHead();
}

// The stored file is the very one, and shorter than what was read of it: a crash took its end, and the server
// began the next file when it came back. False: that is not so, or cannot be told.
absl::StatusOr<bool> FindLostTail(const ConnectOptions& connect, const StoredPosition& stored,
                                  const LogState& state, LogEvidence* evidence) {
  const LogState::File* const file = state.Find(stored.file);
  if (file == nullptr || file->bytes >= stored.offset || file == &state.files.back()) return false;
  if (!stored.identity.known() || !(evidence->stored_file == stored.identity)) return false;
  HAKOBU_ASSIGN_OR_RETURN(const FileHead head, HeadOrUnknown(connect, file[1].name));
  if (!head.identity.known()) return false;
  evidence->parting_file = file[1].name;
  evidence->parting_identity = head.identity;
  evidence->parting_gtids = head.previous_gtids;
  evidence->common_identity = evidence->stored_file;
  return true;
}

absl::Status FindParting(const ConnectOptions& connect, const StoredPosition& stored, const LogState& state,
                         LogEvidence* evidence) {
  HAKOBU_ASSIGN_OR_RETURN(const bool found, FindLostTail(connect, stored, state, evidence));
  if (found) return absl::OkStatus();
  // Headers have whole seconds.
  const absl::Time after = stored.committed == absl::InfinitePast()
                               ? stored.committed
                               : absl::FromUnixSeconds(absl::ToUnixSeconds(stored.committed));
  size_t low = 0, high = state.files.size();  // the first file made at or after it is in [low, high]
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    HAKOBU_ASSIGN_OR_RETURN(const FileHead head, HeadOrUnknown(connect, state.files[middle].name));
    if (absl::FromUnixSeconds(head.identity.created) >= after) {
      high = middle;
      evidence->parting_file = state.files[middle].name;
      evidence->parting_identity = head.identity;
      evidence->parting_gtids = head.previous_gtids;
    } else {
      low = middle + 1;
      evidence->common_identity = head.identity;
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<LogEvidence> GatherEvidence(const ConnectOptions& connect, const StoredPosition& stored,
                                           const LogState& state) {
  LogEvidence evidence;
  if (state.Find(stored.file) != nullptr) {
    HAKOBU_ASSIGN_OR_RETURN(const FileHead head, HeadOrUnknown(connect, stored.file));
    evidence.stored_file = head.identity;
  }
  if (!state.files.empty()) {
    HAKOBU_ASSIGN_OR_RETURN(const FileHead head, HeadOrUnknown(connect, state.files.front().name));
    evidence.oldest_file = head.identity;
  }
  if (SuspectsParting(stored, state, evidence.stored_file)) {
    HAKOBU_RETURN_IF_ERROR(FindParting(connect, stored, state, &evidence));
  }
  return evidence;
}

absl::StatusOr<ContinuityProof> ProveContinuity(const ConnectOptions& connect, const StoredPosition& stored,
                                                LogFailure refused) {
  ContinuityProof proof;
  HAKOBU_ASSIGN_OR_RETURN(const auto connection, Connection::Open(connect));
  HAKOBU_ASSIGN_OR_RETURN(proof.state, ReadLogState(connection.get()));
  if (!proof.state.log_on) {
    return WithHint(absl::FailedPreconditionError("the source writes no binary log"),
                    "set log_bin and binlog_format=ROW (on RDS: turn on automated backups)");
  }
  HAKOBU_ASSIGN_OR_RETURN(proof.evidence, GatherEvidence(connect, stored, proof.state));
  proof.evidence.refused = refused;
  proof.judgement = JudgeContinuity(stored, proof.state, proof.evidence);
  return proof;
}

}  // namespace hakobu
