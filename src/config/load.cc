#include "config/load.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/address.h"
#include "base/glob.h"
#include "base/status.h"
#include "config/condition.h"
#include "config/keys.h"
#include "config/problems.h"
#include "config/reader.h"
#include "config/substitute.h"
#include "config/tenants/csv.h"
#include "config/validate.h"

namespace hakobu {
namespace {

// Where distributions keep the authorities that they trust.
constexpr std::array<const char*, 3> kSystemAuthorities = {
    "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"};

void CompleteTls(SourceConfig* source) {
  TlsConfig& tls = source->tls;
  if (!source->socket.empty()) tls.mode = TlsMode::kOff;
  const bool verifies = tls.mode == TlsMode::kVerifyCa || tls.mode == TlsMode::kVerifyIdentity;
  if (!verifies || !tls.ca.empty()) return;
  tls.ca = SystemAuthorities();
}

// A password that is refused later may have been changed where it is kept.
void RememberPassword(const YAML::Node& root, const std::string& folder, const Environment& environment,
                      SourceConfig* source) {
  const YAML::Node password =
      root["source"] && root["source"].IsMap() ? root["source"]["password"] : YAML::Node();
  if (!password || !password.IsScalar() || !HasSubstitutions(password.Scalar())) return;
  source->password_again = [text = password.Scalar(), folder, environment] {
    return Substitute(text, folder, environment);
  };
}

// What stands for something else when it is not given.
void Complete(const ConfigProblems& problems, Config* config) {
  DestinationConfig& destination = config->destination;
  // With tenants, what stands for these is each tenant's own (DestinationOf).
  if (!config->tenants.has_value()) {
    if (destination.billing_project.empty()) destination.billing_project = destination.project;
    if (destination.staging_dataset.empty()) destination.staging_dataset = destination.dataset;
  }
  for (size_t i = 0; i < config->tables.size(); ++i) {
    TableRule& rule = config->tables[i];
    const std::string path = fmt::format("tables[{}].", i);
    rule.line = problems.PlaceOf(fmt::format("tables[{}]", i)).line;
    for (auto key = problems.keys().lower_bound(path);
         key != problems.keys().end() && key->first.starts_with(path); ++key) {
      rule.given.insert(key->first.substr(path.size()));
    }
    if (IsGlob(rule.pattern)) continue;
    for (ColumnRule& column : rule.options.columns)
      column.must_exist = !column.inherited && !IsGlob(column.pattern);
  }
}

// The file's list, then the CSV's.
void CompleteTenants(const std::filesystem::path& folder, ConfigProblems* problems, Config* config) {
  if (!config->tenants.has_value()) return;
  TenantsConfig& tenants = *config->tenants;
  for (size_t i = 0; i < tenants.list.size(); ++i) {
    TenantConfig& tenant = tenants.list[i];
    tenant.path = fmt::format("tenants.list[{}]", i);
    tenant.place = problems->PlaceOf(tenant.path);
  }
  if (!tenants.csv.empty()) {
    const std::string name = (folder / tenants.csv).string();
    std::ifstream file(name, std::ios::binary);
    std::ostringstream text;
    if (file.is_open() && file.peek() != std::ifstream::traits_type::eof()) text << file.rdbuf();
    if (file.is_open() && !text.fail()) {
      ReadTenantsCsv(text.str(), name, &tenants, problems);
    } else {
      problems->Add("tenants.csv", "a file that can be read", fmt::format("none at \"{}\"", tenants.csv),
                    "its place is relative to the configuration");
    }
  }
  for (TenantConfig& tenant : tenants.list) {
    if (tenant.values.empty() && !tenant.value.empty()) tenant.values = {tenant.value};
  }
}

std::string_view WithoutByteOrderMark(std::string_view text) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  return text;
}

// The configuration as far as it can be read; what is wrong with it goes to `found`.
Config ReadAll(std::string_view text, const std::string& path, const Environment& environment,
               SecretUse secrets, ConfigProblems* found) {
  text = WithoutByteOrderMark(text);
  ConfigProblems& problems = *found;
  Config config;
  config.path = path;
  YAML::Node root;
  try {
    root = YAML::Load(std::string(text));
  } catch (const YAML::Exception& error) {
    // `columns: {*mail: …}`: to YAML a `*` is a reference to an anchor.
    const bool anchor =
        error.msg.find("anchor") != std::string::npos || error.msg.find("alias") != std::string::npos;
    problems.Add(Place{error.mark.line + 1, error.mark.column + 1, ""}, "", "YAML", error.msg,
                 anchor ? "a pattern that begins with * is written in quotes: \"*mail*\"" : "");
    return config;
  }
  if (!root.IsMap()) {
    problems.Add(Place{1, 1, ""}, "", "a mapping with source, destination and tables",
                 root.IsNull() ? "nothing" : "something else", "`hakobu init` writes one");
    return config;
  }
  SectionReader reader(text, std::filesystem::path(path).parent_path().string(), environment, secrets,
                       &problems);
  reader.Read(RootSection(), root, "", &config);
  if (secrets == SecretUse::kRead) {
    RememberPassword(root, std::filesystem::path(path).parent_path().string(), environment, &config.source);
  }
  CompleteTenants(std::filesystem::path(path).parent_path(), &problems, &config);
  Complete(problems, &config);
  ValidateConfig(config, &problems);
  CompleteTls(&config.source);
  // From here on a table's filter is one condition. That of `defaults` is first: it can only be narrowed.
  for (TableRule& rule : config.tables) {
    rule.options.where = BothConditions(rule.options.inherited_where, rule.options.where);
    rule.options.inherited_where.clear();
  }
  config.written = std::make_shared<const WrittenKeys>(problems.keys());
  return config;
}

// InvalidArgument when there is none.
absl::StatusOr<std::string> ReadConfigFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf())) {
    return absl::InvalidArgumentError(fmt::format(
        "{}: expected a configuration, found no readable file; hint: `hakobu init` writes one, --config "
        "names another",
        path));
  }
  return text.str();
}

}  // namespace

