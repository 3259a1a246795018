// A server's binary log, live: this connection poses as a replica and hands out event by event.
// Source: MySQL's "Replication Protocol" (COM_BINLOG_DUMP, COM_BINLOG_DUMP_GTID, COM_REGISTER_SLAVE);
// MariaDB's "Replica Protocol".
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "log/point.h"
#include "source/connection.h"

namespace hakobu {

// Where to begin. Make one with the functions below.
struct LogStart {
  enum class Kind : uint8_t { kNow, kOldest, kPosition, kGtids };
  Kind kind = Kind::kNow;
  LogPoint point{};          // kPosition: where a transaction begins; kGtids: whose GTIDs have been seen
  std::string gtid_bytes{};  // MySQL: the same as binlog::GtidSet::ToBytes() gives it

  static LogStart Now() { return {}; }  // what is committed after Open
  static LogStart Oldest();
  static LogStart At(std::string file, uint64_t offset = 4);
  // Everything the server has that is not in the set. `bytes` is not used with MariaDB.
  static LogStart After(std::string gtid_set, std::string bytes);
  std::string Text() const;  // "binlog.000003:157", "after uuid:1-7", "now", "the oldest file"
};

struct LogStreamOptions {
  // What the server tells its replicas apart by; a second one with the same id ends the first. 0: a random
  // one that no registered replica has. Give a stream's own again when it reconnects, so that what is left of
  // its old connection ends.
  uint32_t server_id = 0;
  std::string replica_uuid;  // the same for MySQL's server_uuid; empty: a random one
  // How often an idle server says that it lives (and, with MySQL, while it skips what was seen).
  absl::Duration heartbeat = absl::Seconds(2);
  // So long without a byte: the connection is dead. Zero: 2.5 heartbeats. Before the first event, while the
  // server looks for the start, it is ConnectOptions::read_timeout if that is longer.
  absl::Duration silence = absl::ZeroDuration();
  bool stop_at_end = false;  // the server ends the stream where its log ends now
};

// Why a stream cannot be had, for the caller who must act on it. Errors that carry none are the connection's.
enum class LogFailure : uint8_t {
  kNone,
  kPurged,    // OutOfRange: the server no longer has what comes next
  kAhead,     // FailedPrecondition: the server does not have (any more) what was already seen
  kReplaced,  // Aborted: another replica with the same server id or UUID came
  kCorrupt,   // DataLoss: the server cannot read its own log
  kOff,       // FailedPrecondition: the server writes no binary log
  kDenied,    // PermissionDenied: a privilege is missing
};
LogFailure LogFailureOf(const absl::Status& status);

// Not thread-safe, but for Interrupt.
class LogStream {
 public:
  // Connects, registers as a replica and asks for the log. What the server has against the start is often
  // told by the first Next only. Errors as Connection's, and LogFailure.
  static absl::StatusOr<std::unique_ptr<LogStream>> Open(const ConnectOptions& connect, const LogStart& start,
                                                         const LogStreamOptions& options);
  virtual ~LogStream() = default;

  // The next whole event, as binlog::LogDecoder::Feed wants it, valid until the next call; nullopt when none
  // came within `timeout` (zero: only what is there), or when at_end().
  // Unavailable: the connection broke, or was silent for too long: reconnect. Cancelled after Interrupt.
  virtual absl::StatusOr<std::optional<std::string_view>> Next(absl::Duration timeout) = 0;

  // With stop_at_end: the server has sent all.
  virtual bool at_end() const = 0;
  // Thread-safe: ends Next, now and later, with Cancelled.
  virtual void Interrupt() = 0;

  virtual ServerFlavor flavor() const = 0;
  virtual uint32_t server_id() const = 0;               // ours, as the source knows it
  virtual const std::string& replica_uuid() const = 0;  // ours
  virtual uint64_t bytes_read() const = 0;              // of events
  virtual absl::Time last_heard() const = 0;            // when an event or heartbeat last came
  // When a Next last found nothing and began to wait: all that the server had sent by then has been returned.
  // So a heartbeat proves that there was nothing until then; it may have lain in a buffer since long before
  // now.
  virtual absl::Time waited_at() const = 0;
};

// Of an event as Next returns it; nullopt when it is no FORMAT_DESCRIPTION.
std::optional<LogFileIdentity> IdentityOf(std::string_view event);
// Opens a stream of its own for it. OutOfRange (kPurged) when the server has no such file.
absl::StatusOr<LogFileIdentity> ReadLogFileIdentity(const ConnectOptions& connect, const std::string& file);

}  // namespace hakobu
