#include "delivery/stream/continuity.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "delivery/stream/continuity_gtid.h"

namespace hakobu {
namespace {

constexpr std::string_view kRetentionHint =
    "keep the log longer on the source than the longest outage to be survived: binlog_expire_logs_seconds, "
    "on RDS "
    "mysql.rds_set_configuration('binlog retention hours', 168)";
constexpr std::string_view kSyncHint =
    "set sync_binlog=1 and innodb_flush_log_at_trx_commit=1 on the source: then no transaction that was sent "
    "can be "
    "lost in a crash";
constexpr std::string_view kFailoverHint =
    "promote only a replica that has received everything (semi-synchronous replication, or wait for it)";
constexpr std::string_view kReplicaHint =
    "let nobody write to replicas (super_read_only=ON), and let them commit in their source's order "
    "(replica_preserve_commit_order=ON)";
constexpr std::string_view kGtidHint =
    "with gtid_mode=ON a stream can be proven to go on over failovers, Blue/Green switches and resets";

struct CauseName {
  GapCause cause;
  std::string_view code;
};
constexpr CauseName kCauses[] = {
    {GapCause::kNone, "none"},           {GapCause::kPurged, "purged"},
    {GapCause::kLostTail, "crash_tail"}, {GapCause::kFork, "fork"},
    {GapCause::kRestored, "snapshot"},   {GapCause::kErrant, "errant"},
    {GapCause::kReset, "reset"},         {GapCause::kOtherServer, "other_server"},
    {GapCause::kUnproven, "unproven"},
};

std::optional<absl::Time> Known(absl::Time time) {
  if (time == absl::InfinitePast()) return std::nullopt;
  return time;
}

std::optional<absl::Time> Created(const LogFileIdentity& identity) {
  if (!identity.known()) return std::nullopt;
  return absl::FromUnixSeconds(identity.created);
}

bool SameServer(const DeliveredPoint& stored, const LogState& state) {
  return OfOneServer(stored, state.end());
}

// What the file of the stored position has become.
enum class FileFate { kSame, kShorter, kOtherFile, kUnknown, kPurged, kWentBack };

FileFate FateOf(const DeliveredPoint& stored, const LogState& state, const LogFileIdentity& now) {
  if (const LogState::File* file = state.Find(stored.file)) {
    if (stored.identity.known() && now.known() && !(stored.identity == now)) return FileFate::kOtherFile;
    if (file->bytes < stored.offset) return FileFate::kShorter;
    return stored.identity.known() && now.known() ? FileFate::kSame : FileFate::kUnknown;
  }
  const auto number = LogFileNumber(stored.file);
  if (!number || state.files.empty()) return FileFate::kUnknown;
  const auto oldest = LogFileNumber(state.files.front().name);
  // A position at the very end of the last file may name one that does not exist yet.
  return oldest && *oldest > *number ? FileFate::kPurged : FileFate::kWentBack;
}

bool Parted(FileFate fate) {
  return fate == FileFate::kShorter || fate == FileFate::kOtherFile || fate == FileFate::kWentBack;
}

class Judge {
 public:
  Judge(const DeliveredPoint& stored, const LogState& state, const LogEvidence& evidence)
      : stored_(stored),
        state_(state),
        evidence_(evidence),
        same_server_(SameServer(stored, state)),
        fate_(FateOf(stored, state, evidence.stored_file)) {
    result_.other_server = !same_server_;
    result_.gtid_set = stored.gtid_set;
  }

  Continuity Run() {
    const bool gtids = !stored_.gtid_set.empty() && state_.gtid_on;
    if (gtids) {
      auto compared = CompareGtids(stored_, state_, evidence_);
      if (compared.ok()) {
        ByGtids(*compared);
      } else {
        Unreadable(compared.status());
      }
    } else {
      ByFile();
    }
    return std::move(result_);
  }

