// Prints the token a credential file yields, so that tests in another language can judge how it was asked
// for:
//   token_probe [--file PATH] [--container-endpoint URL] [--impersonate EMAIL] [--iam-endpoint URL]
//     [--times N]
// One JSON line: {"token":…,"quotaProject":…,"describe":…}; or the error on standard error and exit code 1.
#include <fmt/format.h>

#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>

#include "destination/credentials.h"

int main(int argc, char** argv) {
  hakobu::CredentialsOptions options;
  int times = 1;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (std::strcmp(argv[i], "--file") == 0) options.file = argv[i + 1];
    if (std::strcmp(argv[i], "--container-endpoint") == 0) options.container_endpoint = argv[i + 1];
    if (std::strcmp(argv[i], "--impersonate") == 0) options.impersonate = argv[i + 1];
    if (std::strcmp(argv[i], "--iam-endpoint") == 0) options.iam_endpoint = argv[i + 1];
    if (std::strcmp(argv[i], "--times") == 0) times = std::atoi(argv[i + 1]);
  }
  auto credentials = hakobu::OpenCredentials(options);
  if (!credentials.ok()) {
    fmt::print(stderr, "{}\n", credentials.status().ToString());
    return 1;
  }
  absl::StatusOr<std::string> token;
  for (int i = 0; i < times; ++i) token = (*credentials)->Token();
  if (!token.ok()) {
    fmt::print(stderr, "{}\n", token.status().ToString());
    return 1;
  }
  fmt::print("{}\n", nlohmann::json{{"token", *token},
                                    {"quotaProject", (*credentials)->QuotaProject()},
                                    {"describe", (*credentials)->Describe()}}
                         .dump());
}
