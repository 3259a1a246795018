// hakobu.yaml -> Config, or everything that is wrong with it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "config/config.h"

namespace hakobu {

// One thing wrong, at a place of the file. line and column are 1-based; 0 where the file has no such place.
struct ConfigProblem {
  int line = 0;
  int column = 0;
  std::string key;  // "tables[2].partition.by"; empty: the file as a whole
  std::string expected;
  std::string found;  // never a secret
  std::string hint;   // may be empty
  std::string file;   // where it is not the configuration itself
};

// Where the environment's variables come from: `getenv`, or a test's map. nullopt: not set.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;
Environment ProcessEnvironment();

// kUnread: for commands that reach neither side. Secrets are not fetched, and a missing one is no problem;
// what stands in the configuration for one is of no use.
enum class SecretUse { kRead, kUnread };

// kRefused: for commands that know nothing of `tenants`, and would deliver everybody's rows to one place.
enum class TenantUse { kServed, kRefused };

// `path` is used in messages, and relative ${file:…} start from its folder.
// InvalidArgument with all problems, one per line (`hakobu.yaml:12:5: tables[2].mode: expected …, found …;
// hint: …`).
absl::StatusOr<Config> ParseConfig(std::string_view text, const std::string& path,
                                   const Environment& environment = ProcessEnvironment(),
                                   SecretUse secrets = SecretUse::kRead);
// The same from a file. InvalidArgument, with a hint, when there is none.
absl::StatusOr<Config> LoadConfig(const std::string& path,
                                  const Environment& environment = ProcessEnvironment(),
                                  SecretUse secrets = SecretUse::kRead,
                                  TenantUse tenants = TenantUse::kRefused);
// What of a configuration can be used to tell somebody that the rest cannot: `ledger`, `log`, `notify` and
// `metrics`. None where these are wrong themselves.
std::optional<Config> LoadWhatTells(const std::string& path,
                                    const Environment& environment = ProcessEnvironment());

}  // namespace hakobu
