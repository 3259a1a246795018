// hakobu.yaml as the rest of the program sees it. docs/configuration.md explains every key; it is made from
// the same table of keys (config/keys.h) that the parser reads. The defaults written here are the defaults.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/log.h"
#include "base/transport.h"
#include "config/budget.h"
#include "config/notify.h"
#include "config/secret.h"
#include "config/table_options.h"
#include "config/tenants/tenant.h"

namespace hakobu {

struct TlsConfig {
  TlsMode mode = TlsMode::kVerifyIdentity;
  std::string ca;           // file; after LoadConfig the system's own when none was given and `mode` verifies
  std::string certificate;  // file, with `key`: the client's own
  std::string key;          // file
};

enum class SourceAuth : uint8_t { kPassword, kRdsIam };

struct SourceConfig {
  std::string host = "127.0.0.1";
  uint16_t port = 3306;
  std::string socket;  // path; when set, host, port and tls are not used
  std::string user;
  SourceAuth auth = SourceAuth::kPassword;
  std::string region;  // kRdsIam: of the database; empty: what the host's name says
  Secret password;
  // What `password` refers to, read again: passwords rotate. Null where nothing was read.
  std::function<absl::StatusOr<std::string>()> password_again;
  TlsConfig tls;
  absl::Duration connect_timeout = absl::Seconds(10);
  absl::Duration read_timeout = absl::Minutes(2);  // of silence on the wire
  absl::Duration statement_timeout;                // zero: never
  WireCompression compression = WireCompression::kNone;
  uint32_t connections = 2;  // the most that read tables at one time
  std::optional<StorageConfig> storage;
  std::optional<CloudWatchConfig> cloudwatch;
  BudgetConfig budget;
};

enum class EndpointKind : uint8_t { kGoogle, kLocal };
enum class CredentialKind : uint8_t { kAdc, kFile, kNone };

struct CredentialConfig {
  CredentialKind type = CredentialKind::kAdc;
  std::string file;         // for kFile: service account key, authorized user or external account
  std::string impersonate;  // e-mail of a service account, or empty
};

struct DestinationConfig {
  std::string project;
  std::string billing_project;  // never empty after LoadConfig: `project` when not given
  std::string dataset;
  std::string location = "US";
  EndpointKind endpoint = EndpointKind::kGoogle;
  std::string data = ".hakobu/bigquery";  // folder of the embedded local BigQuery
  std::string rest_address;   // "http://127.0.0.1:9050", or https of a regional or private endpoint
  std::string grpc_address;   // "127.0.0.1:9060", or https
  std::string ca;             // PEM file of the authorities that both are trusted by; empty: the system's
  std::string proxy;          // "http://proxy:3128"; empty: as the environment says
  std::string quota_project;  // sent as x-goog-user-project; empty: the credential file's, or none
  std::string kms_key;  // projects/…/cryptoKeys/k for tables that hakobu makes; empty: the dataset's default
  CredentialConfig credentials;
  std::string staging_dataset;  // never empty after LoadConfig: `dataset` when not given
  // True when the destination is on this machine, so that neither TLS nor Google's credentials are used.
  bool local() const;
};

struct LogConfig {
  LogFormat format = LogFormat::kPlain;
  LogSeverity level = LogSeverity::kInfo;
};

// What one run may use of this machine.
struct LimitConfig {
  uint64_t memory = 16ull << 20;  // bytes of rows held between source and destination
  absl::Duration finish_within;   // zero: no limit; a run that takes longer ends as late (exit code 3)
};

// US dollars. Storage Write as Google's documentation has it; queries and storage are to be checked against
// the price page. `plan` multiplies, nothing else uses them.
struct PriceConfig {
  double storage_write_per_gib = 0.025;
  double storage_write_free_gib = 2048;  // a month and project
  double query_per_tib = 6.25;
  double storage_per_gib_month = 0.02;
};

struct SpoolConfig {
  std::string folder;  // empty: no spool
  uint64_t max_bytes = 10ull << 30;
};

// How the log is followed, for the tables of mode: stream.
struct StreamConfig {
  uint32_t server_id = 0;  // 0: chosen, and kept in the ledger's name
  absl::Duration heartbeat = absl::Seconds(2);
  absl::Duration flush_interval = absl::Milliseconds(100);
  uint32_t connections = 2;       // to BigQuery, shared by all tables
  uint32_t copy_connections = 1;  // that read first copies from the source
  uint64_t memory = 8ull << 20;   // of encoded changes that are not yet acknowledged
  std::string listen;             // "127.0.0.1:9464"; empty: no HTTP
  OnGap on_gap = OnGap::kContinue;
  std::string ddl_history;  // a table of destination.dataset; empty: none
  SpoolConfig spool;
};

struct Config {
  std::string path;  // the file it came from
  // Every key of the file that is a value or a list of values, as it is written and where.
  std::shared_ptr<const WrittenKeys> written;
  SourceConfig source;
  DestinationConfig destination;
  TableOptions defaults;
  std::map<std::string, TierConfig> tiers;
  std::optional<TenantsConfig> tenants;
  std::vector<TableRule> tables;  // in the file's order, `defaults` already applied to each
  std::string promise;            // "06:00 Asia/Tokyo": when a run's tables are published; empty: none
  std::string ledger = ".hakobu/ledger.db";
  LogConfig log;
  LimitConfig limits;
  PriceConfig prices;
  StreamConfig stream;
  NotifyConfig notify;
  MetricsConfig metrics;
  std::vector<AcceptRule> accept;
};

// The rule for `database`.`table`, or null when none matches. An exact name beats a glob; among globs the one
// with more literal characters wins; among equals the first. What any glob's `except` means is delivered by
// an exact name only; there letters' case does not matter, since servers differ in it.
const TableRule* FindRule(const Config& config, std::string_view database, std::string_view table);

// The rule's options for one table, with the masks and exclusions of every other entry that matches it: those
// hold whichever entry rules the table.
TableOptions OptionsFor(const Config& config, const TableRule& rule, std::string_view database,
                        std::string_view table);

// The entry whose `except` keeps the table from globs; null when there is none.
const TableRule* FindException(const Config& config, std::string_view database, std::string_view table);

// Whether some entry may name tables of this database, one that is yet to be made included.
bool MayDeliverFrom(const Config& config, std::string_view database);

// Fills {database} and {table} in the rule's target; the table's own name when there is none.
std::string TargetName(const TableOptions& options, std::string_view database, std::string_view table);

// The tables of the dataset that a delivery writes, in lower case: a dataset may be case-insensitive, and
// then names that differ in case alone are one table. Two source tables never share one.
std::vector<std::string> TargetNames(const TableOptions& options, std::string_view database,
                                     std::string_view table);

// The file of authorities that this system trusts; empty when none is at its usual place.
std::string SystemAuthorities();

}  // namespace hakobu
