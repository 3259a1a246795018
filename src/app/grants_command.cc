#include "app/grants_command.h"

#include <CLI/CLI.hpp>
#include <memory>

#include "app/grants_actions.h"
#include "app/interrupt.h"
#include "base/status.h"

namespace hakobu {
namespace {

struct State {
  GrantsOptions options;
  GrantsArguments arguments;
};
using Action = absl::StatusOr<int> (*)(GrantsSession&, const GlobalOptions&, const State&);

absl::StatusOr<int> InSession(const GlobalOptions& globals, const State& state, Action action) {
  Cancellation cancel;
  const std::unique_ptr<InterruptGuard> guard = InterruptGuard::Watch(&cancel);
  HAKOBU_ASSIGN_OR_RETURN(const std::unique_ptr<GrantsSession> session,
                          GrantsSession::Open(globals, state.options, &cancel));
  return action(*session, globals, state);
}

class Commands {
 public:
  Commands(CLI::App* group, CommandLine& line, std::shared_ptr<State> state)
      : group_(group), line_(line), state_(std::move(state)) {}

  CLI::App* Add(const std::string& name, const std::string& what, Action action) {
    CLI::App* command = group_->add_subcommand(name, what);
    command->footer("`hakobu grants --help` has the options that all of its commands take.\n");
    // Of a plan, 2 means changes: its errors are 1, whatever they are.
    const bool errors_are_one = name == "plan" || name == "drift";
    command->callback([&line = line_, state = state_, action, errors_are_one] {
      line.action = [&line, state, action, errors_are_one] {
        const absl::StatusOr<int> result = InSession(line.options, *state, action);
        if (result.ok()) return *result;
        const int code = ReportError(result.status());
        return errors_are_one ? static_cast<int>(kExitFailed) : code;
      };
    });
    return command;
  }

