#include "source/connection.h"

#include <fmt/format.h>
#include <mysql.h>
#include <sys/socket.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <mutex>

#include "base/hidden_text.h"
#include "source/error.h"
#include "source/session.h"
#include "source/wire_auth.h"
#include "source/wire_socket.h"
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

// A statement for a message: its conditions stay out, which may hold keys and a filter's secrets.
std::string_view Shown(std::string_view sql) {
  constexpr size_t kMost = 100;
  return sql.substr(0, std::min(sql.find(" WHERE "), kMost));
}

// LOAD DATA LOCAL INFILE: a server may ask for a file of this machine in answer to any statement.
int RefuseFile(void** context, const char* /*name*/, void* /*unused*/) {
  *context = nullptr;
  return 1;
}
int ReadNothing(void* /*context*/, char* /*room*/, unsigned int /*size*/) {
  return -1;
}
void EndNothing(void* /*context*/) {}
int SayRefused(void* /*context*/, char* text, unsigned int size) {
  fmt::format_to_n(text, size, "the server asked for a file of this machine; it was refused{}", '\0');
  return 2068;  // CR_LOAD_DATA_LOCAL_INFILE_REJECTED
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
  on_cancel_.reset();
  socket_ = -1;
  if (mysql_ != nullptr) mysql_close(mysql_);
}

std::string PasswordSource::Current() const {
  absl::MutexLock lock(&mutex_);
  return known_;
}

absl::StatusOr<std::optional<std::string>> PasswordSource::After(const std::string& refused) {
  if (std::string known = Current(); known != refused) return std::optional<std::string>(std::move(known));
  HAKOBU_ASSIGN_OR_RETURN(std::string fetched, fetch_());
  if (fetched == refused) return std::optional<std::string>();
  absl::MutexLock lock(&mutex_);
  known_ = fetched;
  return std::optional<std::string>(std::move(fetched));
}

absl::StatusOr<std::unique_ptr<Connection>> Connection::Open(const ConnectOptions& options) {
  HAKOBU_RETURN_IF_ERROR(CheckOptions(options));
  if (options.outages == nullptr) return OpenByPassword(options);
  const std::string work =
      fmt::format("connect to {}",
                  options.socket.empty() ? fmt::format("{}:{}", options.host, options.port) : options.socket);
  auto opened = OpenByPassword(options);
  if (opened.ok()) {
    options.outages->OnSuccess(work);
  } else if (!absl::IsCancelled(opened.status())) {
    options.outages->OnFailure(work, opened.status());
  }
  return opened;
}

absl::StatusOr<std::unique_ptr<Connection>> Connection::OpenByPassword(const ConnectOptions& options) {
  if (options.password_source == nullptr) return OpenWith(options, options.password);
  const std::string password = options.password_source->Current();
  auto opened = OpenWith(options, password);
  if (!absl::IsUnauthenticated(opened.status())) return opened;
  auto renewed = options.password_source->After(password);
  if (!renewed.ok()) {
    return Annotate(opened.status(), fmt::format("refused, and the password cannot be read again ({})",
                                                 View(renewed.status().message())));
  }
  return renewed->has_value() ? OpenWith(options, **renewed) : std::move(opened);
}

absl::StatusOr<std::unique_ptr<Connection>> Connection::OpenWith(const ConnectOptions& options,
                                                                 const std::string& password) {
  std::unique_ptr<Connection> connection(new Connection(options));
  HAKOBU_RETURN_IF_ERROR(connection->Connect(options, password));
  HAKOBU_RETURN_IF_ERROR(PinSession(connection.get(), options));
  return connection;
}

