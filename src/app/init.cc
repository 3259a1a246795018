#include "app/init.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "absl/time/clock.h"
#include "app/init_file.h"
#include "base/status.h"
#include "config/config.h"
#include "config/helper_tables.h"
#include "config/value.h"
#include "row/name_fold.h"
#include "source/source.h"

namespace hakobu {
namespace {

std::string_view TlsModeText(TlsMode mode) {
  switch (mode) {
    case TlsMode::kOff:
      return "off";
    case TlsMode::kRequire:
      return "require";
    case TlsMode::kVerifyCa:
      return "verify_ca";
    case TlsMode::kVerifyIdentity:
      return "verify_identity";
  }
  return "";
}

absl::StatusOr<std::vector<std::string>> Databases(const InitOptions& options, Connection* source) {
  if (!options.databases.empty()) return options.databases;
  HAKOBU_ASSIGN_OR_RETURN(const QueryResult result, source->Query("SHOW DATABASES"));
  std::vector<std::string> databases;
  for (const auto& row : result.rows) {
    if (row[0] && !IsServersDatabase(*row[0])) databases.push_back(*row[0]);
  }
  return databases;
}

absl::Status ReadIndexes(Connection* source, const std::string& database, InitFacts* facts) {
  HAKOBU_ASSIGN_OR_RETURN(
      const QueryResult result,
      source->Query(
          "SELECT TABLE_NAME, COLUMN_NAME FROM information_schema.STATISTICS WHERE SEQ_IN_INDEX = 1 AND "
          "COLUMN_NAME IS NOT NULL AND TABLE_SCHEMA = " +
              QuoteText(database),
          2));
  for (const auto& row : result.rows) {
    facts->indexed[fmt::format("{}.{}", database, row[0].value_or(""))].insert(row[1].value_or(""));
  }
  return absl::OkStatus();
}

// All tables but those that tools make beside another.
absl::Status ReadDatabase(Connection* source, const std::string& database, InitFacts* facts) {
  HAKOBU_ASSIGN_OR_RETURN(std::vector<SourceTable> tables, ReadTables(source, database));
  const TableExists exists = [&](std::string_view name, bool prefix) {
    return std::any_of(tables.begin(), tables.end(), [&](const SourceTable& table) {
      return prefix ? table.name.starts_with(name) : table.name == name;
    });
  };
  std::vector<const SourceTable*> taken;
  for (const SourceTable& table : tables) {
    const std::optional<HelperTable> helper = HelperTableOf(table.name, exists);
    if (!helper.has_value()) {
      taken.push_back(&table);
      continue;
    }
    facts->left_out.push_back(fmt::format("{}.{}, a helper table of {}{}", database, table.name, helper->tool,
                                          helper->parent.empty() ? "" : " for " + helper->parent));
  }
  for (const SourceTable* table : taken) facts->tables.push_back(*table);
  return absl::OkStatus();
}

// Where a dataset lives cannot be changed later, so it is asked for rather than guessed.
absl::Status TakeLocation(InitOptions* options) {
  if (!options->location.empty()) return absl::OkStatus();
  if (options->endpoint == "local") {
    options->location = "US";
    return absl::OkStatus();
  }
  if (isatty(STDIN_FILENO) != 0 && isatty(STDERR_FILENO) != 0) {
    fmt::print(stderr, "Where is the dataset, or shall it be made (asia-northeast1, US, EU …)? ");
    std::getline(std::cin, options->location);
  }
  if (!options->location.empty()) return absl::OkStatus();
  return WithHint(absl::InvalidArgumentError("expected --location, where the dataset lives, found none"),
                  "such as asia-northeast1, US or EU; a dataset cannot be moved later");
}

void DescribeSides(const InitOptions& options, TlsMode tls, const Connection& source, InitFacts* facts) {
  facts->server =
      fmt::format("{} ({} {})", source.where(), source.flavor() == ServerFlavor::kMySql ? "MySQL" : "MariaDB",
                  source.version());
  facts->written_on = absl::FormatTime("%Y-%m-%d", absl::Now(), absl::LocalTimeZone());
  if (options.socket.empty()) {
    facts->source["host"] = YamlScalar(options.host);
    facts->source["port"] = fmt::format("{}", options.port);
    facts->source["tls.mode"] = TlsModeText(tls);
    if (!options.ca.empty()) facts->source["tls.ca"] = YamlScalar(options.ca);
  } else {
    facts->source["socket"] = YamlScalar(options.socket);
  }
  facts->source["user"] = YamlScalar(options.user);
  if (std::getenv(options.password_env.c_str()) != nullptr) {
    facts->source["password"] = fmt::format("${{env:{}}}", options.password_env);
  }
  facts->destination["project"] = YamlScalar(options.project);
  facts->destination["location"] = YamlScalar(options.location);
  if (options.endpoint == "local") facts->destination["endpoint"] = "local";
}

std::string DatasetName(const InitOptions& options, const std::vector<std::string>& databases) {
  std::string name = !options.dataset.empty() ? options.dataset
                     : databases.empty()      ? "dataset"
                                              : databases[0];
  for (char& c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  }
  return name;
}

absl::StatusOr<InitFacts> LookAtSource(const InitOptions& options) {
  InitFacts facts;
  const TlsMode tls = TlsModeOf(options);
  absl::StatusOr<std::unique_ptr<Connection>> opened = Connection::Open(SourceFlagsToOptions(options));
  if (!opened.ok() && std::getenv(options.password_env.c_str()) == nullptr) {
    return Annotate(opened.status(),
                    fmt::format("without a password (${} is not set)", options.password_env));
  }
  HAKOBU_RETURN_IF_ERROR(opened.status());
  const std::unique_ptr<Connection> source = *std::move(opened);
  DescribeSides(options, tls, *source, &facts);
  HAKOBU_ASSIGN_OR_RETURN(const std::vector<std::string> databases, Databases(options, source.get()));
  facts.destination["dataset"] = DatasetName(options, databases);
  for (const std::string& database : databases) {
    HAKOBU_RETURN_IF_ERROR(ReadDatabase(source.get(), database, &facts));
    HAKOBU_RETURN_IF_ERROR(ReadIndexes(source.get(), database, &facts));
  }
  return facts;
}

absl::Status WriteNew(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  if (!(file << text) || !file.flush()) {
    return WithHint(absl::FailedPreconditionError(fmt::format("cannot write {}", path)),
                    "--config names another place");
  }
  return absl::OkStatus();
}

void PrintNext(const std::string& path, const InitOptions& options, const InitFacts& facts,
               const InitResult& result) {
  fmt::print("Wrote {}: {} tables, {} columns marked for masking.\n\nNext:\n", path, facts.tables.size(),
             result.personal_columns);
  if (facts.source.contains("password")) {
    fmt::print("  export {}=…    where it is not yet: the commands below read the password there\n",
               options.password_env);
  } else {
    fmt::print("  set source.password in {}, unless the account has none\n", path);
  }
  if (result.needs_salt) {
    fmt::print("  export HAKOBU_SALT=…       a long random text; keep it, masked values depend on it\n");
  }
  const std::string config = path == "hakobu.yaml" ? "" : fmt::format(" --config {}", path);
  fmt::print("  hakobu check{0}\n  hakobu plan{0}\n  hakobu run{0}\n", config);
}

}  // namespace

absl::Status TakeDsn(InitOptions* options) {
  std::string_view rest = options->dsn;
  const auto wrong = [](std::string_view found) {
    return absl::InvalidArgumentError(
        fmt::format("expected a DSN mysql://user@host:port/database, found {}", found));
  };
  if (!rest.starts_with("mysql://")) return wrong("another scheme");
  rest.remove_prefix(8);
  if (const size_t at = rest.rfind('@'); at != std::string_view::npos) {
    const std::string_view user = rest.substr(0, at);
    if (user.find(':') != std::string_view::npos) {
      return WithHint(
          wrong("a password in it"),
          "everybody on this machine could read it; put it into the environment variable MYSQL_PASSWORD");
    }
    options->user = user;
    rest.remove_prefix(at + 1);
  }
  if (const size_t slash = rest.find('/'); slash != std::string_view::npos) {
    if (slash + 1 < rest.size()) options->databases = {std::string(rest.substr(slash + 1))};
    rest = rest.substr(0, slash);
  }
  if (const size_t colon = rest.rfind(':'); colon != std::string_view::npos) {
    const std::optional<int64_t> port = ParseIntegerText(rest.substr(colon + 1));
    if (!port || *port < 1 || *port > 65535) return wrong("another port");
    options->port = static_cast<int>(*port);
    rest = rest.substr(0, colon);
  }
  if (!rest.empty()) options->host = rest;
  return absl::OkStatus();
}

absl::StatusOr<int> Init(const GlobalOptions& globals, InitOptions options) {
  if (!options.dsn.empty()) HAKOBU_RETURN_IF_ERROR(TakeDsn(&options));
  if (options.user.empty()) {
    return absl::InvalidArgumentError("expected --user, or a DSN mysql://user@host/database, found neither");
  }
  const std::string& path = globals.config_path;
  if (!options.force && std::filesystem::exists(path)) {
    return absl::InvalidArgumentError(
        fmt::format("{} is there already; hint: --force writes over it, --config names another", path));
  }
  HAKOBU_RETURN_IF_ERROR(TakeLocation(&options));
  HAKOBU_ASSIGN_OR_RETURN(const InitFacts facts, LookAtSource(options));
  const InitResult result = MakeInitFile(facts);
  HAKOBU_RETURN_IF_ERROR(WriteNew(path, result.text));
  if (globals.json) {
    const nlohmann::ordered_json json = {{"file", path},
                                         {"tables", facts.tables.size()},
                                         {"personal_columns", result.personal_columns},
                                         {"needs_salt", result.needs_salt}};
    fmt::print("{}\n", json.dump(2));
  } else {
    PrintNext(path, options, facts, result);
  }
  return kExitDone;
}

}  // namespace hakobu
