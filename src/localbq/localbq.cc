#include "localbq/localbq.h"

#include "base/status.h"
#include "localbq/catalog/catalog.h"
#include "localbq/catalog/warehouse.h"
#include "localbq/rest/server.h"
#include "localbq/sql/functions.h"
#include "localbq/storage_api/storage_api.h"

namespace hakobu::localbq {

// In the order they stand on each other.
struct LocalBigQuery::Parts {
  std::unique_ptr<Warehouse> warehouse;
  std::unique_ptr<Catalog> catalog;
  std::unique_ptr<StorageApi> storage_api;
  std::unique_ptr<rest::Server> rest;
};

absl::StatusOr<std::unique_ptr<LocalBigQuery>> LocalBigQuery::Start(const LocalBigQueryOptions& options) {
  auto parts = std::make_unique<Parts>();
  HAKOBU_ASSIGN_OR_RETURN(parts->warehouse, Warehouse::Open(options.folder));
  {
    HAKOBU_ASSIGN_OR_RETURN(const Warehouse::Lease connection, parts->warehouse->Connect());
    HAKOBU_RETURN_IF_ERROR(sql::RegisterFunctions(connection->get()));
  }
  HAKOBU_ASSIGN_OR_RETURN(parts->catalog, Catalog::Open(parts->warehouse.get()));
  StorageApiOptions storage_options;
  storage_options.host = options.host;
  storage_options.port = options.grpc_port;
  HAKOBU_ASSIGN_OR_RETURN(parts->storage_api, StorageApi::Start(parts->catalog.get(), storage_options));
  const rest::ServerOptions rest_options{
      .host = options.host, .port = options.rest_port, .folder = options.folder + "/uploads"};
  HAKOBU_ASSIGN_OR_RETURN(parts->rest,
                          rest::Server::Start(rest_options, parts->catalog.get(), parts->warehouse.get(),
                                              &parts->storage_api->changes()));
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

void LocalBigQuery::Stop() {
  parts_->rest.reset();
  parts_->storage_api.reset();
}

}  // namespace hakobu::localbq
