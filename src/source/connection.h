// One connection to MySQL or MariaDB, set up so that a read hurts the server least and every value arrives
// exact.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "base/cancel.h"
#include "base/outage.h"
#include "base/status.h"
#include "base/transport.h"
#include "log/point.h"

struct st_mysql;  // MYSQL of libmariadb

namespace hakobu {

struct TlsOptions {
  TlsMode mode = TlsMode::kOff;
  std::string ca_file;  // PEM bundle; what RDS calls global-bundle.pem. Needed by the two verify modes.
  std::string certificate_file;  // the client's own, with key_file
  std::string key_file;
};

// A password that may rotate: what its reference (${command:…}, ${file:…}, …) gives now. Thread-safe.
class PasswordSource {
 public:
  using Fetch = std::function<absl::StatusOr<std::string>()>;
  PasswordSource(std::string known, Fetch fetch) : known_(std::move(known)), fetch_(std::move(fetch)) {}
  std::string Current() const;
  // Another one than `refused`: what another connection has fetched since, or what is fetched now; nullopt
  // when it is still the same.
  absl::StatusOr<std::optional<std::string>> After(const std::string& refused);

 private:
  mutable absl::Mutex mutex_;
  std::string known_ ABSL_GUARDED_BY(mutex_);
  const Fetch fetch_;
};

struct ConnectOptions {
  std::string host = "127.0.0.1";
  uint16_t port = 3306;
  std::string socket;  // a path: instead of host and port
  std::string user;
  std::string password;
  // Instead of `password`: asked again, once, when the server refuses what it gave.
  std::shared_ptr<PasswordSource> password_source;
  std::string database;  // may be empty
  TlsOptions tls;
  // What the server does not offer is not used; Connection::compression() tells.
  WireCompression compression = WireCompression::kNone;
  absl::Duration connect_timeout = absl::Seconds(10);       // each step: name, TCP, greeting, login
  absl::Duration read_timeout = absl::Seconds(120);         // silence on the wire
  absl::Duration statement_timeout = absl::ZeroDuration();  // the server ends a SELECT; zero: never
  absl::Duration net_write_timeout = absl::Minutes(10);     // how long the server waits for a slow reader
  // Ends Open at once, and whatever the connection is blocked in later, as Interrupt does. It outlives both.
  const Cancellation* cancel = nullptr;
  OutageListener* outages = nullptr;  // told how opening goes; outlives the connection. Null: nobody is
};

// A result of the text protocol, held whole: for the small questions only. NULL is nullopt.
struct QueryResult {
  std::vector<std::string> names;
  std::vector<std::vector<std::optional<std::string>>> rows;
  // The place of a column by name, case-insensitive; names.size() when there is none.
  size_t Column(std::string_view name) const;
};

// Not thread-safe, but for Interrupt. The session is read-only, in UTC, utf8mb4, with an empty sql_mode and
// autocommit on: each statement is its own transaction (source/session.h pins all that can change a result).
// Errors: Unavailable (unreachable, lost, shutting down, too many connections: try again), Unauthenticated
// (password, TLS, wrong CA), PermissionDenied, NotFound (database, table), DeadlineExceeded (statement
// timeout), Cancelled (after Interrupt), InvalidArgument (the statement), Internal. Messages name host, error
// number and what to do, and never hold the password.
class Connection {
 public:
  static absl::StatusOr<std::unique_ptr<Connection>> Open(const ConnectOptions& options);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Answers are checked here, for all: a result has so many columns, or more; DataLoss otherwise. So whoever
  // asked may index the rows by what he asked for, whatever server it is that answers.
  absl::StatusOr<QueryResult> Query(std::string_view sql, size_t columns = 1);
  // The same for a result that has one row.
  absl::StatusOr<std::vector<std::optional<std::string>>> QueryRow(std::string_view sql, size_t columns = 1);
  // The first column of the one row. NotFound when there is no row, or it is NULL.
  absl::StatusOr<std::string> QueryValue(std::string_view sql);
  // A statement that has no result, or one that nobody wants.
  absl::Status Execute(std::string_view sql);

  // Thread-safe: ends whatever this connection is blocked in, now and later, with Cancelled. It is of no use
  // after.
  void Interrupt();
  bool interrupted() const { return interrupted_.load(); }
  // Since when its owner waits for rows, or InfinitePast: for those who watch it. Thread-safe.
  void SetWaitingSince(absl::Time since) {
    waiting_since_us_ = since == absl::InfinitePast() ? 0 : absl::ToUnixMicros(since);
  }
  absl::Time waiting_since() const {
    const int64_t since = waiting_since_us_;
    return since == 0 ? absl::InfinitePast() : absl::FromUnixMicros(since);
  }
  // Ends it where its owner found it broken: what is tried on it from then on is Unavailable.
  void Cut();

  ServerFlavor flavor() const { return flavor_; }
  const std::string& version() const { return version_; }      // "9.7.0", "10.11.19-MariaDB-0+deb12u1"
  uint32_t version_number() const { return version_number_; }  // 90700, 101119
  std::string tls_cipher() const;                              // empty: not encrypted
  WireCompression compression() const { return compression_; }
  const std::string& where() const { return where_; }  // "host:port" or the socket, for messages
  // The last error of the library as a Status, `phrase: …`.
  absl::Status LastError(std::string_view phrase);
  absl::Status ErrorFor(uint32_t number, std::string_view text, std::string_view phrase);
  struct st_mysql* handle() { return mysql_; }

 private:
  explicit Connection(const ConnectOptions& options);
  static absl::StatusOr<std::unique_ptr<Connection>> OpenByPassword(const ConnectOptions& options);
  static absl::StatusOr<std::unique_ptr<Connection>> OpenWith(const ConnectOptions& options,
                                                              const std::string& password);
  absl::Status Connect(const ConnectOptions& options, const std::string& password);
  void SetOptions(const ConnectOptions& options);
  absl::Status LogIn(const ConnectOptions& options, const std::string& password);
  absl::Status Send(std::string_view sql);

  struct st_mysql* mysql_ = nullptr;
  std::string where_;
  std::string user_;
  ServerFlavor flavor_ = ServerFlavor::kMySql;
  std::string version_;
  uint32_t version_number_ = 0;
  WireCompression compression_ = WireCompression::kNone;
  std::atomic<bool> interrupted_{false};
  std::atomic<int64_t> waiting_since_us_{0};
  std::atomic<int> socket_{-1};
  std::optional<std::stop_callback<std::function<void()>>> on_cancel_;  // last: gone first
};

// `name` as `\`name\``, with its backquotes doubled.
std::string QuoteIdentifier(std::string_view name);
// `text` as a string literal, whatever it holds. For utf8mb4 sessions with this connection's sql_mode.
std::string QuoteText(std::string_view text);

}  // namespace hakobu