 private:
  void ByGtids(const GtidComparison& compared) {
    if (same_server_ && Parted(fate_)) return PartedByGtids(compared);
    if (evidence_.refused == LogFailure::kPurged || !compared.missing.empty()) {
      // Phantoms beside them do not make it another cause, but must be told.
      Phantoms(compared.phantom);
      if (compared.phantom.empty() || same_server_) return PurgedByGtids(compared);
    }
    if (compared.phantom.empty() && evidence_.refused != LogFailure::kAhead) {
      if (!same_server_ && !evidence_.errant.gtids.empty()) return ErrantByGtids(compared);
      Continue(compared.resume_all,
               same_server_
                   ? "the same server still has everything after what was delivered"
                   : fmt::format("another server ({}) has executed all that was delivered and still has "
                                 "everything after it: a failover or a Blue/Green switch",
                                 ServerName()));
      return;
    }
    if (same_server_) return PartedByGtids(compared);
    if (state_.read_only && !compared.has_others && evidence_.refused == LogFailure::kNone)
      return Wait(compared);
    ForkByGtids(compared);
  }

  void Continue(LogStart start, std::string explanation) {
    result_.verdict = ContinuityVerdict::kContinues;
    result_.start = std::move(start);
    result_.explanation = std::move(explanation);
  }

  void Wait(const GtidComparison& compared) {
    result_.verdict = ContinuityVerdict::kWait;
    result_.explanation = fmt::format(
        "server {} is read-only and lacks {} that were delivered: a replica that has not caught up",
        ServerName(), compared.phantom);
    result_.hint = "point the source at its primary, or wait until the replica has caught up";
  }

  void Gap(GapCause cause, LogStart start, std::string explanation, std::string_view hint) {
    result_.verdict = ContinuityVerdict::kGap;
    result_.cause = cause;
    result_.start = std::move(start);
    result_.explanation = std::move(explanation);
    result_.hint = hint;
  }

  void Phantoms(const std::string& phantom) { result_.phantom_gtids = phantom; }

  void PurgedByGtids(const GtidComparison& compared) {
    result_.missing_gtids = compared.missing;
    result_.from = Known(stored_.committed);
    result_.until = Created(evidence_.oldest_file);
    FromStored();
    if (!state_.files.empty()) result_.until_point = LogPoint::At(state_.files.front().name, 4);
    if (compared.missing.empty()) {  // the server says so, its sets do not: MariaDB, or files deleted by hand
      Gap(GapCause::kPurged, FromOldest(),
          fmt::format("the source no longer has what follows {}", stored_.gtid_set), kRetentionHint);
      return;
    }
    result_.gtid_set = compared.seen_after;
    Gap(GapCause::kPurged, compared.resume,
        fmt::format("the source has purged {} which were not delivered", compared.missing), kRetentionHint);
  }

  // On the same server: its history parted from what was delivered.
  void PartedByGtids(const GtidComparison& compared) {
    Phantoms(compared.phantom);
    result_.missing_gtids = compared.missing;
    result_.gtid_set = compared.seen_after;
    LogStart start = compared.resume;
    if (state_.flavor == ServerFlavor::kMariaDb) {
      start = FromParting();
      result_.gtid_set = stored_.gtid_set;
    }
    DescribeParting(std::move(start));
  }

  void DescribeParting(LogStart start) {
    BoundByParting();
    const auto parting_number = LogFileNumber(evidence_.parting_file);
    const bool anew = parting_number == 1u && evidence_.parting_gtids.value_or("").empty();
    if (anew && fate_ != FileFate::kShorter) {
      result_.phantom_gtids.clear();  // the rows are still there; only the numbers began anew
      result_.from = Known(stored_.committed);
      result_.until = Created(evidence_.parting_identity);
      Gap(GapCause::kReset, std::move(start),
          "the source's log and GTIDs were reset: transactions between the last delivered one and the reset "
          "cannot be "
          "known, and GTIDs count from 1 again",
          "stop the stream cleanly, once it has caught up, before RESET BINARY LOGS AND GTIDS");
      return;
    }
    if (fate_ == FileFate::kShorter || (fate_ != FileFate::kOtherFile && fate_ != FileFate::kWentBack &&
                                        state_.started > stored_.committed)) {
      Gap(GapCause::kLostTail, std::move(start),
          fmt::format("the source lost transactions in a crash that were delivered already: {} was read up "
                      "to {}, and "
                      "has {} bytes now",
                      stored_.file, stored_.offset, FileBytes()),
          kSyncHint);
      return;
    }
    Gap(GapCause::kRestored, std::move(start),
        fmt::format("the source went back in time: its log file {} is not the one that was read{}",
                    stored_.file,
                    result_.phantom_gtids.empty() ? std::string()
                                                  : fmt::format(", and it lacks {}", result_.phantom_gtids)),
        "after a restore, changes made between the snapshot and the restore exist only in the destination "
        "until "
        "repair");
  }

