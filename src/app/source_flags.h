// The flags that name a MySQL server on the command line, where no configuration does.
#pragma once

#include <string>

#include "source/connection.h"

namespace CLI {
class App;
}

namespace hakobu {

struct SourceFlags {
  std::string host = "127.0.0.1";
  int port = 3306;
  std::string socket;
  std::string user;
  std::string password_env = "MYSQL_PASSWORD";
  std::string tls;  // empty: off on this machine, else verify_identity
  std::string ca;
};

void AddSourceFlags(CLI::App* command, SourceFlags* flags);

TlsMode TlsModeOf(const SourceFlags& flags);
// The password comes from the environment, never from the command line.
ConnectOptions SourceFlagsToOptions(const SourceFlags& flags);

}  // namespace hakobu
