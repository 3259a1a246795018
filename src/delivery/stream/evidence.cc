#include "delivery/stream/evidence.h"

#include "base/status.h"
#include "delivery/stream/errant.h"
#include "delivery/stream/log_file_head.h"

namespace hakobu {
namespace {

// The stored file is the very one, and shorter than what was read of it: a crash took its end, and the server
// began the next file when it came back. False: that is not so, or cannot be told.
absl::StatusOr<bool> FindLostTail(const ConnectOptions& connect, const DeliveredPoint& stored,
                                  const LogState& state, LogEvidence* evidence) {
  const LogState::File* const file = state.Find(stored.file);
  if (file == nullptr || file->bytes >= stored.offset || file == &state.files.back()) return false;
  if (!stored.identity.known() || !(evidence->stored_file == stored.identity)) return false;
  HAKOBU_ASSIGN_OR_RETURN(const LogFileHead head, ReadLogFileHead(connect, file[1].name));
  if (!head.identity.known()) return false;
  evidence->parting_file = file[1].name;
  evidence->parting_identity = head.identity;
  evidence->parting_gtids = head.previous_gtids;
  evidence->common_identity = evidence->stored_file;
  return true;
}

absl::Status FindParting(const ConnectOptions& connect, const DeliveredPoint& stored, const LogState& state,
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
    HAKOBU_ASSIGN_OR_RETURN(const LogFileHead head, ReadLogFileHead(connect, state.files[middle].name));
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

absl::StatusOr<LogEvidence> GatherEvidence(const ConnectOptions& connect, const DeliveredPoint& stored,
                                           const LogState& state, const Cancellation& cancel) {
  LogEvidence evidence;
  if (state.Find(stored.file) != nullptr) {
    HAKOBU_ASSIGN_OR_RETURN(const LogFileHead head, ReadLogFileHead(connect, stored.file));
    evidence.stored_file = head.identity;
  }
  if (!state.files.empty()) {
    HAKOBU_ASSIGN_OR_RETURN(const LogFileHead head, ReadLogFileHead(connect, state.files.front().name));
    evidence.oldest_file = head.identity;
  }
  if (SuspectsParting(stored, state, evidence.stored_file)) {
    HAKOBU_RETURN_IF_ERROR(FindParting(connect, stored, state, &evidence));
  }
  if (SuspectsErrant(stored, state)) {
    HAKOBU_ASSIGN_OR_RETURN(evidence.errant, FindErrant(connect, stored, state, cancel));
  }
  return evidence;
}

absl::StatusOr<ContinuityProof> ProveContinuity(const ConnectOptions& connect, const DeliveredPoint& stored,
                                                LogFailure refused, const Cancellation& cancel) {
  ContinuityProof proof;
  HAKOBU_ASSIGN_OR_RETURN(const auto connection, Connection::Open(connect));
  HAKOBU_ASSIGN_OR_RETURN(proof.state, ReadLogState(connection.get()));
  if (!proof.state.log_on) {
    return WithHint(absl::FailedPreconditionError("the source writes no binary log"),
                    "set log_bin and binlog_format=ROW (on RDS: turn on automated backups)");
  }
  HAKOBU_ASSIGN_OR_RETURN(proof.evidence, GatherEvidence(connect, stored, proof.state, cancel));
  proof.evidence.refused = refused;
  proof.judgement = JudgeContinuity(stored, proof.state, proof.evidence);
  return proof;
}

}  // namespace hakobu
