#include "localbq/localbq.h"

#include <fmt/format.h>

#include <fstream>
#include <sstream>

#include "base/status.h"
#include "localbq/auth/authority.h"
#include "localbq/auth/loopback.h"
#include "localbq/catalog/catalog.h"
#include "localbq/catalog/partitions.h"
#include "localbq/catalog/warehouse.h"
#include "localbq/faults/faults.h"
#include "localbq/rest/server.h"
#include "localbq/storage_api/storage_api.h"

namespace hakobu::localbq {

// In the order they stand on each other.
struct LocalBigQuery::Parts {
  Faults faults;
  std::unique_ptr<Warehouse> warehouse;
  std::unique_ptr<Catalog> catalog;
  std::unique_ptr<auth::Authority> authority;
  std::unique_ptr<StorageApi> storage_api;
  std::unique_ptr<rest::Server> rest;
};

namespace {

// What partitions allow of the rows that a transaction has written: too many of them, or expired ones.
absl::Status LookAtPartitions(const Faults& faults, Connection& connection, const Table& table,
                              const std::string& relation, Catalog::Writer writer) {
  if (writer == Catalog::Writer::kJob && faults.Has(Behaviour::kPartitionLimits)) {
    HAKOBU_RETURN_IF_ERROR(CheckPartitionCount(connection, table, relation));
  }
  if (!faults.Has(Behaviour::kPartitionExpiry)) return absl::OkStatus();
  const std::string expired = ExpiredCondition(table, faults.behaviours().Now());
  return expired.empty() ? absl::OkStatus()
                         : connection.Run(fmt::format("DELETE FROM {} WHERE {}", relation, expired));
}

absl::Status LoadFaults(const std::string& path, Faults* faults) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  if (!file) {
    return absl::InvalidArgumentError("read the faults of " + path + ": the file cannot be read");
  }
  HAKOBU_ASSIGN_OR_RETURN(FaultPlan plan, ReadFaultPlan(text.str(), path));
  faults->Add(std::move(plan));
  return absl::OkStatus();
}

}  // namespace

namespace {

absl::Status CheckHost(const LocalBigQueryOptions& options) {
  if (!options.auth_file.empty() || auth::IsLoopback(options.host)) return absl::OkStatus();
  return WithHint(
      absl::InvalidArgumentError(fmt::format(
          "listen on {}: expected an address of this machine alone, for nobody is asked who they are",
          options.host)),
      "give --auth FILE, or leave --host out; it is made for loopback, put TLS and limits of your own before "
      "it");
}

}  // namespace

absl::StatusOr<std::unique_ptr<LocalBigQuery>> LocalBigQuery::Start(const LocalBigQueryOptions& options) {
  HAKOBU_RETURN_IF_ERROR(CheckHost(options));
  auto parts = std::make_unique<Parts>();
  Behaviours& behaviours = parts->faults.behaviours();
  if (options.is_lenient) behaviours.SetAll(Setting::kOff);
  if (options.has_real_delays) behaviours.SetLength(DelayLength::kReal);
  if (!options.faults.empty()) HAKOBU_RETURN_IF_ERROR(LoadFaults(options.faults, &parts->faults));
  behaviours.Keep();
  HAKOBU_ASSIGN_OR_RETURN(parts->warehouse, Warehouse::Open(options.folder));
  HAKOBU_ASSIGN_OR_RETURN(parts->catalog, Catalog::Open(parts->warehouse.get()));
  parts->catalog->OnTableChanged([faults = &parts->faults](const TablePtr& before, const TablePtr& after) {
    faults->OnTableChanged(before, after);
  });
  parts->catalog->OnRowsWritten([faults = &parts->faults](Connection& connection, const Table& table,
                                                          const std::string& relation,
                                                          Catalog::Writer writer) {
    return LookAtPartitions(*faults, connection, table, relation, writer);
  });
  if (!options.auth_file.empty()) {
    const auth::AuthorityOptions auth_options{.file = options.auth_file, .key_folder = options.auth_keys};
    HAKOBU_ASSIGN_OR_RETURN(parts->authority, auth::Authority::Open(auth_options, parts->catalog.get()));
  }
  if (options.auth_file.empty() && !options.token.empty())
    parts->authority = auth::Authority::OfToken(options.token, parts->catalog.get());
  StorageApiOptions storage_options;
  storage_options.authority = parts->authority.get();
  storage_options.faults = &parts->faults;
  storage_options.host = options.host;
  storage_options.port = options.grpc_port;
  HAKOBU_ASSIGN_OR_RETURN(parts->storage_api, StorageApi::Start(parts->catalog.get(), storage_options));
  const rest::ServerOptions rest_options{.host = options.host,
                                         .port = options.rest_port,
                                         .folder = options.folder + "/uploads",
                                         .authority = parts->authority.get()};
  HAKOBU_ASSIGN_OR_RETURN(parts->rest,
                          rest::Server::Start(rest_options, parts->catalog.get(), parts->warehouse.get(),
                                              &parts->storage_api->changes(), &parts->faults));
  if (!options.auth_keys.empty() && parts->authority)
    HAKOBU_RETURN_IF_ERROR(parts->authority->WriteKeyFiles(options.auth_keys, parts->rest->url()));
  return std::unique_ptr<LocalBigQuery>(new LocalBigQuery(std::move(parts)));
}

LocalBigQuery::LocalBigQuery(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
LocalBigQuery::~LocalBigQuery() {
  Stop();
}

int LocalBigQuery::rest_port() const {
  return parts_->rest->port();
}
int LocalBigQuery::grpc_port() const {
  return parts_->storage_api->port();
}

std::string LocalBigQuery::faults() const {
  return parts_->faults.Summary();
}

void LocalBigQuery::Stop() {
  parts_->faults.Stop();
  parts_->rest.reset();
  parts_->storage_api.reset();
}

}  // namespace hakobu::localbq
