#include "app/tenants/tenant_command.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "app/check.h"
#include "app/destination_side.h"
#include "app/interrupt.h"
#include "app/tenants/tenant_status.h"
#include "app/text_table.h"
#include "base/status.h"
#include "config/load.h"
#include "config/tenants/resolve.h"
#include "delivery/tenants/check_tenants.h"
#include "delivery/tenants/run_tenants.h"
#include "ledger/ledger.h"

namespace hakobu {
namespace {

using nlohmann::ordered_json;

absl::StatusOr<Config> ReadTenants(const GlobalOptions& globals, SecretUse secrets) {
  HAKOBU_ASSIGN_OR_RETURN(Config config,
                          LoadConfig(globals.config_path, ProcessEnvironment(), secrets, TenantUse::kServed));
  if (config.tenants.has_value()) return config;
  return WithHint(absl::InvalidArgumentError(fmt::format("{} has no `tenants`", config.path)),
                  "docs/tenants.md says what they are");
}

absl::StatusOr<int> List(const GlobalOptions& globals) {
  HAKOBU_ASSIGN_OR_RETURN(const Config config, ReadTenants(globals, SecretUse::kUnread));
  std::map<std::string, TenantRecord> records;
  if (std::filesystem::exists(config.ledger)) {
    HAKOBU_ASSIGN_OR_RETURN(const std::unique_ptr<Ledger> ledger, Ledger::Open(config.ledger));
    HAKOBU_ASSIGN_OR_RETURN(const std::vector<TenantRecord> all, ledger->tenants().All());
    for (const TenantRecord& record : all) records[record.id] = record;
  }
  TextTable text({{"tenant", Align::kLeft},
                  {"tier", Align::kLeft},
                  {"rows", Align::kLeft},
                  {"dataset", Align::kLeft},
                  {"state", Align::kLeft}});
  ordered_json list = ordered_json::array();
  for (const TenantConfig& tenant : config.tenants->list) {
    const DestinationConfig destination = DestinationOf(config, tenant);
    const std::string dataset = fmt::format("{}.{}", destination.project, destination.dataset);
    const std::string rows = tenant.database.empty() ? fmt::format("{}", fmt::join(tenant.values, ", "))
                                                     : fmt::format("database {}", tenant.database);
    const auto record = records.find(tenant.id);
    const std::string state =
        record == records.end() ? "not delivered yet" : std::string(NameOf(record->second.state));
    text.AddRow({tenant.id, tenant.tier, rows, dataset, state});
    list.push_back({{"tenant", tenant.id},
                    {"tier", tenant.tier},
                    {"values", tenant.values},
                    {"database", tenant.database},
                    {"dataset", dataset},
                    {"location", destination.location},
                    {"state", state}});
  }
  fmt::print("{}", globals.json ? list.dump() + "\n" : text.Render());
  return kExitDone;
}

absl::StatusOr<int> Check(const GlobalOptions& globals, const std::vector<std::string>& names) {
  HAKOBU_ASSIGN_OR_RETURN(const Config config, ReadTenants(globals, SecretUse::kRead));
  SetUpLogFor(globals, config);
  HAKOBU_ASSIGN_OR_RETURN(const std::vector<bool> chosen, ChooseTenants(config, names));
  Cancellation cancel;
  const std::unique_ptr<InterruptGuard> guard = InterruptGuard::Watch(&cancel);
  HAKOBU_ASSIGN_OR_RETURN(const std::unique_ptr<DestinationSide> destination, DestinationSide::Open(config));
  const Findings findings = CheckTenants(config, chosen, destination->addresses(), cancel);
  fmt::print("{}", globals.json ? CheckJson(findings) : CheckText(findings));
  return CheckExitCode(findings);
}

}  // namespace

void RegisterTenantCommand(CLI::App& app, CommandLine& line) {
  CLI::App* group = app.add_subcommand("tenant", "Customers that share the source (docs/tenants.md)");
  group->require_subcommand(1);
  group->fallthrough();
  CLI::App* list = group->add_subcommand("list", "Each tenant, where its rows are and where they go");
  list->callback([&line] {
    line.action = [&line] {
      const absl::StatusOr<int> result = List(line.options);
      return result.ok() ? *result : ReportFailure(line.options, result.status());
    };
  });
  CLI::App* check =
      group->add_subcommand("check", "Look at the source, and at each tenant's side of BigQuery");
  auto names = std::make_shared<std::vector<std::string>>();
  check->add_option("tenant", *names, "Only these: ids, or tier:NAME")->type_name("TENANT");
  check->callback([&line, names] {
    line.action = [&line, names] {
      const absl::StatusOr<int> result = Check(line.options, *names);
      return result.ok() ? *result : ReportFailure(line.options, result.status());
    };
  });
  for (CLI::App* command : {list, check}) command->fallthrough();
  group->footer(R"(Examples:
  hakobu tenant list
  hakobu tenant check acme tier:gold
)");
}

}  // namespace hakobu
