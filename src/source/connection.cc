#include "source/connection.h"

#include <fmt/format.h>
#include <mysql.h>
#include <sys/socket.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <mutex>

#include "source/error.h"
#include "source/wire_zstd.h"

namespace hakobu {
namespace {

// What libmariadb turns off unless it is told otherwise: a row of up to 1 GiB (the protocol's own bound).
constexpr unsigned long kMaxPacketBytes = 1ul << 30;

bool EqualsIgnoringCase(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

unsigned int Seconds(absl::Duration duration) {
  return static_cast<unsigned int>(
      std::max<int64_t>(1, absl::ToInt64Seconds(absl::Ceil(duration, absl::Seconds(1)))));
}

void SetTls(MYSQL* mysql, const TlsOptions& tls) {
  const my_bool on = 1;
  const my_bool off = 0;
  const bool encrypted = tls.mode != TlsMode::kOff;
  mysql_optionsv(mysql, MYSQL_OPT_SSL_ENFORCE, encrypted ? &on : &off);
  if (!encrypted) return;
  const bool verifies = tls.mode == TlsMode::kVerifyCa || tls.mode == TlsMode::kVerifyIdentity;
  // The library checks the certificate's chain whenever it is given a CA, and the host's name only when told
  // to.
  if (verifies) mysql_optionsv(mysql, MYSQL_OPT_SSL_CA, tls.ca_file.c_str());
  mysql_optionsv(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, tls.mode == TlsMode::kVerifyIdentity ? &on : &off);
  if (!tls.certificate_file.empty()) mysql_optionsv(mysql, MYSQL_OPT_SSL_CERT, tls.certificate_file.c_str());
  if (!tls.key_file.empty()) mysql_optionsv(mysql, MYSQL_OPT_SSL_KEY, tls.key_file.c_str());
}

absl::Status CheckOptions(const ConnectOptions& options) {
  const bool verifies =
      options.tls.mode == TlsMode::kVerifyCa || options.tls.mode == TlsMode::kVerifyIdentity;
  if (verifies && options.tls.ca_file.empty()) {
    return WithHint(absl::InvalidArgumentError("TLS is to be verified, but no CA file is given"),
                    "set the source's tls.ca; for RDS download the region's certificate bundle");
  }
  for (const std::string* file :
       {&options.tls.ca_file, &options.tls.certificate_file, &options.tls.key_file}) {
    if (file->empty() || options.tls.mode == TlsMode::kOff) continue;
    if (FILE* opened = std::fopen(file->c_str(), "r")) {
      std::fclose(opened);
    } else {
      return absl::UnauthenticatedError(fmt::format("cannot read the TLS file {}", *file));
    }
  }
  return absl::OkStatus();
}

uint32_t VersionNumber(std::string_view text) {
  uint32_t parts[3] = {0, 0, 0};
  const char* at = text.data();
  const char* end = at + text.size();
  for (uint32_t& part : parts) {
    const auto result = std::from_chars(at, end, part);
    if (result.ec != std::errc() || result.ptr == end || *result.ptr != '.') break;
    at = result.ptr + 1;
  }
  return parts[0] * 10000 + parts[1] * 100 + parts[2];
}

}  // namespace

size_t QueryResult::Column(std::string_view name) const {
  for (size_t i = 0; i < names.size(); ++i) {
    if (EqualsIgnoringCase(names[i], name)) return i;
  }
  return names.size();
}

Connection::Connection(const ConnectOptions& options)
    : where_(options.socket.empty() ? fmt::format("{}:{}", options.host, options.port) : options.socket),
      user_(options.user) {}

Connection::~Connection() {
  socket_ = -1;
  if (mysql_ != nullptr) mysql_close(mysql_);
}

absl::StatusOr<std::unique_ptr<Connection>> Connection::Open(const ConnectOptions& options) {
  HAKOBU_RETURN_IF_ERROR(CheckOptions(options));
  std::unique_ptr<Connection> connection(new Connection(options));
  HAKOBU_RETURN_IF_ERROR(connection->Connect(options));
  HAKOBU_RETURN_IF_ERROR(connection->SetUpSession(options));
  return connection;
}

absl::Status Connection::Connect(const ConnectOptions& options) {
  static std::once_flag once;
  std::call_once(once, [] { mysql_server_init(0, nullptr, nullptr); });
  mysql_ = mysql_init(nullptr);
  if (mysql_ == nullptr) return absl::ResourceExhaustedError("no memory for a connection");
  const unsigned int connect_seconds = Seconds(options.connect_timeout);
  const unsigned int read_seconds = Seconds(options.read_timeout);
  const unsigned int protocol = options.socket.empty() ? MYSQL_PROTOCOL_TCP : MYSQL_PROTOCOL_SOCKET;
  const my_bool no = 0;
  mysql_optionsv(mysql_, MYSQL_OPT_CONNECT_TIMEOUT, &connect_seconds);
  mysql_optionsv(mysql_, MYSQL_OPT_READ_TIMEOUT, &read_seconds);
  mysql_optionsv(mysql_, MYSQL_OPT_WRITE_TIMEOUT, &read_seconds);
  mysql_optionsv(mysql_, MYSQL_OPT_PROTOCOL, &protocol);
  mysql_optionsv(mysql_, MYSQL_OPT_RECONNECT, &no);
  mysql_optionsv(mysql_, MYSQL_OPT_LOCAL_INFILE, nullptr);
  mysql_optionsv(mysql_, MYSQL_OPT_MAX_ALLOWED_PACKET, &kMaxPacketBytes);
  mysql_optionsv(mysql_, MYSQL_SET_CHARSET_NAME, "utf8mb4");
  mysql_optionsv(mysql_, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", "hakobu");
  if (options.compression == WireCompression::kZstd) HAKOBU_RETURN_IF_ERROR(OfferWireZstd());
  if (options.compression != WireCompression::kNone) mysql_optionsv(mysql_, MYSQL_OPT_COMPRESS, nullptr);
  SetTls(mysql_, options.tls);
  const MYSQL* connected = mysql_real_connect(
      mysql_, options.socket.empty() ? options.host.c_str() : nullptr, options.user.c_str(),
      options.password.c_str(), options.database.empty() ? nullptr : options.database.c_str(), options.port,
      options.socket.empty() ? nullptr : options.socket.c_str(), 0);
  if (connected == nullptr) return LastError(fmt::format("connect to {} as {}", where_, user_));
  socket_ = static_cast<int>(mysql_get_socket(mysql_));

  version_ = mysql_get_server_info(mysql_);
  flavor_ = version_.find("MariaDB") != std::string::npos ? ServerFlavor::kMariaDb : ServerFlavor::kMySql;
  version_number_ = VersionNumber(version_);
  if ((mysql_->client_flag & CLIENT_COMPRESS) != 0) compression_ = WireCompression::kZlib;
  if ((mysql_->client_flag & CLIENT_ZSTD_COMPRESSION) != 0) compression_ = WireCompression::kZstd;
  if (options.tls.mode != TlsMode::kOff && tls_cipher().empty()) {
    return WithHint(
        absl::UnauthenticatedError(fmt::format("connect to {}: the server offers no TLS", where_)),
        "set the source's tls.mode to off, or turn TLS on at the server");
  }
  return absl::OkStatus();
}

absl::Status Connection::SetUpSession(const ConnectOptions& options) {
  const bool mariadb = flavor_ == ServerFlavor::kMariaDb;
  std::vector<std::string> statements = {
      "SET NAMES utf8mb4",
      fmt::format("SET SESSION time_zone = '+00:00', sql_mode = '', autocommit = 1, net_write_timeout = {}",
                  Seconds(options.net_write_timeout)),
      "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
  };
  // 8.0's information_schema answers from statistics up to a day old otherwise, and wants to store them.
  if (!mariadb && version_number_ >= 80000) {
    statements.emplace_back("SET SESSION information_schema_stats_expiry = 0");
  }
  if (options.statement_timeout > absl::ZeroDuration()) {
    const double seconds = absl::ToDoubleSeconds(options.statement_timeout);
    statements.push_back(mariadb ? fmt::format("SET SESSION max_statement_time = {:.3f}", seconds)
                                 : fmt::format("SET SESSION max_execution_time = {:.0f}", seconds * 1000));
  }
  for (const std::string& statement : statements) {
    if (mysql_real_query(mysql_, statement.data(), statement.size()) != 0) {
      return LastError(fmt::format("set up the session at {}", where_));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<QueryResult> Connection::Query(std::string_view sql) {
  if (mysql_real_query(mysql_, sql.data(), sql.size()) != 0) return LastError(fmt::format("ask {}", where_));
  QueryResult result;
  MYSQL_RES* stored = mysql_store_result(mysql_);
  if (stored == nullptr) {
    if (mysql_errno(mysql_) != 0) return LastError(fmt::format("ask {}", where_));
    return result;
  }
  const unsigned int columns = mysql_num_fields(stored);
  for (unsigned int i = 0; i < columns; ++i)
    result.names.emplace_back(mysql_fetch_field_direct(stored, i)->name);
  while (const MYSQL_ROW row = mysql_fetch_row(stored)) {
    const unsigned long* lengths = mysql_fetch_lengths(stored);
    auto& values = result.rows.emplace_back(columns);
    for (unsigned int i = 0; i < columns; ++i) {
      if (row[i] != nullptr) values[i].emplace(row[i], lengths[i]);
    }
  }
  mysql_free_result(stored);
  return result;
}

absl::StatusOr<std::string> Connection::QueryValue(std::string_view sql) {
  HAKOBU_ASSIGN_OR_RETURN(QueryResult result, Query(sql));
  if (result.rows.empty() || result.rows[0].empty() || !result.rows[0][0]) {
    return absl::NotFoundError(fmt::format("ask {}: no value for {}", where_, sql));
  }
  return *std::move(result.rows[0][0]);
}

void Connection::Interrupt() {
  interrupted_ = true;
  Cut();
}

// Wakes a read or write that another thread is blocked in, TLS or not; closing stays with the owner.
void Connection::Cut() {
  if (const int socket = socket_; socket >= 0) shutdown(socket, SHUT_RDWR);
}

std::string Connection::tls_cipher() const {
  const char* cipher = mysql_get_ssl_cipher(mysql_);
  return cipher == nullptr ? "" : cipher;
}

absl::Status Connection::LastError(std::string_view phrase) {
  return ErrorFor(mysql_errno(mysql_), mysql_error(mysql_), phrase);
}

absl::Status Connection::ErrorFor(uint32_t number, std::string_view text, std::string_view phrase) {
  if (interrupted()) return Annotate(absl::CancelledError("stopped on request"), phrase);
  return Annotate(ServerError(number, text), phrase);
}

std::string QuoteIdentifier(std::string_view name) {
  std::string quoted = "`";
  for (const char character : name) {
    if (character == '`') quoted += '`';
    quoted += character;
  }
  return quoted += '`';
}

std::string QuoteText(std::string_view text) {
  std::string quoted = "'";
  for (const char character : text) {
    switch (character) {
      case '\0':
        quoted += "\\0";
        break;
      case '\'':
        quoted += "\\'";
        break;
      case '\\':
        quoted += "\\\\";
        break;
      default:
        quoted += character;
    }
  }
  return quoted += '\'';
}

}  // namespace hakobu
