// What a stream shows of itself at one moment.
#include <fmt/format.h>

#include "delivery/stream/stream_run.h"

namespace hakobu {
namespace {

StreamTableStatus TableStatusOf(const StreamTable& table, absl::Time whole_until) {
  const StreamTableRecord record = table.record();
  StreamTableStatus one;
  one.source = table.name;
  one.target = record.target;
  one.state = record.state;
  one.reason = record.reason;
  one.inserts = table.inserts;
  one.updates = table.updates;
  one.deletes = table.deletes;
  one.changes = one.inserts + one.updates + one.deletes;
  one.bytes = table.bytes;
  one.copied_rows = record.copied_rows;
  one.chunks = record.chunks;
  one.chunks_done = record.chunks_done;
  one.quarantined = table.quarantined;
  if (record.state == StreamTableState::kWhole) one.fresh_until = whole_until;
  return one;
}

}  // namespace

StreamStatus StreamRun::Status() const {
  StreamStatus status;
  status.started = started_;
  if (!begun_) return status;
  const ReaderState reader = reader_.state();
  const absl::Status failure = context_.failure();
  status.state = !failure.ok()                 ? StreamPhase::kFailed
                 : context_.stop.cancelled()   ? (ended_ ? StreamPhase::kStopped : StreamPhase::kDraining)
                 : reader.state == "following" ? StreamPhase::kStreaming
                 : reader.state.empty()        ? StreamPhase::kStarting
                                               : StreamPhase::kConnecting;
  status.reason = failure.ok() ? reader.reason : failure.ToString();
  const StoredPlace::View stored = place_.view();
  const DeliveredPoint& position = stored.position;
  status.source_server =
      position.server_uuid.empty() ? fmt::format("{}", position.server_id) : position.server_uuid;
  status.epoch = position.epoch;
  status.file = position.file;
  status.offset = position.offset;
  status.gtid_set = position.gtid_set;
  status.last_stored = position.stored;
  status.fresh_until = stored.whole_until;
  status.read_file = reader.file;
  status.read_offset = reader.offset;
  status.last_event = reader.last_heard;
  status.log_bytes = reader.bytes;
  status.reconnects = reader.reconnects;
  status.transactions = follower_.transactions();
  status.resent_requests = resent_requests_;
  status.held_bytes = keeper_.held_bytes();
  status.open_gaps = open_gaps_;
  const StreamHealth health = headroom_.health();
  status.lag_bytes = health.lag_bytes;
  status.headroom_seconds = health.headroom_seconds;
  status.stalled_seconds = health.stalled_seconds;
  status.headroom = health.headroom;
  ShowTables(&status, stored.whole_until);
  return status;
}

void StreamRun::ShowTables(StreamStatus* status, absl::Time whole_until) const {
  for (const StreamTable* table : context_.tables.all()) {
    StreamTableStatus one = TableStatusOf(*table, whole_until);
    status->changes += one.changes;
    status->bytes += one.bytes;
    status->tables.push_back(std::move(one));
  }
}

}  // namespace hakobu
