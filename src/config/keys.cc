#include "config/keys.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>

#include "config/budget_section.h"
#include "config/config.h"
#include "config/notify_section.h"
#include "config/section_builder.h"
#include "config/table_section.h"
#include "config/tenants/section.h"

namespace hakobu {
namespace {

Section TlsSection() {
  SectionBuilder<TlsConfig> builder("How the connection to MySQL is protected. Not used through a socket.");
  builder.Choose<TlsMode>(
      "mode", &TlsConfig::mode,
      {{TlsMode::kOff, "off", "not at all: only for a server on the same machine"},
       {TlsMode::kRequire, "require", "encrypted, but any certificate is taken"},
       {TlsMode::kVerifyCa, "verify_ca", "and the certificate must come from a known authority"},
       {TlsMode::kVerifyIdentity, "verify_identity", "and be made out to `host`"}},
      "How much is proven.");
  builder
      .Text("ca", &TlsConfig::ca,
            "File of trusted authorities (PEM): for RDS and Aurora the bundle global-bundle.pem that AWS "
            "publishes. The system's own when not given.")
      .Example("/etc/ssl/rds/global-bundle.pem");
  builder.Text("cert", &TlsConfig::certificate, "Client certificate (PEM), together with `key`.")
      .Example("/etc/ssl/hakobu/client.pem");
  builder.Text("key", &TlsConfig::key, "The client certificate's private key (PEM).")
      .Example("/etc/ssl/hakobu/client.key");
  return builder.Take();
}

Section SourceSection() {
  SectionBuilder<SourceConfig> builder("The MySQL or MariaDB server to read. It is only ever read.");
  builder.Text("host", &SourceConfig::host, "Name or address of the server.").Example("db.internal");
  builder.Integer("port", &SourceConfig::port, 1, 65535, "TCP port.");
  builder.Text("socket", &SourceConfig::socket, "Path of the server's socket, in place of host and port.")
      .Example("/run/mysqld/mysqld.sock");
  builder
      .Text("user", &SourceConfig::user, "Account; it needs SELECT on the tables, and nothing that writes.")
      .Required()
      .Example("hakobu");
  builder.Private("password", &SourceConfig::password, "Its password; never written in the file itself.");
  builder.Choose<SourceAuth>(
      "auth", &SourceConfig::auth,
      {{SourceAuth::kPassword, "password", "by `password`, or none where the account has none"},
       {SourceAuth::kRdsIam, "rds_iam",
        "IAM database authentication of RDS and Aurora: a token signed with the AWS keys of the environment "
        "or of "
        "the task, made anew when it is refused. It needs rds-db:connect, and tls.mode: verify_identity"}},
      "How the account proves itself.");
  builder
      .Text("region", &SourceConfig::region,
            "With auth: rds_iam, the database's AWS region, where `host` is not the name that AWS gave it.")
      .Example("ap-northeast-1");
  builder.Nested("tls", &SourceConfig::tls, TlsSection());
  builder.Duration("connect_timeout", &SourceConfig::connect_timeout, absl::Seconds(1), absl::Minutes(10),
                   "How long one attempt to connect may take.");
  builder.Duration("read_timeout", &SourceConfig::read_timeout, absl::Seconds(1), absl::Hours(24),
                   "A connection that has been silent for so long is given up, and what was read over it is "
                   "read again. Longer than the longest statement takes to give its first row.");
  builder.Duration(
      "statement_timeout", &SourceConfig::statement_timeout, absl::ZeroDuration(), absl::Hours(48),
      "The server ends a SELECT that takes longer, and the chunk is read again. 0s: never. A table "
      "without a key is read in one SELECT.");
  builder.Choose<WireCompression>(
      "compression", &SourceConfig::compression,
      {{WireCompression::kNone, "none", "not at all"},
       {WireCompression::kZlib, "zlib", "zlib, which every server speaks"},
       {WireCompression::kZstd, "zstd",
        "zstd where the server speaks it (MySQL 8.0.18 and later), zlib elsewhere"}},
      "Compression of the connection: worth it over a slow line only.");
  builder.Integer("connections", &SourceConfig::connections, 1, 64,
                  "The most connections that read at one time.");
  builder.Nested("storage", &SourceConfig::storage, StorageSection());
  builder.Nested("cloudwatch", &SourceConfig::cloudwatch, CloudWatchSection());
  builder.Nested("budget", &SourceConfig::budget, BudgetSection());
  return builder.Take();
}

Section CredentialSection() {
  SectionBuilder<CredentialConfig> builder(
      "How hakobu proves to Google who it is. A local BigQuery is shown a named file only.");
  builder.Choose<CredentialKind>("type", &CredentialConfig::type,
                                 {{CredentialKind::kAdc, "adc",
                                   "Application Default Credentials: GOOGLE_APPLICATION_CREDENTIALS, "
                                   "gcloud's file, the metadata server"},
                                  {CredentialKind::kFile, "file", "the file named in `file`"},
                                  {CredentialKind::kNone, "none", "none: for a BigQuery that asks for none"}},
                                 "Where they come from.");
  builder
      .Text(
          "file", &CredentialConfig::file,
          "Service account key, authorized user, or workload identity federation (external_account) as JSON.")
      .Example("/etc/hakobu/key.json");
  builder.Text("impersonate", &CredentialConfig::impersonate, "E-mail of a service account to act as.")
      .Example("delivery@example-project.iam.gserviceaccount.com");
  return builder.Take();
}

Section DestinationSection() {
  SectionBuilder<DestinationConfig> builder("The BigQuery dataset to deliver to.");
  builder.Text("project", &DestinationConfig::project, "Project that holds the dataset.")
      .Required()
      .Example("example-project");
  builder.Text("billing_project", &DestinationConfig::billing_project,
               "Project that pays for jobs; `project` when not given.");
  builder.Text("dataset", &DestinationConfig::dataset, "Dataset; made in `location` when there is none.")
      .Required()
      .Example("shop");
  builder.Text("staging_dataset", &DestinationConfig::staging_dataset,
               "Dataset for unfinished tables, in the same location; `dataset` when not given.");
  builder.Text("location", &DestinationConfig::location, "Where the dataset lives.")
      .Example("asia-northeast1");
  builder.Choose<EndpointKind>(
      "endpoint", &DestinationConfig::endpoint,
      {{EndpointKind::kGoogle, "google", "Google's BigQuery"},
       {EndpointKind::kLocal, "local", "a local BigQuery, started for each command"}},
      "Which BigQuery.");
  builder.Text("data", &DestinationConfig::data, "Folder of the local BigQuery, with `endpoint: local`.");
  builder
      .Text("rest_address", &DestinationConfig::rest_address,
            "REST address: of a BigQuery that runs already on this machine, such as `hakobu bigquery`, or "
            "https of "
            "a regional or private endpoint of Google's; with grpc_address.")
      .Example("http://127.0.0.1:9050");
  builder
      .Text("grpc_address", &DestinationConfig::grpc_address,
            "Its gRPC address: HOST:PORT on this machine, without TLS, or https://HOST, such as "
            "https://bigquerystorage.europe-west3.rep.googleapis.com.")
      .Example("127.0.0.1:9060");
  builder
      .Text("ca", &DestinationConfig::ca,
            "PEM file of the authorities by which Google's endpoints are trusted, for a network that looks "
            "into TLS; "
            "the system's when not given.")
      .Example("/etc/hakobu/ca.pem");
  builder
      .Text("proxy", &DestinationConfig::proxy,
            "Proxy to Google for REST, tokens and gRPC; https_proxy and no_proxy of the environment when not "
            "given.")
      .Example("http://proxy:3128");
  builder
      .Text("quota_project", &DestinationConfig::quota_project,
            "Project whose API quota is used (x-goog-user-project). It needs serviceusage.services.use "
            "there, which "
            "none of BigQuery's roles has; not sent when not given, unless the credential file names one.")
      .Example("example-project");
  builder
      .Text("kms_key", &DestinationConfig::kms_key,
            "Cloud KMS key for the tables that hakobu makes, staging tables too; the dataset's default when "
            "not "
            "given.")
      .Example("projects/example-project/locations/us/keyRings/ring/cryptoKeys/key");
  builder.Nested("credentials", &DestinationConfig::credentials, CredentialSection());
  return builder.Take();
}

Section TableRuleSection() {
  SectionBuilder<TableRule> builder(
      "The tables to deliver. An exact name beats a glob, a glob with more letters one with fewer, else the "
      "first. Every key of `defaults` may stand here and beats it, but for `where`, `exclude`, `columns` and "
      "`labels`, which are added.");
  builder.Text("table", &TableRule::pattern, "database.table; `*` and `?` match within either name.")
      .Required()
      .Example("\"shop.*\"");
  builder
      .TextList(
          "except", &TableRule::except,
          "With a glob: tables to leave out, as database.table, by name or glob, whatever the case of "
          "letters. No other glob of the file delivers them either; an entry that names one exactly does.")
      .Example("[\"shop.tmp_*\", shop.secrets]");
  builder
      .Text("tenant_column", &TableRule::tenant_column,
            "With `tenants`: the column that tells whose a row is; `tenants.column` when not given.")
      .Example("company_id");
  builder.Inline(&TableRule::options, TableOptionsSection());
  return builder.Take();
}

Section LogSection() {
  SectionBuilder<LogConfig> builder("Log lines, on standard error.");
  builder.Choose<LogFormat>(
      "format", &LogConfig::format,
      {{LogFormat::kPlain, "plain", "for people"},
       {LogFormat::kJson, "json", "one JSON object a line, as Cloud Logging and CloudWatch read"}},
      "Their form; --log-format beats it.");
  builder.Choose<LogSeverity>("level", &LogConfig::level,
                              {{LogSeverity::kDebug, "debug", "every step"},
                               {LogSeverity::kInfo, "info", "what was done"},
                               {LogSeverity::kWarning, "warning", "what somebody should look at"},
                               {LogSeverity::kError, "error", "what failed"}},
                              "The least that is logged.");
  return builder.Take();
}

Section LimitSection() {
  SectionBuilder<LimitConfig> builder("What a run may use.");
  builder.Size("memory", &LimitConfig::memory, 4'000'000, int64_t{64} << 30,
               "Rows held between source and destination, over all connections; 2 MiB a connection at least. "
               "More helps `write: storage` over a long line.");
  builder.Duration("finish_within", &LimitConfig::finish_within, absl::ZeroDuration(), absl::Hours(24 * 7),
                   "A run that takes longer still finishes, but ends as late (exit code 3). 0s: no limit.");
  return builder.Take();
}

Section PriceSection() {
  SectionBuilder<PriceConfig> builder(
      "What `plan` reckons with, in US dollars. The defaults are what was known when this was written, for "
      "the "
      "US multi-region; the prices of queries and of storage were not taken from Google's price page. Put "
      "your region's and contract's here.");
  builder.Number("storage_write_per_gib", &PriceConfig::storage_write_per_gib, "Storage Write API, a GiB.");
  builder.Number("storage_write_free_gib", &PriceConfig::storage_write_free_gib,
                 "Storage Write API, GiB free a month and project.");
  builder.Number("query_per_tib", &PriceConfig::query_per_tib,
                 "On-demand queries (MERGE of incremental tables), a TiB.");
  builder.Number("storage_per_gib_month", &PriceConfig::storage_per_gib_month,
                 "Active logical storage, a GiB and month.");
  return builder.Take();
}

Section SpoolSection() {
  SectionBuilder<SpoolConfig> builder(
      "A copy of the log on local disk while BigQuery is behind, so that the source is read on and may purge "
      "what BigQuery does not yet have. It serves one connection: after a restart or a lost connection the "
      "source is read again from what BigQuery has.");
  builder
      .Text("folder", &SpoolConfig::folder,
            "Where it lies; what an earlier process left there is thrown away. No spool when not given.")
      .Example("/var/lib/hakobu/spool");
  builder.Size(
      "max_bytes", &SpoolConfig::max_bytes, 64 << 20, int64_t{16} << 40,
      "The most it holds, compressed. When it is full the log is read no further until BigQuery takes more.");
  return builder.Take();
}

Section StreamSection() {
  SectionBuilder<StreamConfig> builder(
      "How `hakobu stream` follows the log, for the tables of `mode: stream`.");
  builder.Integer(
      "server_id", &StreamConfig::server_id, 0, 4'294'967'295,
      "The id by which the source knows hakobu; no replica may have the same. 0: a free one is chosen.");
  builder.Duration(
      "heartbeat", &StreamConfig::heartbeat, absl::Milliseconds(100), absl::Minutes(5),
      "How often an idle source says that it lives. 2.5 times as long without a word is a lost connection.");
  builder.Duration(
      "flush_interval", &StreamConfig::flush_interval, absl::ZeroDuration(), absl::Minutes(5),
      "The longest that changes wait for more while the log is read without a pause. When there is nothing "
      "more to read they are sent at once.");
  builder.Integer("connections", &StreamConfig::connections, 1, 64,
                  "Connections to BigQuery, shared by all tables; each table keeps to one.");
  builder.Integer("copy_connections", &StreamConfig::copy_connections, 1, 64,
                  "Connections to the source that read first copies.");
  builder.Size(
      "memory", &StreamConfig::memory, 4'000'000, int64_t{64} << 30,
      "Encoded changes that BigQuery has not yet acknowledged. When it is full the log is read no further.");
  builder
      .Text("listen", &StreamConfig::listen,
            "HOST:PORT for health, readiness and Prometheus metrics over HTTP. None when not given.")
      .Example("127.0.0.1:9464");
  builder.Choose<OnGap>("on_gap", &StreamConfig::on_gap,
                        {{OnGap::kContinue, "continue",
                          "the gap is recorded, its tables are not called whole until `hakobu repair` has "
                          "closed it, and the stream goes "
                          "on"},
                         {OnGap::kStop, "stop", "the gap is recorded and the stream ends with exit code 4"}},
                        "What happens when a part of the log cannot be had any more.");
  builder
      .Text("ddl_history", &StreamConfig::ddl_history,
            "A table of `destination.dataset` that gets a row for every statement in the log that changed a "
            "streamed table: when, where in the log, the statement, and what was done in BigQuery. None when "
            "not given.")
      .Example("ddl_history");
  builder.Nested("spool", &StreamConfig::spool, SpoolSection());
  return builder.Take();
}

Section MakeRoot() {
  SectionBuilder<Config> builder("hakobu.yaml");
  builder.Nested("source", &Config::source, SourceSection()).Required();
  builder.Nested("destination", &Config::destination, DestinationSection()).Required();
  builder.Nested("defaults", &Config::defaults, TableOptionsSection());
  builder.NestedMap(
      "tiers", [](Config& config, const std::string& name) { return &config.tiers[name]; }, TierSection());
  builder.Nested("tenants", &Config::tenants, TenantsSection());
  builder
      .NestedList(
          "tables",
          [](Config& config) {
            TableRule& rule = config.tables.emplace_back();
            rule.options = config.defaults;
            rule.options.inherited_where = std::exchange(rule.options.where, "");
            for (ColumnRule& column : rule.options.columns) column.inherited = true;
            return &rule;
          },
          TableRuleSection())
      .Required();
  builder
      .Text(
          "promise", &Config::promise,
          "The hour of each day by which the tables of `hakobu run` are published. A run that ends after the "
          "next such hour from its start is late (exit code 3), and says hours before that it will be.")
      .Example("\"06:00 Asia/Tokyo\"");
  builder.Text("ledger", &Config::ledger,
               "File that holds what has been delivered (SQLite); keep it between runs.");
  builder.Nested("log", &Config::log, LogSection());
  builder.Nested("limits", &Config::limits, LimitSection());
  builder.Nested("prices", &Config::prices, PriceSection());
  builder.Nested("stream", &Config::stream, StreamSection());
  builder.Nested("notify", &Config::notify, NotifySection());
  builder.Nested("metrics", &Config::metrics, MetricsSection());
  builder.NestedList("accept", [](Config& config) { return &config.accept.emplace_back(); }, AcceptSection());
  return builder.Take();
}

std::string RangeText(const Key& key, const std::function<std::string(int64_t)>& text) {
  const bool below = key.least > std::numeric_limits<int64_t>::min() + 1;
  const bool above = key.most < std::numeric_limits<int64_t>::max();
  if (below && above) return fmt::format(" from {} to {}", text(key.least), text(key.most));
  if (below) return fmt::format(" of at least {}", text(key.least));
  return "";
}

std::string ChoiceText(const Key& key) {
  std::vector<std::string_view> names;
  for (const Choice& choice : key.choices) names.push_back(choice.name);
  return fmt::format("one of {}", fmt::join(names, ", "));
}

}  // namespace

const Section& RootSection() {
  static const Section* const root = new Section(MakeRoot());
  return *root;
}

std::string Expectation(const Key& key) {
  switch (key.kind) {
    case KeyKind::kText:
      return "text";
    case KeyKind::kSecret:
      return "${env:NAME}, ${file:PATH} or ${command:…}";
    case KeyKind::kInteger:
      return "a whole number" + RangeText(key, [](int64_t value) { return fmt::format("{}", value); });
    case KeyKind::kNumber:
      return "a number of at least 0";
    case KeyKind::kBoolean:
      return "true or false";
    case KeyKind::kDuration:
      return "a duration such as 30s or 1h30m" +
             RangeText(key, [](int64_t value) { return DurationText(absl::Milliseconds(value)); });
    case KeyKind::kSize:
      return "a size such as 64MB or 1GiB" +
             RangeText(key, [](int64_t value) { return SizeText(static_cast<uint64_t>(value)); });
    case KeyKind::kChoice:
      return ChoiceText(key);
    case KeyKind::kTextList:
      return "a list of texts";
    case KeyKind::kTextMap:
    case KeyKind::kSectionMap:
      return "a mapping of names";
    case KeyKind::kSection:
      return "a mapping";
    case KeyKind::kSectionList:
      return "a list of mappings";
  }
  return "";
}

}  // namespace hakobu
