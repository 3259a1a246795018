#include "app/init_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "app/init.h"
#include "config/load.h"
#include "destination/permissions.h"

namespace hakobu {
namespace {

struct RoleOptions {
  std::string form = "both";
  std::string member;
};

void AddSourceOptions(CLI::App* command, InitOptions* options) {
  command->add_option("dsn", options->dsn, "mysql://user@host:port/database, in place of the flags")
      ->type_name("DSN");
  AddSourceFlags(command, options);
  command->add_option("--database", options->databases, "Only these databases; repeatable")
      ->type_name("NAME");
}

void AddDestinationOptions(CLI::App* command, InitOptions* options) {
  command->add_option("--project", options->project, "BigQuery project")
      ->capture_default_str()
      ->type_name("PROJECT");
  command->add_option("--dataset", options->dataset, "BigQuery dataset; the database's name by default")
      ->type_name("NAME");
  command->add_option("--location", options->location, "Where the dataset lives; asked for when not given")
      ->type_name("LOCATION");
  command->add_option("--endpoint", options->endpoint, "google, or local to try without Google")
      ->check(CLI::IsMember({"google", "local"}))
      ->capture_default_str()
      ->type_name("KIND");
  command->add_flag("--force", options->force, "Write over a file that is there");
}

// Filled in from the configuration, where there is one that can be read.
int PrintRoles(const GlobalOptions& globals, const std::string& form, const std::string& member) {
  RolePlaces places;
  const absl::StatusOr<Config> config =
      LoadConfig(globals.config_path, ProcessEnvironment(), SecretUse::kUnread);
  if (config.ok()) {
    const DestinationConfig& destination = config->destination;
    places.project = destination.project;
    places.billing_project = destination.billing_project;
    places.dataset = destination.dataset;
    places.staging_dataset = destination.staging_dataset;
  }
  if (!member.empty()) places.member = member;
  if (form != "gcloud") fmt::print("{}", RolesAsTerraform(places));
  if (form != "terraform") fmt::print("{}", RolesAsGcloud(places));
  return 0;
}

}  // namespace

void RegisterInitCommand(CLI::App& app, CommandLine& line) {
  CLI::App* command = app.add_subcommand("init", "Look at a MySQL server and write a commented hakobu.yaml");
  auto options = std::make_shared<InitOptions>();
  AddSourceOptions(command, options.get());
  AddDestinationOptions(command, options.get());
  auto roles = std::make_shared<RoleOptions>();
  CLI::Option* const wanted =
      command
          ->add_option(
              "--roles", roles->form,
              "Print the smallest custom roles for nightly runs, streams and grants instead: terraform, "
              "gcloud, or both")
          ->expected(0, 1)
          ->default_str("both")
          ->check(CLI::IsMember({"terraform", "gcloud", "both"}))
          ->type_name("FORM");
  command->add_option("--member", roles->member, "With --roles: whom they are given to")->type_name("MEMBER");
  command->footer(
      R"(Names, keys and sizes are looked at, no row is read. Columns that look personal are masked in
what is written; take the mask off where it is not wanted. The password is read from $MYSQL_PASSWORD.
Examples:
  MYSQL_PASSWORD=… hakobu init mysql://hakobu@db.internal/shop --ca global-bundle.pem --project my-project \
      --location asia-northeast1
  hakobu init --roles terraform --member serviceAccount:hakobu@my-project.iam.gserviceaccount.com
  hakobu init --socket /run/mysqld/mysqld.sock --user root --database shop --endpoint local
)");
  command->callback([&line, options, roles, wanted] {
    if (wanted->count() > 0) {
      line.action = [&line, roles] { return PrintRoles(line.options, roles->form, roles->member); };
      return;
    }
    line.action = [&line, options] {
      const absl::StatusOr<int> result = Init(line.options, *options);
      return result.ok() ? *result : ReportError(result.status());
    };
  });
}

}  // namespace hakobu
