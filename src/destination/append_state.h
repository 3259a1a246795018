// What an AppendConnection knows of its targets and of the call it writes through.
#pragma once

#include <grpcpp/grpcpp.h>

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "destination/append_call.h"
#include "destination/retry.h"
#include "destination/table_watch.h"
#include "destination/transport.h"
#include "destination/write_stream.h"
#include "google/cloud/bigquery/storage/v1/storage.pb.h"

namespace hakobu {

using AppendRowsResponse = google::cloud::bigquery::storage::v1::AppendRowsResponse;

// One append that is not acknowledged.
struct PendingAppend {
  uint64_t sequence = 0;  // of the target's appends, from 0
  int64_t offset = 0;     // of the first row
  uint64_t row_count = 0;
  size_t size = 0;
  grpc::Slice rows;  // keeps the owner
  std::shared_ptr<const std::string> descriptor;
  bool was_sent = false;
  bool acknowledged = false;  // but one before it is not
};

struct AppendTargetState {
  AppendTarget spec;
  bool is_default = false;
  std::shared_ptr<const std::string> descriptor;
  std::string work;  // "append to …", for whoever listens to outages
  std::deque<PendingAppend> pending;
  size_t sent = 0;         // of pending, on the current call
  size_t outstanding = 0;  // sent and not answered
  int64_t next_offset = 0;
  uint64_t appended = 0;  // appends taken
  uint64_t acknowledged_rows = 0;
  uint64_t acknowledged_appends = 0;
  bool schema_updated = false;
  absl::Status failure;       // for good
  absl::Status trouble;       // to be retried: not OK from the first bad answer until sending begins anew
  absl::Status parked;        // the refusal of the table or of a column that is being waited out
  bool was_replaced = false;  // before the first acknowledgement: nothing of this target's can be lost by it
  bool wants_new_call = false;  // a connection opened before the table changed may go on refusing
  absl::Time resume = absl::InfinitePast();
  TableWait table_wait;
  SchemaWait schema_wait;
  Backoff backoff;

  AppendTargetState(AppendTarget target, const RetryPolicy& policy, const RetryContext& context,
                    const LookAtTable& look, const AppendOptions& options);
  PendingAppend* Find(uint64_t sequence);
};

class AppendConnection::State {
 public:
  State(StorageWrite& service, AppendOptions options);
  ~State();

  TargetId AddTarget(AppendTarget target);
  absl::Status Append(TargetId target, RowBytes rows);
  absl::Status Flush(TargetId target);
  absl::Status Poll(absl::Duration longest);
  AppendTargetState& target(TargetId id) { return *targets_[id]; }
  const AppendTargetState& target(TargetId id) const { return *targets_[id]; }
  size_t target_count() const { return targets_.size(); }
  const Counters& counters() const { return counters_; }

 private:
  struct Awaited {
    TargetId target = 0;
    uint64_t sequence = 0;
  };

  // Sending.
  absl::Status Step(absl::Duration longest_wait);  // takes in news, sends what may go, waits at most so long
  absl::Status SendWhatMay();
  absl::Status EnsureCall();
  void SendOne(TargetId id, PendingAppend& append);
  std::string Header(TargetId id, const PendingAppend& append);
  void WatchForStall();
  void TellFailure(const AppendTargetState& target, const absl::Status& error);
  absl::Duration UntilNextResume(absl::Duration longest) const;
  bool HasRoomFor(size_t bytes) const;

  // Answers (append_answers.cc).
  void TakeAnswers();
  void TakeAnswer(const grpc::ByteBuffer& answer);
  void TakeResult(AppendTargetState& target, PendingAppend& append, const AppendRowsResponse& response);
  void TakeError(AppendTargetState& target, PendingAppend& append, const AppendRowsResponse& response);
  void RefuseRows(AppendTargetState& target, const PendingAppend& append, const AppendRowsResponse& response,
                  absl::Status error);
  void Park(AppendTargetState& target, const absl::Status& error);
  void Resolve(AppendTargetState& target, PendingAppend& append, const absl::Status& error);
  void AlreadyWritten(AppendTargetState& target, PendingAppend& append, const absl::Status& error);
  void Rewind(AppendTargetState& target, const absl::Status& error);
  absl::Status WithinPatience(AppendTargetState& target, const absl::Status& error);
  bool IsReplacedUnderIt(AppendTargetState& target);
  bool IsForgotten(const AppendTargetState& target, const absl::Status& error);
  void FollowStream(AppendTargetState& target, const absl::Status& error);
  absl::Status TakeHeldRows(AppendTargetState& target);
  void Acknowledge(AppendTargetState& target, PendingAppend& append);
  void Fail(AppendTargetState& target, absl::Status status);
  void Trouble(AppendTargetState& target, const absl::Status& error);
  void TakeEnd(const absl::Status& end);
  void CancelCall();
  void DropPending(AppendTargetState& target);

  StorageWrite& service_;
  StorageWrite::Transport& transport_;
  const AppendOptions options_;
  const RetryContext& context_;
  std::vector<std::unique_ptr<AppendTargetState>> targets_;
  Counters counters_;
  size_t bytes_in_flight_ = 0;
  int requests_in_flight_ = 0;

  // The current call.
  std::shared_ptr<AppendCall> call_;
  std::vector<std::shared_ptr<AppendCall>> cancelled_;  // not yet ended
  std::string token_;
  bool token_renewed_ = false;  // since the last acknowledgement
  std::deque<Awaited> awaited_;
  bool renew_ = false;  // nothing goes out before the current call is answered and left
  std::optional<TargetId> last_target_;
  std::shared_ptr<const std::string> last_descriptor_;
  bool several_targets_ = false;
  absl::Time last_news_;
  Backoff reconnect_;
  absl::Time reconnect_at_ = absl::InfinitePast();
};

}  // namespace hakobu