  void ForkByGtids(const GtidComparison& compared) {
    Phantoms(compared.phantom);
    result_.missing_gtids = compared.missing;
    result_.gtid_set = compared.seen_after;
    result_.until = Known(stored_.committed);
    LogStart start = compared.resume;
    if (state_.flavor == ServerFlavor::kMariaDb) {
      start = FromNow();
      result_.gtid_set = state_.executed_gtids;
      result_.until = state_.server_now;
      result_.until_point = state_.end();
    }
    if (compared.has_others || evidence_.refused != LogFailure::kNone) {
      Gap(GapCause::kFork, std::move(start),
          fmt::format("another server ({}) lacks {} that were delivered and has executed others: it was "
                      "promoted before "
                      "it had received everything, or is a fork",
                      ServerName(), compared.phantom.empty() ? stored_.gtid_set : compared.phantom),
          kFailoverHint);
    } else {
      Gap(GapCause::kRestored, std::move(start),
          fmt::format("another server ({}) lacks {} that were delivered: it was restored from a snapshot or "
                      "backup, or "
                      "promoted before it had received everything",
                      ServerName(), compared.phantom),
          kFailoverHint);
    }
  }

  void ErrantByGtids(const GtidComparison& compared) {
    result_.missing_gtids = evidence_.errant.gtids;
    result_.gtid_set = compared.resume_past_errant.point.gtid_set;
    result_.from = evidence_.errant.from;
    result_.until = Known(stored_.committed);
    result_.tables = evidence_.errant.tables;
    Gap(GapCause::kErrant, compared.resume_past_errant,
        fmt::format(
            "another server ({}) executed {} before transactions that were delivered, though the former "
            "server never had them: somebody wrote to it while it was a replica. They are left out, since "
            "newer values would be overwritten by theirs",
            ServerName(), evidence_.errant.gtids),
        kReplicaHint);
  }

  // A server that begins anew under another identity (a restored or copied data folder, a lost auto.cnf)
  // opens a new file and leaves those it has as they are. So a file with the same beginning that holds all
  // that was read is the one that was read.
  bool SameFilesElsewhere() const {
    return !same_server_ && stored_.flavor == state_.flavor && fate_ == FileFate::kSame &&
           evidence_.refused == LogFailure::kNone && state_.file != stored_.file;
  }

  void ByFile() {
    if (SameFilesElsewhere()) {
      Continue(
          LogStart::At(stored_.file, stored_.offset),
          fmt::format("another server ({}) answers, but it has the very file that was read, and files after "
                      "it: the same data under a new identity",
                      ServerName()));
      return;
    }
    if (!same_server_) {
      result_.from = Known(stored_.committed);
      result_.until = state_.server_now;
      result_.until_point = state_.end();
      result_.gtid_set = state_.executed_gtids;
      Gap(GapCause::kOtherServer, FromNow(),
          fmt::format("another server ({}) answers, and without GTIDs {} says nothing about its log",
                      ServerName(), stored_.Text()),
          kGtidHint);
      return;
    }
    const LogStart there = LogStart::At(stored_.file, stored_.offset);
    switch (evidence_.refused == LogFailure::kPurged ? FileFate::kPurged : fate_) {
      case FileFate::kSame:
        if (evidence_.refused == LogFailure::kNone) {
          Continue(there, "the same server still has the file that was read, with the same beginning");
          return;
        }
        [[fallthrough]];
      case FileFate::kUnknown:
        Gap(GapCause::kUnproven, there,
            fmt::format("the source has a log file {}, but that it is the one that was read cannot be proven",
                        stored_.file),
            kGtidHint);
        return;
      case FileFate::kPurged:
        result_.from = Known(stored_.committed);
        result_.until = Created(evidence_.oldest_file);
        FromStored();
        if (!state_.files.empty()) result_.until_point = LogPoint::At(state_.files.front().name, 4);
        Gap(GapCause::kPurged, FromOldest(),
            fmt::format("the source no longer has {}, which was read up to {}", stored_.file, stored_.offset),
            kRetentionHint);
        return;
      case FileFate::kShorter:
      case FileFate::kOtherFile:
      case FileFate::kWentBack:
        DescribeParting(FromParting());
    }
  }