bool DestinationConfig::local() const {
  if (endpoint == EndpointKind::kLocal) return true;
  const absl::StatusOr<Address> address = ParseAddress(rest_address);
  return address.ok() && IsLoopback(address->host);
}

std::string SystemAuthorities() {
  const auto* found = std::find_if(kSystemAuthorities.begin(), kSystemAuthorities.end(),
                                   [](const char* path) { return std::filesystem::exists(path); });
  return found == kSystemAuthorities.end() ? "" : *found;
}

Environment ProcessEnvironment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  };
}

absl::StatusOr<Config> ParseConfig(std::string_view text, const std::string& path,
                                   const Environment& environment, SecretUse secrets) {
  ConfigProblems problems;
  Config config = ReadAll(text, path, environment, secrets, &problems);
  HAKOBU_RETURN_IF_ERROR(problems.ToStatus(path));
  return config;
}

absl::StatusOr<Config> LoadConfig(const std::string& path, const Environment& environment, SecretUse secrets,
                                  TenantUse tenants) {
  HAKOBU_ASSIGN_OR_RETURN(const std::string text, ReadConfigFile(path));
  HAKOBU_ASSIGN_OR_RETURN(Config config, ParseConfig(text, path, environment, secrets));
  if (!config.tenants.has_value() || tenants == TenantUse::kServed) return config;
  const auto column = config.written->find("tenants.column");
  return absl::InvalidArgumentError(fmt::format(
      "{}:{}: tenants: expected a command that knows tenants (run, status, config, tenant), found another; "
      "hint: docs/tenants.md has what each does",
      path, column == config.written->end() ? 1 : column->second.place.line));
}

std::optional<Config> LoadWhatTells(const std::string& path, const Environment& environment) {
  const absl::StatusOr<std::string> text = ReadConfigFile(path);
  if (!text.ok()) return std::nullopt;
  ConfigProblems problems;
  Config config = ReadAll(*text, path, environment, SecretUse::kRead, &problems);
  for (const std::string_view key : {"", "ledger", "log", "notify", "metrics"}) {
    if (problems.Concerns(key)) return std::nullopt;
  }
  return config;
}

}  // namespace hakobu
