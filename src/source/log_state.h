// Where a server's binary log stands, how far back it goes and how it is kept: what continuity is judged by.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "log/point.h"
#include "source/connection.h"

namespace hakobu {

struct LogState {
  struct File {
    std::string name;
    uint64_t bytes = 0;
    bool encrypted = false;
  };

  ServerFlavor flavor = ServerFlavor::kMySql;
  std::string version;
  std::string server_uuid;  // MariaDB has none: ""
  uint32_t server_id = 0;
  bool log_on = false;
  bool gtid_on = false;        // MySQL: gtid_mode=ON; MariaDB: it has written a GTID
  std::string executed_gtids;  // MySQL: gtid_executed; MariaDB: gtid_binlog_pos (the last of each domain)
  std::string purged_gtids;    // MySQL: gtid_purged; MariaDB: ""
  std::string file;            // where the next transaction goes
  uint64_t offset = 0;
  std::vector<File> files;  // oldest first

  std::string format;         // ROW, MIXED, STATEMENT
  std::string row_image;      // FULL, MINIMAL, NOBLOB
  std::string row_metadata;   // FULL, MINIMAL, NO_LOG; "" before 8.0
  std::string checksum;       // CRC32, NONE
  bool partial_json = false;  // binlog_row_value_options=PARTIAL_JSON
  bool compression = false;   // binlog_transaction_compression, log_bin_compress
  uint64_t sync_binlog = 0;   // 1: no acknowledged transaction can be lost in a crash
  // How long the server keeps its log at least; nullopt: it does not purge by time. On RDS the service's own
  // setting counts, where the user may read it.
  std::optional<absl::Duration> kept_for;
  std::string kept_by;  // "binlog_expire_logs_seconds", "rds binlog retention hours", …
  bool read_only = false;
  // A replica: it has a source of its own, whether it follows it just now or not.
  bool replica = false;
  bool logs_what_it_replicates = true;         // log_replica_updates, log_slave_updates
  std::vector<std::string> only_databases;     // binlog_do_db; empty: all
  std::vector<std::string> ignored_databases;  // binlog_ignore_db
  absl::Time server_now;                       // by the server's clock, seconds
  absl::Time started;                          // server_now minus its uptime

  LogPoint end() const;  // where the next transaction goes, and whose log it is
  uint64_t total_bytes() const;
  const File* Find(std::string_view name) const;
  // Bytes from a position to the end of the log; nullopt when the file is not there.
  std::optional<uint64_t> BytesAfter(std::string_view file, uint64_t offset) const;
};

// Needs REPLICATION CLIENT (MariaDB: BINLOG MONITOR and, for the list, the same). PermissionDenied says so.
// A log that is off is no error: log_on is false.
absl::StatusOr<LogState> ReadLogState(Connection* connection);

}  // namespace hakobu
