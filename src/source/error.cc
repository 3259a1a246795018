#include "source/error.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/escape.h"
#include "base/status.h"

namespace hakobu {
namespace {

using absl::StatusCode;

struct KnownError {
  uint32_t number;
  StatusCode code;
  std::string_view hint;
};

// Numbers and names: "Server Error Message Reference" and "Client Error Message Reference" of MySQL's manual;
// MariaDB's own from 1900 on.
constexpr std::string_view kLost =
    "the server went away or cut the connection: if it recurs, raise net_write_timeout on the source or make "
    "chunks smaller";
constexpr std::string_view kUnreachable = "check host, port, security group and that the server runs";
constexpr std::string_view kTls =
    "check tls.ca (for RDS the region's bundle), that the server offers TLS, and that its certificate names "
    "this host";
constexpr KnownError kKnown[] = {
    {1037, StatusCode::kResourceExhausted, ""},  // ER_OUTOFMEMORY
    {1040, StatusCode::kUnavailable, "the server has no free connection: use fewer connections"},
    {1041, StatusCode::kResourceExhausted, ""},      // ER_OUT_OF_RESOURCES
    {1042, StatusCode::kUnavailable, kUnreachable},  // ER_BAD_HOST_ERROR
    {1043, StatusCode::kUnavailable, kLost},         // ER_HANDSHAKE_ERROR
    {1044, StatusCode::kPermissionDenied, "grant the user SELECT on this database"},
    {1045, StatusCode::kUnauthenticated,
     "check user and password, and that the user may come from this host"},
    {1049, StatusCode::kNotFound, "check the source's database name"},  // ER_BAD_DB_ERROR
    {1053, StatusCode::kUnavailable, kLost},                            // ER_SERVER_SHUTDOWN
    {1054, StatusCode::kFailedPrecondition, "a column is gone: the table was altered meanwhile, run again"},
    {1129, StatusCode::kUnavailable, "the server blocks this host after many errors: FLUSH HOSTS there"},
    {1130, StatusCode::kPermissionDenied, "create the user for this host: CREATE USER 'name'@'host'"},
    {1142, StatusCode::kPermissionDenied, "grant the user SELECT on this table"},
    {1143, StatusCode::kPermissionDenied, "grant the user SELECT on this column"},
    {1146, StatusCode::kNotFound, "the table does not exist (any more)"},       // ER_NO_SUCH_TABLE
    {1153, StatusCode::kOutOfRange, "raise max_allowed_packet on the source"},  // ER_NET_PACKET_TOO_LARGE
    {1158, StatusCode::kUnavailable, kLost},                                    // ER_NET_READ_ERROR
    {1159, StatusCode::kUnavailable, kLost},                                    // ER_NET_READ_INTERRUPTED
    {1160, StatusCode::kUnavailable, kLost},                                    // ER_NET_ERROR_ON_WRITE
    {1161, StatusCode::kUnavailable, kLost},                                    // ER_NET_WRITE_INTERRUPTED
    {1203, StatusCode::kUnavailable, "the user has too many connections: use fewer"},
    {1205, StatusCode::kUnavailable, ""},  // ER_LOCK_WAIT_TIMEOUT
    {1213, StatusCode::kUnavailable, ""},  // ER_LOCK_DEADLOCK
    {1226, StatusCode::kResourceExhausted, "the user's limit per hour is used up: raise it on the source"},
    {1227, StatusCode::kPermissionDenied, ""},  // ER_SPECIFIC_ACCESS_DENIED
    {1317, StatusCode::kUnavailable, "somebody killed the statement on the source"},
    {1412, StatusCode::kUnavailable, "the table was altered meanwhile"},  // ER_TABLE_DEF_CHANGED
    {1615, StatusCode::kUnavailable, ""},                                 // ER_NEED_REPREPARE
    {1698, StatusCode::kUnauthenticated, "this user may not log in with a password"},
    {1820, StatusCode::kUnauthenticated, "the password has expired: set a new one"},
    {1862, StatusCode::kUnauthenticated, "the password has expired: set a new one"},
    {1927, StatusCode::kUnavailable, kLost},  // MariaDB ER_CONNECTION_KILLED
    {1969, StatusCode::kDeadlineExceeded, "raise the statement time-out or make chunks smaller"},
    {3024, StatusCode::kDeadlineExceeded, "raise the statement time-out or make chunks smaller"},
    {3118, StatusCode::kUnauthenticated, "the account is locked on the source"},
    {3159, StatusCode::kUnauthenticated, "the server insists on TLS: set tls.mode to require or stricter"},
    {3169, StatusCode::kUnavailable, kLost},  // ER_SESSION_WAS_KILLED
    {3955, StatusCode::kUnauthenticated, "the account is locked on the source"},
    {4031, StatusCode::kUnavailable, kLost},  // ER_CLIENT_INTERACTION_TIMEOUT
    {4151, StatusCode::kUnauthenticated, "the account is locked on the source"},
    {2002, StatusCode::kUnavailable, kUnreachable},  // CR_CONNECTION_ERROR
    {2003, StatusCode::kUnavailable, kUnreachable},  // CR_CONN_HOST_ERROR
    {2005, StatusCode::kUnavailable, "check the host's name and this machine's DNS"},
    {2006, StatusCode::kUnavailable, kLost},                        // CR_SERVER_GONE_ERROR
    {2008, StatusCode::kResourceExhausted, ""},                     // CR_OUT_OF_MEMORY
    {2012, StatusCode::kUnavailable, kLost},                        // CR_SERVER_HANDSHAKE_ERR
    {2013, StatusCode::kUnavailable, kLost},                        // CR_SERVER_LOST
    {2020, StatusCode::kOutOfRange, "a row is larger than 1 GiB"},  // CR_NET_PACKET_TOO_LARGE
    {2026, StatusCode::kUnauthenticated, kTls},                     // CR_SSL_CONNECTION_ERROR
    {2055, StatusCode::kUnavailable, kLost},                        // CR_SERVER_LOST_EXTENDED
    {2059, StatusCode::kUnauthenticated,
     "the account's authentication method is not one of those that hakobu speaks; nothing was sent"},
    {2061, StatusCode::kUnauthenticated, "over an unencrypted connection: use TLS"},  // CR_AUTH_PLUGIN_ERR
};

}  // namespace

absl::Status ServerError(uint32_t number, std::string_view text) {
  const auto message = fmt::format("{} ({})", text.empty() ? "unknown error" : EscapeControl(text), number);
  const auto* known = std::find_if(std::begin(kKnown), std::end(kKnown),
                                   [number](const KnownError& error) { return error.number == number; });
  if (known == std::end(kKnown)) {
    const bool client = number >= 2000 && number < 3000;
    return absl::Status(client ? StatusCode::kInternal : StatusCode::kInvalidArgument, message);
  }
  const absl::Status status(known->code, message);
  return known->hint.empty() ? status : WithHint(status, known->hint);
}

}  // namespace hakobu