absl::Status Connection::Connect(const ConnectOptions& options, const std::string& password) {
  static std::once_flag once;
  std::call_once(once, [] { mysql_server_init(0, nullptr, nullptr); });
  mysql_ = mysql_init(nullptr);
  if (mysql_ == nullptr) return absl::ResourceExhaustedError("no memory for a connection");
  HAKOBU_RETURN_IF_ERROR(UseWireSockets(mysql_));
  HAKOBU_RETURN_IF_ERROR(OfferAuthentication(mysql_));
  if (options.compression == WireCompression::kZstd) HAKOBU_RETURN_IF_ERROR(OfferWireZstd());
  SetOptions(options);
  HAKOBU_RETURN_IF_ERROR(LogIn(options, password));
  socket_ = static_cast<int>(mysql_get_socket(mysql_));
  if (options.cancel != nullptr) on_cancel_.emplace(options.cancel->token(), [this] { Interrupt(); });

  version_ = mysql_get_server_info(mysql_);
  flavor_ = version_.find("MariaDB") != std::string::npos ? ServerFlavor::kMariaDb : ServerFlavor::kMySql;
  version_number_ = VersionNumber(version_);
  if ((mysql_->client_flag & CLIENT_COMPRESS) != 0) compression_ = WireCompression::kZlib;
  if ((mysql_->client_flag & CLIENT_ZSTD_COMPRESSION) != 0) compression_ = WireCompression::kZstd;
  return absl::OkStatus();
}

