#include "app/tenants/config_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>

#include "app/text_table.h"
#include "base/status.h"
#include "config/load.h"
#include "config/tenants/explain.h"

namespace hakobu {
namespace {

using nlohmann::ordered_json;

struct Arguments {
  std::string tenant;
  std::string second;
  std::string table;
  std::string key;
};

absl::StatusOr<Config> ReadConfig(const GlobalOptions& globals) {
  return LoadConfig(globals.config_path, ProcessEnvironment(), SecretUse::kUnread, TenantUse::kServed);
}

absl::StatusOr<Config> ReadTenants(const GlobalOptions& globals) {
  HAKOBU_ASSIGN_OR_RETURN(Config config, ReadConfig(globals));
  if (config.tenants.has_value()) return config;
  return WithHint(absl::InvalidArgumentError(fmt::format("{} has no `tenants`", config.path)),
                  "docs/tenants.md says what they are");
}

absl::StatusOr<int> Check(const GlobalOptions& globals, const Arguments&) {
  HAKOBU_ASSIGN_OR_RETURN(const Config config, ReadConfig(globals));
  const size_t tenants = config.tenants.has_value() ? config.tenants->list.size() : 0;
  if (globals.json) {
    fmt::print("{}\n",
               ordered_json{{"ok", true}, {"tables", config.tables.size()}, {"tenants", tenants}}.dump());
  } else {
    fmt::print("{} is in order: {} entries of tables, {} tenants. Neither side was asked.\n", config.path,
               config.tables.size(), tenants);
  }
  return kExitDone;
}

absl::StatusOr<int> ExplainIt(const GlobalOptions& globals, const Arguments& arguments) {
  HAKOBU_ASSIGN_OR_RETURN(const Config config, ReadTenants(globals));
  HAKOBU_ASSIGN_OR_RETURN(std::vector<ExplainedValue> values,
                          ExplainTable(config, arguments.tenant, arguments.table));
  const bool all = arguments.key.empty();
  std::erase_if(values, [&](const ExplainedValue& value) { return !all && value.key != arguments.key; });
  if (values.empty()) {
    return WithHint(
        absl::InvalidArgumentError(fmt::format("nothing says \"{}\" of {}", arguments.key, arguments.table)),
        "without a key, all that hold are shown");
  }
  TextTable text(
      {{"key", Align::kLeft}, {"value", Align::kLeft}, {"from", Align::kLeft}, {"at", Align::kLeft}});
  ordered_json list = ordered_json::array();
  for (const ExplainedValue& value : values) {
    text.AddRow({value.key, value.value, (value.is_added ? "+ " : "") + value.layer, value.place});
    list.push_back({{"key", value.key},
                    {"value", value.value},
                    {"from", value.layer},
                    {"at", value.place},
                    {"added", value.is_added}});
  }
  fmt::print("{}", globals.json ? list.dump() + "\n" : text.Render());
  return kExitDone;
}

absl::StatusOr<int> Diff(const GlobalOptions& globals, const Arguments& arguments) {
  HAKOBU_ASSIGN_OR_RETURN(const Config config, ReadTenants(globals));
  HAKOBU_ASSIGN_OR_RETURN(const std::vector<TenantDifference> differences,
                          CompareTenants(config, arguments.tenant, arguments.second));
  TextTable text({{"table", Align::kLeft},
                  {"key", Align::kLeft},
                  {arguments.tenant, Align::kLeft},
                  {arguments.second, Align::kLeft}});
  ordered_json list = ordered_json::array();
  for (const TenantDifference& each : differences) {
    text.AddRow({each.table, each.key, each.first, each.second});
    list.push_back(
        {{"table", each.table}, {"key", each.key}, {"first", each.first}, {"second", each.second}});
  }
  fmt::print("{}", globals.json ? list.dump() + "\n" : text.Render());
  return kExitDone;
}

using Action = absl::StatusOr<int> (*)(const GlobalOptions& globals, const Arguments& arguments);

CLI::App* Add(CLI::App* group, CommandLine& line, const std::shared_ptr<Arguments>& arguments,
              const std::string& name, const std::string& about, Action action) {
  CLI::App* command = group->add_subcommand(name, about);
  command->fallthrough();
  command->callback([&line, arguments, action] {
    line.action = [&line, arguments, action] {
      const absl::StatusOr<int> result = action(line.options, *arguments);
      return result.ok() ? *result : ReportFailure(line.options, result.status());
    };
  });
  return command;
}

}  // namespace

void RegisterConfigCommand(CLI::App& app, CommandLine& line) {
  CLI::App* group =
      app.add_subcommand("config", "What the configuration says, and where; neither side is asked");
  group->require_subcommand(1);
  group->fallthrough();
  auto arguments = std::make_shared<Arguments>();
  Add(group, line, arguments, "check", "Read it whole and say all that is wrong, of all tenants", &Check);
  CLI::App* explain = Add(group, line, arguments, "explain",
                          "Each value that holds for a table of a tenant, with file and line", &ExplainIt);
  explain->add_option("tenant", arguments->tenant, "Its id")->required()->type_name("TENANT");
  explain->add_option("table", arguments->table, "database.table")->required()->type_name("TABLE");
  explain->add_option("key", arguments->key, "Only this key")->type_name("KEY");
  CLI::App* diff = Add(group, line, arguments, "diff", "What differs between two tenants", &Diff);
  diff->add_option("first", arguments->tenant, "A tenant's id")->required()->type_name("TENANT");
  diff->add_option("second", arguments->second, "Another's")->required()->type_name("TENANT");
  group->footer(
      R"(Values marked with + are added up; of others the strongest layer is shown (docs/tenants.md).
Examples:
  hakobu config explain acme gym.members where
  hakobu config diff acme bold
)");
}

}  // namespace hakobu