  // Phantoms were written after the parting file's predecessor was made; from the parting file on, the
  // server's log is whole.
  void BoundByParting() {
    result_.from = Created(evidence_.common_identity);
    result_.until = Created(evidence_.parting_identity);
    if (fate_ == FileFate::kShorter) {
      result_.from_point = LogPoint::At(stored_.file, FileBytes());
      result_.until_point = stored_;
    } else {
      FromStored();
      if (!evidence_.parting_file.empty()) result_.until_point = LogPoint::At(evidence_.parting_file, 4);
    }
  }

  void Unreadable(const absl::Status& status) {
    result_.from = Known(stored_.committed);
    result_.until = state_.server_now;
    result_.gtid_set = state_.executed_gtids;
    Gap(GapCause::kUnproven, FromNow(), std::string(View(status.message())), "");
  }

  void FromStored() { result_.from_point = stored_; }
  uint64_t FileBytes() const {
    const LogState::File* file = state_.Find(stored_.file);
    return file == nullptr ? 0 : file->bytes;
  }
  std::string ServerName() const {
    return state_.server_uuid.empty() ? fmt::format("server_id {}", state_.server_id) : state_.server_uuid;
  }
  LogStart FromNow() const { return LogStart::At(state_.file, state_.offset); }
  LogStart FromOldest() const {
    return state_.files.empty() ? LogStart::Oldest() : LogStart::At(state_.files.front().name);
  }
  LogStart FromParting() const {
    if (!evidence_.parting_file.empty()) return LogStart::At(evidence_.parting_file);
    if (fate_ != FileFate::kShorter) return FromOldest();
    const LogState::File* next = state_.Find(stored_.file) + 1;
    if (next != state_.files.data() + state_.files.size()) return LogStart::At(next->name);
    return LogStart::At(stored_.file, FileBytes());
  }

  const DeliveredPoint& stored_;
  const LogState& state_;
  const LogEvidence& evidence_;
  const bool same_server_;
  const FileFate fate_;
  Continuity result_;
};

}  // namespace

std::string_view GapCauseCode(GapCause cause) {
  for (const CauseName& each : kCauses) {
    if (each.cause == cause) return each.code;
  }
  return "none";
}

std::optional<GapCause> GapCauseFromCode(std::string_view code) {
  for (const CauseName& each : kCauses) {
    if (each.code == code) return each.cause;
  }
  return std::nullopt;
}

bool SuspectsParting(const DeliveredPoint& stored, const LogState& state,
                     const LogFileIdentity& stored_file) {
  if (!SameServer(stored, state)) return false;
  if (Parted(FateOf(stored, state, stored_file))) return true;
  if (stored.gtid_set.empty() || !state.gtid_on) return false;
  const auto compared = CompareGtids(stored, state, {});
  return compared.ok() && !compared->phantom.empty();
}

bool SuspectsErrant(const DeliveredPoint& stored, const LogState& state) {
  if (stored.flavor != ServerFlavor::kMySql || SameServer(stored, state)) return false;
  if (stored.gtid_set.empty() || !state.gtid_on) return false;
  const auto compared = CompareGtids(stored, state, {});
  return compared.ok() && compared->phantom.empty() && compared->missing.empty() && compared->has_others;
}

Continuity JudgeContinuity(const DeliveredPoint& stored, const LogState& state, const LogEvidence& evidence) {
  return Judge(stored, state, evidence).Run();
}

}  // namespace hakobu