 private:
  CLI::App* group_;
  CommandLine& line_;
  std::shared_ptr<State> state_;
};

void AddShared(CLI::App* group, GrantsOptions& options) {
  group
      ->add_option("--settings", options.settings,
                   "Kinds of role, templates, guards, CSV files; none is needed")
      ->capture_default_str()
      ->type_name("FILE");
  group
      ->add_option("--csv", options.files,
                   "CSV files; repeatable (default: `files` of the settings, else grants.csv)")
      ->type_name("FILE")
      ->allow_extra_args(false);
  group->add_option("--project", options.project, "The project; with it no configuration file is read")
      ->type_name("PROJECT");
  group->add_option("--endpoint", options.endpoint, "REST address of a BigQuery that runs already")
      ->type_name("URL");
  group
      ->add_option("--ledger", options.ledger,
                   "Where applies are recorded (default: `ledger` of the configuration)")
      ->type_name("FILE");
  group
      ->add_option("--caller", options.caller,
                   "Who runs this, where the credentials do not say: user:ADDRESS …")
      ->type_name("MEMBER");
  group->add_option("--audit-log", options.audit_log, "Cloud Audit Logs as JSON: who made changes outside")
      ->type_name("FILE");
  group->add_option("--parallel", options.parallel, "Reads at a time")
      ->capture_default_str()
      ->check(CLI::Range(1, 64));
}

void AddPolicies(CLI::App* command, GrantsOptions& options) {
  auto* add = command->add_flag("--only-add", options.only_add, "Remove nothing");
  command->add_flag("--prune", options.prune, "Remove also what no line states and hakobu did not make")
      ->excludes(add);
  command->add_option("--was", options.was, "The CSV as it was: lines gone since are removed")
      ->type_name("FILE");
}

void AddPlanAndApply(Commands& commands, State& state) {
  GrantsOptions& options = state.options;
  GrantsArguments& arguments = state.arguments;
  CLI::App* plan = commands.Add("plan", "Show what would change; exit code 0 nothing, 2 changes, 1 error",
                                [](GrantsSession& session, const GlobalOptions& globals, const State& given) {
                                  return GrantsPlan(session, globals, given.arguments);
                                });
  AddPolicies(plan, options);
  plan->add_option("--format", arguments.format, "text, json or markdown")
      ->check(CLI::IsMember({"text", "json", "markdown"}));
  plan->add_option("-o,--out", arguments.out, "Write the plan, to be applied as reviewed")->type_name("FILE");
  CLI::App* apply = commands.Add("apply", "Make it so: a reviewed plan, or what a plan would be now",
                                 [](GrantsSession& session, const GlobalOptions&, const State& given) {
                                   return GrantsApply(session, given.options, given.arguments);
                                 });
  AddPolicies(apply, options);
  apply->add_option("plan", arguments.plan_file, "A plan of `plan --out`")->type_name("PLAN");
  apply->add_flag("--yes", arguments.yes, "Do not ask");
  apply->add_option("--reason", arguments.reason, "For the history")->type_name("TEXT");
  apply->add_option("--max-removals", options.max_removals, "More removals are refused")->type_name("COUNT");
  apply->add_option("--max-removed-share", options.max_removed_share, "A larger share is refused")
      ->type_name("SHARE");
}

void AddDrift(Commands& commands, State& state) {
  GrantsArguments& arguments = state.arguments;
  commands.Add("drift", "Show what changed outside of hakobu; exit code 0 nothing, 2 something, 1 error",
               [](GrantsSession& session, const GlobalOptions& globals, const State&) {
                 return GrantsDrift(session, globals);
               });
  CLI::App* adopt = commands.Add("adopt", "Write a change made outside into the CSV",
                                 [](GrantsSession& session, const GlobalOptions&, const State& given) {
                                   return GrantsAdopt(session, given.arguments);
                                 });
  CLI::App* revoke = commands.Add("revoke", "Undo a change made outside",
                                  [](GrantsSession& session, const GlobalOptions&, const State& given) {
                                    return GrantsRevoke(session, given.arguments);
                                  });
  revoke->add_flag("--yes", arguments.yes, "Do not ask");
  for (CLI::App* command : {adopt, revoke}) {
    command->add_option("dataset", arguments.target, "As drift shows it")->required()->type_name("DATASET");
    command->add_option("member", arguments.member, "As drift shows it")->required()->type_name("MEMBER");
    command->add_option("role", arguments.role, "Only this role")->type_name("ROLE");
    command->add_option("--reason", arguments.reason, "For the line, or the history")->type_name("TEXT");
  }
}

void AddQuestions(Commands& commands, State& state) {
  GrantsArguments& arguments = state.arguments;
  CLI::App* import = commands.Add("import", "Write the CSV from what is there",
                                  [](GrantsSession& session, const GlobalOptions&, const State& given) {
                                    return GrantsImport(session, given.arguments);
                                  });
  import->add_flag("--force", arguments.force, "Write over a file that is there");
  CLI::App* who = commands.Add("who", "Who may use a dataset, and why",
                               [](GrantsSession& session, const GlobalOptions& globals, const State& given) {
                                 return GrantsWho(session, globals, given.arguments);
                               });
  who->add_option("dataset", arguments.target, "dataset or dataset.table")->required()->type_name("DATASET");
  CLI::App* what = commands.Add("what", "What a member may use, and why",
                                [](GrantsSession& session, const GlobalOptions& globals, const State& given) {
                                  return GrantsWhat(session, globals, given.arguments);
                                });
  what->add_option("member", arguments.member, "user:ADDRESS …")->required()->type_name("MEMBER");
  what->add_option("--group", arguments.groups, "A group the member is in, as group:ADDRESS")
      ->type_name("GROUP")
      ->allow_extra_args(false);
  CLI::App* log = commands.Add("log", "Show what was applied",
                               [](GrantsSession& session, const GlobalOptions& globals, const State& given) {
                                 return GrantsHistory(session, globals, given.arguments);
                               });
  log->add_option("-n,--applies", arguments.newest, "How many")->capture_default_str()->type_name("COUNT");
  commands.Add(
      "explain", "Say what running queries needs on a project, and who needs it",
      [](GrantsSession& session, const GlobalOptions&, const State&) { return GrantsExplain(session); });
  CLI::App* export_command =
      commands.Add("export", "Write the same grants for another tool",
                   [](GrantsSession& session, const GlobalOptions&, const State& given) {
                     return GrantsExport(session, given.arguments);
                   });
  export_command->add_flag("--terraform", arguments.terraform, "As .tf.json with import blocks");
  for (CLI::App* command : {import, export_command}) {
    command->add_option("-o,--out", arguments.out, "A file instead of standard output")->type_name("FILE");
  }
}

}  // namespace

void RegisterGrantsCommand(CLI::App& app, CommandLine& line) {
  CLI::App* group = app.add_subcommand("grants", "Permissions as code: who may read what, in one CSV");
  group->require_subcommand(1);
  group->fallthrough();
  auto state = std::make_shared<State>();
  AddShared(group, state->options);
  Commands commands(group, line, state);
  AddPlanAndApply(commands, *state);
  AddQuestions(commands, *state);
  AddDrift(commands, *state);
  for (CLI::App* command : group->get_subcommands([](CLI::App*) { return true; })) command->fallthrough();
  group->footer(R"(The CSV: dataset,member,role,expires,reason (docs/permissions.md).
Examples:
  hakobu grants import --out grants.csv
  hakobu grants plan --out plan.json     then review, then
  hakobu grants apply plan.json --reason 'PR 17'
)");
}

}  // namespace hakobu
