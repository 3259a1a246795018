#include "app/commands.h"

#include <CLI/CLI.hpp>

#include "app/bigquery_command.h"
#include "app/binlog_command.h"
#include "app/check_command.h"
#include "app/completion_command.h"
#include "app/explain_command.h"
#include "app/explain_word_command.h"
#include "app/gaps_command.h"
#include "app/grants_command.h"
#include "app/init_command.h"
#include "app/kit_command.h"
#include "app/manual_command.h"
#include "app/notify_command.h"
#include "app/pace_command.h"
#include "app/plan_command.h"
#include "app/probe_command.h"
#include "app/repair_command.h"
#include "app/run_command.h"
#include "app/schema_command.h"
#include "app/status_command.h"
#include "app/stream_command.h"
#include "app/tenants/config_command.h"
#include "app/tenants/tenant_command.h"

namespace hakobu {
namespace {

constexpr char kExitCodesFooter[] = R"(Exit codes:
  0 done   1 failed   2 wrong usage or configuration
  3 done, but late or with quarantined values   4 refused because it would lose data

Start here:
  hakobu init --host db.internal --user hakobu --database shop   writes hakobu.yaml
  hakobu check                                                   looks at both sides, says what is missing
  hakobu plan                                                    says what a run would do and cost
  hakobu run                                                     delivers
)";

void AddGlobalOptions(CLI::App& app, GlobalOptions& options) {
  app.add_option("-c,--config", options.config_path, "The configuration file")
      ->capture_default_str()
      ->type_name("FILE");
  app.add_flag("--json", options.json, "Print results as JSON on standard output");
  app.add_option("--log-format", options.log_format, "Log lines on standard error: plain or json")
      ->check(CLI::IsMember({"plain", "json"}))
      ->type_name("FORMAT");
  app.add_flag("-v,--verbose", options.verbose, "Log what is done in detail");
  app.set_version_flag("--version", "hakobu " HAKOBU_VERSION);
}

}  // namespace

void BuildCommandLine(CLI::App& app, CommandLine& line) {
  app.footer(kExitCodesFooter);
  app.require_subcommand(1);
  app.fallthrough();  // global options may follow the command too
  AddGlobalOptions(app, line.options);
  RegisterInitCommand(app, line);
  RegisterCheckCommand(app, line);
  RegisterPlanCommand(app, line);
  RegisterRunCommand(app, line);
  RegisterPaceCommands(app, line);
  RegisterExplainCommands(app, line);
  RegisterExplainWordCommand(app, line);
  RegisterStreamCommand(app, line);
  RegisterVerifyCommand(app, line);
  RegisterGapsCommand(app, line);
  RegisterRepairCommand(app, line);
  RegisterStatusCommand(app, line);
  RegisterNotifyCommand(app, line);
  RegisterConfigCommand(app, line);
  RegisterTenantCommand(app, line);
  RegisterBinlogCommand(app, line);
  RegisterBigQueryCommand(app, line);
  RegisterSchemaCommand(app, line);
  RegisterKitCommand(app, line);
  RegisterProbeCommand(app, line);
  RegisterGrantsCommand(app, line);
  RegisterCompletionCommand(app, line);
  RegisterManualCommand(app, line);
}

}  // namespace hakobu