void Connection::SetOptions(const ConnectOptions& options) {
  const unsigned int connect_seconds = Seconds(options.connect_timeout);
  const unsigned int read_seconds = Seconds(options.read_timeout);
  const unsigned int protocol = options.socket.empty() ? MYSQL_PROTOCOL_TCP : MYSQL_PROTOCOL_SOCKET;
  const unsigned int no_files = 0;
  const my_bool no = 0;
  mysql_optionsv(mysql_, MYSQL_OPT_CONNECT_TIMEOUT, &connect_seconds);
  mysql_optionsv(mysql_, MYSQL_OPT_READ_TIMEOUT, &read_seconds);
  mysql_optionsv(mysql_, MYSQL_OPT_WRITE_TIMEOUT, &read_seconds);
  mysql_optionsv(mysql_, MYSQL_OPT_PROTOCOL, &protocol);
  mysql_optionsv(mysql_, MYSQL_OPT_RECONNECT, &no);
  mysql_optionsv(mysql_, MYSQL_OPT_LOCAL_INFILE, &no_files);
  mysql_set_local_infile_handler(mysql_, RefuseFile, ReadNothing, EndNothing, SayRefused, nullptr);
  mysql_optionsv(mysql_, MYSQL_OPT_MAX_ALLOWED_PACKET, &kMaxPacketBytes);
  mysql_optionsv(mysql_, MYSQL_SET_CHARSET_NAME, "utf8mb4");
  mysql_optionsv(mysql_, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", "hakobu");
  const std::string methods = AuthenticationMethods(options.tls.mode, !options.socket.empty());
  mysql_optionsv(mysql_, MARIADB_OPT_RESTRICTED_AUTH, methods.c_str());
  if (options.compression != WireCompression::kNone) mysql_optionsv(mysql_, MYSQL_OPT_COMPRESS, nullptr);
  SetTls(mysql_, options.tls);
}

absl::Status Connection::LogIn(const ConnectOptions& options, const std::string& password) {
  const std::string phrase = fmt::format("connect to {} as {}", where_, user_);
  if (options.cancel != nullptr) HAKOBU_RETURN_IF_ERROR(Annotate(options.cancel->Check(), phrase));
  // Over a Unix socket the library uses no TLS: the line ends in this machine's kernel.
  WireOpening opening({.where = where_,
                       .tls = options.socket.empty() ? options.tls.mode : TlsMode::kOff,
                       .patience = options.connect_timeout,
                       .cancel = options.cancel,
                       .outages = options.outages});
  const bool tcp = options.socket.empty();
  const LastAnswer answer;
  const MYSQL* connected =
      mysql_real_connect(mysql_, tcp ? options.host.c_str() : nullptr, options.user.c_str(), password.c_str(),
                         options.database.empty() ? nullptr : options.database.c_str(), options.port,
                         tcp ? nullptr : options.socket.c_str(), 0);
  if (connected != nullptr && opening.failure().ok()) {
    const bool encrypted = !tls_cipher().empty();
    if (encrypted) WireOpening::LetWait(static_cast<int>(mysql_get_socket(mysql_)));
    if (options.tls.mode == TlsMode::kOff || encrypted) return absl::OkStatus();
    return WithHint(absl::UnauthenticatedError(fmt::format("{}: the line is not encrypted", phrase)),
                    tcp ? "turn TLS on at the server" : "over a socket there is no TLS: set tls.mode to off");
  }
  if (!opening.failure().ok()) return Annotate(opening.failure(), phrase);
  const absl::Status refused =
      ExplainRefusedMethod(mysql_error(mysql_), answer.AskedMethod(), options.tls.mode);
  return refused.ok() ? LastError(phrase) : Annotate(refused, phrase);
}

absl::Status Connection::Send(std::string_view sql) {
  if (mysql_real_query(mysql_, sql.data(), sql.size()) != 0) return LastError(fmt::format("ask {}", where_));
  return absl::OkStatus();
}

absl::Status Connection::Execute(std::string_view sql) {
  HAKOBU_RETURN_IF_ERROR(Send(sql));
  if (MYSQL_RES* unwanted = mysql_store_result(mysql_)) mysql_free_result(unwanted);
  return mysql_errno(mysql_) == 0 ? absl::OkStatus() : LastError(fmt::format("ask {}", where_));
}

absl::StatusOr<QueryResult> Connection::Query(std::string_view sql, size_t columns) {
  HAKOBU_RETURN_IF_ERROR(Send(sql));
  const std::unique_ptr<MYSQL_RES, decltype(&mysql_free_result)> stored(mysql_store_result(mysql_),
                                                                        mysql_free_result);
  if (stored == nullptr && mysql_errno(mysql_) != 0) return LastError(fmt::format("ask {}", where_));
  const size_t found = stored == nullptr ? 0 : mysql_num_fields(stored.get());
  if (found < columns) {
    return WithHint(
        absl::DataLossError(fmt::format("ask {}: expected an answer of {} columns, found {}, to {}", where_,
                                        columns, found, Shown(sql))),
        "is this the server itself, or a proxy that answers for it?");
  }
  QueryResult result;
  for (unsigned int i = 0; i < found; ++i) {
    const char* name = mysql_fetch_field_direct(stored.get(), i)->name;
    result.names.emplace_back(name == nullptr ? "" : name);
  }
  while (const MYSQL_ROW row = mysql_fetch_row(stored.get())) {
    const unsigned long* lengths = mysql_fetch_lengths(stored.get());
    auto& values = result.rows.emplace_back(found);
    for (size_t i = 0; i < found; ++i) {
      if (row[i] != nullptr) values[i].emplace(row[i], lengths[i]);
    }
  }
  return result;
}

absl::StatusOr<std::vector<std::optional<std::string>>> Connection::QueryRow(std::string_view sql,
                                                                             size_t columns) {
  HAKOBU_ASSIGN_OR_RETURN(QueryResult result, Query(sql, columns));
  if (result.rows.size() != 1) {
    return absl::DataLossError(
        fmt::format("ask {}: expected one row, found {}, to {}", where_, result.rows.size(), Shown(sql)));
  }
  return std::move(result.rows[0]);
}

absl::StatusOr<std::string> Connection::QueryValue(std::string_view sql) {
  HAKOBU_ASSIGN_OR_RETURN(QueryResult result, Query(sql));
  if (result.rows.empty() || !result.rows[0][0]) {
    return absl::NotFoundError(fmt::format("ask {}: no value for {}", where_, Shown(sql)));
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
  return Annotate(ServerError(number, WithoutHidden(text)), phrase);
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
