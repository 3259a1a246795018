#include "app/bigquery_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "app/interrupt.h"
#include "base/cancel.h"
#include "base/status.h"
#include "localbq/localbq.h"

namespace hakobu {
namespace {

absl::Status Serve(const localbq::LocalBigQueryOptions& options) {
  Cancellation cancel;
  const std::unique_ptr<InterruptGuard> guard = InterruptGuard::Watch(&cancel);
  HAKOBU_ASSIGN_OR_RETURN(const std::unique_ptr<localbq::LocalBigQuery> server,
                          localbq::LocalBigQuery::Start(options));
  fmt::print("REST on http://{0}:{1}\ngRPC on {0}:{2}\n", options.host, server->rest_port(),
             server->grpc_port());
  if (const std::string faults = server->faults(); !faults.empty()) fmt::print("Faults: {}\n", faults);
  std::fflush(stdout);
  while (!cancel.WaitFor(absl::Hours(1))) {
  }
  return absl::OkStatus();
}

}  // namespace

void RegisterBigQueryCommand(CLI::App& app, CommandLine& line) {
  CLI::App* command = app.add_subcommand("bigquery", "Serve a local BigQuery for Google's own clients");
  auto options = std::make_shared<localbq::LocalBigQueryOptions>();
  options->folder = "bigquery-data";
  command->add_option("--data", options->folder, "Where tables are kept")
      ->capture_default_str()
      ->type_name("DIR");
  command->add_option("--rest-port", options->rest_port, "Port of the REST API; 0: a free one")
      ->capture_default_str()
      ->type_name("PORT");
  command->add_option("--grpc-port", options->grpc_port, "Port of the Storage APIs; 0: a free one")
      ->capture_default_str()
      ->type_name("PORT");
  command
      ->add_option("--host", options->host, "Address to listen on; others than loopback let the network in")
      ->capture_default_str()
      ->type_name("ADDRESS");
  command
      ->add_option("--faults", options->faults,
                   "What goes wrong, and which quotas hold (YAML; docs/local-bigquery.md)")
      ->type_name("FILE");
  command->add_flag("--lenient", options->is_lenient,
                    "Without what Google's service denies, delays, skips and loses: to try SQL");
  command
      ->add_option_function<std::string>(
          "--delays", [options](const std::string& length) { options->has_real_delays = length == "real"; },
          "How long such delays last: short ones, for tests, or as measured on Google's service")
      ->check(CLI::IsMember({"short", "real"}))
      ->type_name("short|real")
      ->default_str("short");
  command
      ->add_option("--auth", options->auth_file,
                   "Who there is and what they may do, YAML or JSON: callers need tokens, access is enforced")
      ->type_name("FILE");
  command
      ->add_option("--auth-keys", options->auth_keys,
                   "With --auth: where to write credential files whose addresses are this server's")
      ->type_name("DIR")
      ->needs("--auth");
  command->footer(R"(Prints both addresses on standard output once it serves. Point clients at them:
  bq --api http://127.0.0.1:PORT --oauth_access_token=x --project_id=p ls
Examples:
  hakobu bigquery --data /tmp/warehouse --rest-port 9050 --grpc-port 9060
  hakobu bigquery --auth identities.yaml --auth-keys keys
)");
  command->callback([&line, options] {
    line.action = [options] {
      const absl::Status status = Serve(*options);
      return status.ok() ? static_cast<int>(kExitDone) : ReportError(status);
    };
  });
}

}  // namespace hakobu
