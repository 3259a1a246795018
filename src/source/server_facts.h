// What a run needs to know of the server before it reads, and what its reading cost.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "source/connection.h"

namespace hakobu {

// SHOW GRANTS of the current user with its active roles, parsed. Privilege names upper-case, as the server
// writes them.
struct Privileges {
  struct Grant {
    std::vector<std::string> names;  // "SELECT", "REPLICATION SLAVE", "ALL PRIVILEGES" …
    std::string database;            // "*" for all; may hold LIKE wildcards as GRANT allows
    std::string table;               // "*" for all
    bool grant_option = false;
  };
  std::vector<Grant> grants;
  std::string user;  // CURRENT_USER()

  // Whether `name` holds globally, or for the database or table.
  bool Has(std::string_view name, std::string_view database = "*", std::string_view table = "*") const;
};

// One privilege line from SHOW GRANTS into a Grant; nullopt for role memberships and PROXY.
std::optional<Privileges::Grant> ParseGrant(std::string_view line);

// SELECT on every one of `databases`, and for positions REPLICATION CLIENT (MariaDB: BINLOG MONITOR does as
// well); REPLICATION SLAVE where `streams`. Returns what is missing as GRANT statements to run, and what is
// too much: any privilege that writes, by name.
struct PrivilegeReport {
  std::vector<std::string> missing;
  std::vector<std::string> excessive;
};
PrivilegeReport CheckPrivileges(const Privileges& privileges, const std::vector<std::string>& databases,
                                bool streams);

struct ServerFacts {
  ServerFlavor flavor = ServerFlavor::kMySql;
  std::string version;
  std::string server_uuid;  // MariaDB: server_id as text
  bool read_only = false;
  // SHOW GLOBAL VARIABLES that matter: log_bin, binlog_format, binlog_row_image, binlog_row_metadata,
  // gtid_mode, gtid_strict_mode, net_write_timeout, max_allowed_packet, innodb_buffer_pool_size,
  // max_connections … as text.
  absl::flat_hash_map<std::string, std::string> settings;
  Privileges privileges;
  std::string_view Setting(std::string_view name) const;  // empty when the server has none of that name
};
absl::StatusOr<ServerFacts> ReadServerFacts(Connection* connection);

// Where the binary log stands. Not known when the log is off, or the user may not see it; `why_unknown` then
// says so. Whose log it is, is not asked.
absl::StatusOr<LogPoint> ReadLogPoint(Connection* connection, std::string* why_unknown = nullptr);
// The statement that says so, by the name that this server knows. 8.2 renamed it, 8.4 removed the old name.
std::string_view PositionStatement(const Connection& connection);

// What this session made the server do (SHOW SESSION STATUS), and two global figures beside it. Subtract two
// readings. Reading the counters is itself counted by the server: CountersCost() readings in a row show how
// much.
struct LoadCounters {
  uint64_t statements = 0;         // Questions
  uint64_t rows_examined = 0;      // sum of Handler_read_*
  uint64_t tmp_tables = 0;         // Created_tmp_tables
  uint64_t tmp_disk_tables = 0;    // Created_tmp_disk_tables
  uint64_t sort_rows = 0;          // Sort_rows
  uint64_t sort_merge_passes = 0;  // Sort_merge_passes
  uint64_t bytes_sent = 0;         // Bytes_sent
  uint64_t innodb_data_reads = 0;  // global: read requests to the files, by everybody
  uint64_t innodb_pages_read = 0;  // global: Innodb_buffer_pool_reads
  uint64_t threads_running = 0;    // global, not a counter
  uint64_t row_lock_waits = 0;     // global: Innodb_row_lock_waits
};
absl::StatusOr<LoadCounters> ReadLoadCounters(Connection* connection);
LoadCounters operator-(const LoadCounters& later, const LoadCounters& earlier);

// When the oldest transaction that is still open began, by the server's clock; nullopt: none is open. With it
// a cursor column's window can be bounded safely. PermissionDenied without PROCESS.
struct OpenTransactions {
  absl::Time now;  // the server's UTC_TIMESTAMP(6)
  std::optional<absl::Time> oldest_start;
  // No open transaction began before this. The server shows a picture up to 0.1 s old, so `now` itself is too
  // late.
  absl::Time SafeBound() const {
    const absl::Time recent = now - absl::Seconds(1);
    return oldest_start ? std::min(*oldest_start, recent) : recent;
  }
};
absl::StatusOr<OpenTransactions> ReadOpenTransactions(Connection* connection);

}  // namespace hakobu
