#include "app/init_command.h"

#include <CLI/CLI.hpp>
#include <memory>

#include "app/init.h"

namespace hakobu {
namespace {

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
  command->add_option("--location", options->location, "Where the dataset lives")
      ->capture_default_str()
      ->type_name("LOCATION");
  command->add_option("--endpoint", options->endpoint, "google, or local to try without Google")
      ->check(CLI::IsMember({"google", "local"}))
      ->capture_default_str()
      ->type_name("KIND");
  command->add_flag("--force", options->force, "Write over a file that is there");
}

}  // namespace

void RegisterInitCommand(CLI::App& app, CommandLine& line) {
  CLI::App* command = app.add_subcommand("init", "Look at a MySQL server and write a commented hakobu.yaml");
  auto options = std::make_shared<InitOptions>();
  AddSourceOptions(command, options.get());
  AddDestinationOptions(command, options.get());
  command->footer(
      R"(Names, keys and sizes are looked at, no row is read. Columns that look personal are masked in
what is written; take the mask off where it is not wanted. The password is read from $MYSQL_PASSWORD.
Examples:
  MYSQL_PASSWORD=… hakobu init mysql://hakobu@db.internal/shop --ca global-bundle.pem --project my-project
  hakobu init --socket /run/mysqld/mysqld.sock --user root --database shop --endpoint local
)");
  command->callback([&line, options] {
    line.action = [&line, options] {
      const absl::StatusOr<int> result = Init(line.options, *options);
      return result.ok() ? *result : ReportError(result.status());
    };
  });
}

}  // namespace hakobu
