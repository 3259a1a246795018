// Looks at a source and writes a first configuration.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "app/command.h"
#include "app/source_flags.h"

namespace hakobu {

struct InitOptions : SourceFlags {
  std::string dsn;                     // mysql://user@host:port/database, in place of the flags
  std::vector<std::string> databases;  // empty: all but the server's own
  std::string project = "my-project";
  std::string dataset;   // empty: the first database's name
  std::string location;  // empty: asked for, or refused where nobody can answer
  std::string endpoint = "google";
  bool force = false;
};

// Takes the DSN's parts into the options. InvalidArgument when it is not one, or holds a password.
absl::Status TakeDsn(InitOptions* options);

// The exit code; results are on standard output.
absl::StatusOr<int> Init(const GlobalOptions& globals, InitOptions options);

}  // namespace hakobu
