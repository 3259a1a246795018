#include "config/validate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <set>

#include "absl/strings/str_split.h"
#include "base/address.h"
#include "base/glob.h"
#include "config/budget_section.h"
#include "config/notify_section.h"
#include "config/tenants/resolve.h"
#include "config/tenants/validate.h"
#include "row/name_fold.h"

namespace hakobu {

bool IsProjectName(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::islower(c) != 0 || std::isdigit(c) != 0 || c == '-' || c == '.' || c == ':';
  });
}

bool IsDatasetName(std::string_view text) {
  return text.size() <= 1024 && std::all_of(text.begin(), text.end(),
                                            [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; });
}

// projects/P/locations/L/keyRings/R/cryptoKeys/K
bool IsKmsKeyName(std::string_view text) {
  const std::vector<std::string> parts = absl::StrSplit(absl::string_view(text.data(), text.size()), '/');
  return parts.size() == 8 && parts[0] == "projects" && parts[2] == "locations" && parts[4] == "keyRings" &&
         parts[6] == "cryptoKeys" &&
         std::none_of(parts.begin(), parts.end(), [](const std::string& part) { return part.empty(); });
}

namespace {

void CheckSource(const SourceConfig& source, ConfigProblems* problems) {
  if (!source.socket.empty()) {
    for (const char* key : {"source.host", "source.port"}) {
      if (problems->Has(key)) problems->Add(key, "either `socket` or host and port", "both");
    }
  }
  const TlsConfig& tls = source.tls;
  if (tls.certificate.empty() != tls.key.empty()) {
    problems->Add("source.tls", "`cert` and `key` together", tls.key.empty() ? "cert alone" : "key alone");
  }
  const bool verifies = tls.mode == TlsMode::kVerifyCa || tls.mode == TlsMode::kVerifyIdentity;
  if (!tls.ca.empty() && !verifies) {
    problems->Add("source.tls.ca", "it with mode: verify_ca or verify_identity",
                  "a mode that does not look at it", "the certificate would be taken unchecked");
  }
  if (source.auth == SourceAuth::kRdsIam) {
    if (tls.mode != TlsMode::kVerifyIdentity || !source.socket.empty()) {
      problems->Add("source.auth", "rds_iam with tls.mode: verify_identity", "another mode, or a socket",
                    "the token would be shown to whoever answers");
    }
    if (problems->Has("source.password")) {
      problems->Add("source.password", "either it or auth: rds_iam", "both");
    }
  } else if (problems->Has("source.region")) {
    problems->Add("source.region", "it with auth: rds_iam", "another");
  }
  if (tls.mode == TlsMode::kOff && !tls.certificate.empty()) {
    problems->Add("source.tls.cert", "it with another mode than off", "mode: off");
  }
}

void CheckNames(const Config& config, ConfigProblems* problems) {
  if (config.tenants.has_value()) return;  // each tenant's own are looked at, with the names put in
  const DestinationConfig& destination = config.destination;
  const std::map<std::string, std::string> projects = {
      {"destination.project", destination.project},
      {"destination.quota_project", destination.quota_project},
      {"destination.billing_project", destination.billing_project}};
  for (const auto& [key, name] : projects) {
    if (problems->Has(key) && !IsProjectName(name)) {
      problems->Add(key, "a project id of lower-case letters, digits and -", fmt::format("\"{}\"", name));
    }
  }
  const std::map<std::string, std::string> datasets = {
      {"destination.dataset", destination.dataset},
      {"destination.staging_dataset", destination.staging_dataset}};
  for (const auto& [key, name] : datasets) {
    if (problems->Has(key) && !IsDatasetName(name)) {
      problems->Add(key, "a dataset name of letters, digits and _", fmt::format("\"{}\"", name),
                    name.find('.') == std::string::npos ? "" : "the project is set in destination.project");
    }
  }
}

void CheckEndpoint(const DestinationConfig& destination, ConfigProblems* problems) {
  const bool addresses = !destination.rest_address.empty() || !destination.grpc_address.empty();
  if (destination.rest_address.empty() != destination.grpc_address.empty()) {
    problems->Add(destination.rest_address.empty() ? "destination.grpc_address" : "destination.rest_address",
                  "rest_address and grpc_address together", "it alone");
  }
  if (addresses && destination.endpoint == EndpointKind::kLocal) {
    problems->Add("destination.endpoint", "either endpoint: local or the addresses of one that runs", "both");
  }
  if (!destination.rest_address.empty() &&
      !CheckAddress(destination.rest_address, "", PlainHttp::kLoopback).ok()) {
    problems->Add("destination.rest_address", "https://HOST[:PORT], or http://HOST:PORT of this machine",
                  OriginOf(destination.rest_address));
  }
  if (!destination.grpc_address.empty() && !CheckGrpcAddress(destination.grpc_address, "").ok()) {
    problems->Add("destination.grpc_address", "https://HOST[:PORT], or HOST:PORT of this machine",
                  "another address", "without TLS rows and tokens would be in the clear");
  }
  if (!destination.proxy.empty() && !destination.proxy.starts_with("http://")) {
    problems->Add("destination.proxy", "http://HOST:PORT", "another address");
  }
  if (problems->Has("destination.kms_key") && destination.kms_key.find("{tenant}") == std::string::npos &&
      !IsKmsKeyName(destination.kms_key)) {
    problems->Add("destination.kms_key", "projects/P/locations/L/keyRings/R/cryptoKeys/K",
                  fmt::format("\"{}\"", destination.kms_key));
  }
  if (problems->Has("destination.data") && destination.endpoint != EndpointKind::kLocal) {
    problems->Add("destination.data", "it with endpoint: local only", "another endpoint");
  }
}

void CheckCredentials(const DestinationConfig& destination, ConfigProblems* problems) {
  const CredentialConfig& credentials = destination.credentials;
  const bool file = credentials.type == CredentialKind::kFile;
  if (file && credentials.file.empty() && !problems->Has("destination.credentials.file")) {
    problems->Add("destination.credentials.type", "`file` with type: file", "none");
  }
  if (!file && !credentials.file.empty()) {
    problems->Add("destination.credentials.file", "it with type: file only", "another type");
  }
  if (destination.endpoint == EndpointKind::kLocal && file) {
    problems->Add("destination.credentials.type", "no credentials with endpoint: local, which asks for none",
                  "type: file",
                  "start `hakobu bigquery --auth` and set rest_address and grpc_address where callers count");
  }
  if (!credentials.impersonate.empty() && credentials.impersonate.find('@') == std::string::npos) {
    problems->Add("destination.credentials.impersonate", "an e-mail address of a service account",
                  fmt::format("\"{}\"", credentials.impersonate));
  }
}

// Of the tables that are named exactly; what globs find is compared once the source is read.
void CheckTargets(const Config& config, ConfigProblems* problems) {
  std::map<std::string, std::string> owners;  // of a table in BigQuery: "which line 12 delivers to"
  std::set<std::string> seen;
  if (!config.stream.ddl_history.empty())
    owners.emplace(LowerName(config.stream.ddl_history), "which stream.ddl_history names");
  for (size_t i = 0; i < config.tables.size(); ++i) {
    const TableRule& rule = config.tables[i];
    const size_t dot = rule.pattern.find('.');
    if (dot == std::string::npos || IsGlob(rule.pattern) || !seen.insert(rule.pattern).second) continue;
    for (const std::string& target :
         TargetNames(rule.options, rule.pattern.substr(0, dot), rule.pattern.substr(dot + 1))) {
      // A tenant has shared tables or a database of its own, never both.
      const std::string_view side = IsOwn(rule) ? kTenantDatabase : std::string_view();
      const auto [other, is_new] = owners.emplace(fmt::format("{}{}", side, target),
                                                  fmt::format("which line {} delivers to", rule.line));
      if (is_new) continue;
      problems->Add(fmt::format("tables[{}].{}", i, rule.options.target.empty() ? "table" : "target"),
                    "each table of BigQuery once, whatever the case of letters",
                    fmt::format("\"{}\", {}", target, other->second), "give one of them a `target`");
    }
  }
}

void CheckDuplicates(const Config& config, ConfigProblems* problems) {
  std::map<std::string, size_t> patterns;
  for (size_t i = 0; i < config.tables.size(); ++i) {
    const TableRule& rule = config.tables[i];
    if (rule.pattern.find('.') == std::string::npos) continue;
    const auto [same, first] = patterns.emplace(rule.pattern, i);
    if (first) continue;
    problems->Add(fmt::format("tables[{}].table", i), "each table once",
                  fmt::format("\"{}\" on line {} already", rule.pattern, config.tables[same->second].line));
  }
}

}  // namespace

void ValidateConfig(const Config& config, ConfigProblems* problems) {
  CheckSource(config.source, problems);
  CheckBudget(config, problems);
  CheckNames(config, problems);
  CheckEndpoint(config.destination, problems);
  CheckCredentials(config.destination, problems);
  CheckWhere(config.defaults.where, "defaults.where", problems);
  ValidateColumns(config.defaults, "defaults", problems);
  if (problems->Has("tables") && config.tables.empty() && !problems->Has("tables[0]")) {
    problems->Add("tables", "at least one table", "an empty list");
  }
  for (size_t i = 0; i < config.tables.size(); ++i) {
    ValidateTableRule(config.tables[i], fmt::format("tables[{}]", i), problems);
  }
  CheckDuplicates(config, problems);
  CheckTargets(config, problems);
  CheckNotify(config, problems);
  ValidateTenants(config, problems);
}

}  // namespace hakobu
