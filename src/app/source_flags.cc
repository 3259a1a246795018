#include "app/source_flags.h"

#include <CLI/CLI.hpp>
#include <cstdlib>

#include "config/config.h"

namespace hakobu {

void AddSourceFlags(CLI::App* command, SourceFlags* flags) {
  command->add_option("--host", flags->host, "The MySQL server")->capture_default_str()->type_name("HOST");
  command->add_option("--port", flags->port, "Its port")
      ->capture_default_str()
      ->check(CLI::Range(1, 65535))
      ->type_name("PORT");
  command->add_option("--socket", flags->socket, "Its socket, in place of host and port")->type_name("FILE");
  command->add_option("--user", flags->user, "The account")->type_name("NAME");
  command->add_option("--password-env", flags->password_env, "Environment variable with the password")
      ->capture_default_str()
      ->type_name("NAME");
  command->add_option("--tls", flags->tls, "off, require, verify_ca or verify_identity")
      ->check(CLI::IsMember({"off", "require", "verify_ca", "verify_identity"}))
      ->type_name("MODE");
  command->add_option("--ca", flags->ca, "Trusted authorities (RDS: global-bundle.pem)")->type_name("FILE");
}

TlsMode TlsModeOf(const SourceFlags& flags) {
  if (flags.tls == "off") return TlsMode::kOff;
  if (flags.tls == "require") return TlsMode::kRequire;
  if (flags.tls == "verify_ca") return TlsMode::kVerifyCa;
  if (flags.tls == "verify_identity") return TlsMode::kVerifyIdentity;
  const bool here = !flags.socket.empty() || flags.host == "127.0.0.1" || flags.host == "localhost";
  return here ? TlsMode::kOff : TlsMode::kVerifyIdentity;
}

ConnectOptions SourceFlagsToOptions(const SourceFlags& flags) {
  ConnectOptions connect;
  connect.host = flags.host;
  connect.port = static_cast<uint16_t>(flags.port);
  connect.socket = flags.socket;
  connect.user = flags.user;
  if (const char* password = std::getenv(flags.password_env.c_str())) connect.password = password;
  connect.tls.mode = TlsModeOf(flags);
  connect.tls.ca_file = flags.ca.empty() ? SystemAuthorities() : flags.ca;
  return connect;
}

}  // namespace hakobu
