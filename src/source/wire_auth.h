// How a login proves who we are: which of the server's methods are used at all, and what of the password
// leaves.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "base/transport.h"

struct st_mysql;  // MYSQL of libmariadb

namespace hakobu {

// For a connection: the methods' names for the library, which refuses all others.
//   mysql_native_password, client_ed25519   always: they answer a challenge, the password stays here
//   caching_sha2_password, sha256_password  always; but the password itself, which the server may ask for, is
//                                           sent over TLS or a Unix socket only, and under the key that the
//                                           server sends with it to a loopback address only
//   mysql_clear_password                    over a Unix socket or with tls.mode verify_identity: what RDS's
//                                           IAM tokens and PAM need
// Never: mysql_old_password (its answers give the password away), dialog, and what a library would have to be
// loaded for by a name that the server chose.
std::string AuthenticationMethods(TlsMode tls, bool unix_socket);

// Once: gives the library the methods above that it has not, or not so.
absl::Status OfferAuthentication(st_mysql* mysql);

// What this thread's login has read last: the library has often forgotten the method's name by the time it
// complains, but the server's last packet has it. One at a time in a thread.
class LastAnswer {
 public:
  LastAnswer();
  ~LastAnswer();
  LastAnswer(const LastAnswer&) = delete;
  LastAnswer& operator=(const LastAnswer&) = delete;
  // The method that it asks for; empty where it is no such packet, or names what no method is called.
  std::string AskedMethod() const;

 private:
  std::string bytes_;
};

// What a server that asked for another method is told about: a Status that names it (`asked`, or from the
// library's error text); OK when the text is of another kind.
absl::Status ExplainRefusedMethod(std::string_view library_text, std::string_view asked, TlsMode tls);

}  // namespace hakobu
