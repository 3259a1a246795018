#include "localbq/storage_api/storage_api.h"

#include <fmt/format.h>
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <chrono>

#include "base/status.h"
#include "localbq/catalog/partitions.h"
#include "localbq/faults/faults.h"
#include "localbq/storage_api/change_log.h"
#include "localbq/storage_api/read_service.h"
#include "localbq/storage_api/write_service.h"

namespace hakobu::localbq {
namespace {

// Requests may have 20 MB; the rest lets a larger one be refused in words rather than by the transport.
constexpr int kMaxReceiveBytes = 64 << 20;

// Google's Node client pings an idle connection each 30 s, which gRPC's defaults punish with GOAWAY.
void AllowPings(grpc::ServerBuilder* builder) {
  builder->AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 5000);
  builder->AddChannelArgument(GRPC_ARG_HTTP2_MAX_PING_STRIKES, 0);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
}

}  // namespace

struct StorageApi::Parts {
  Faults no_faults;
  std::unique_ptr<WriteStreams> streams;
  std::unique_ptr<ChangeLog> changes;
  std::unique_ptr<ReadSessions> sessions;
  std::unique_ptr<WriteService> write_service;
  std::unique_ptr<ReadService> read_service;
  std::unique_ptr<grpc::Server> server;
  int port = 0;
  std::atomic<bool> is_stopped{false};
};

StorageApi::StorageApi(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

absl::StatusOr<std::unique_ptr<StorageApi>> StorageApi::Start(Catalog* catalog,
                                                              const StorageApiOptions& options) {
  auto parts = std::make_unique<Parts>();
  parts->no_faults.behaviours().SetAll(Setting::kOff);
  Faults* const faults = options.faults == nullptr ? &parts->no_faults : options.faults;
  HAKOBU_ASSIGN_OR_RETURN(parts->streams, WriteStreams::Open(catalog, faults));
  HAKOBU_ASSIGN_OR_RETURN(parts->changes, ChangeLog::Open(catalog));
  catalog->OnContentsDropped([raw = parts.get()](Connection& connection, const Table& table) -> absl::Status {
    HAKOBU_RETURN_IF_ERROR(raw->streams->Forget(connection, table));
    return raw->changes->Forget(connection, table);
  });
  catalog->OnAlter([raw = parts.get()](const TableId& id) { return raw->changes->BeginAlter(id); });
  // What is read over REST and by queries has its changes merged first. A merge that fails is the reader's
  // error, for the rows are not what they should be; the background tries it again.
  catalog->OnRead([raw = parts.get(), faults](const Table& table) -> absl::StatusOr<std::string> {
    HAKOBU_RETURN_IF_ERROR(Annotate(raw->changes->PrepareRead(table),
                                    fmt::format("merge the changes of {}", DisplayName(table.id))));
    const bool expires = faults->Has(Behaviour::kPartitionExpiry);
    const std::string expired = expires ? ExpiredCondition(table, faults->behaviours().Now()) : "";
    if (expired.empty()) return DuckDbName(table.id);
    return fmt::format("(SELECT * FROM {} WHERE ({}) IS NOT TRUE)", DuckDbName(table.id), expired);
  });
  const AppendServices services{catalog, parts->streams.get(), parts->changes.get(), faults,
                                options.authority};
  HAKOBU_ASSIGN_OR_RETURN(parts->sessions, ReadSessions::Open(catalog, parts->changes.get(), faults));
  parts->read_service =
      std::make_unique<ReadService>(parts->sessions.get(), faults, catalog, options.authority);
  parts->write_service = std::make_unique<WriteService>(services, options.idle_close_ms);
  grpc::ServerBuilder builder;
  builder.SetMaxReceiveMessageSize(kMaxReceiveBytes);
  builder.SetMaxSendMessageSize(-1);
  AllowPings(&builder);
  // Two servers must never share a port by accident.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  const std::string address = fmt::format("{}:{}", options.host, options.port);
  builder.AddListeningPort(address, grpc::InsecureServerCredentials(), &parts->port);
  builder.RegisterService(parts->write_service.get());
  builder.RegisterService(parts->read_service.get());
  parts->server = builder.BuildAndStart();
  if (parts->server == nullptr || parts->port == 0) {
    return absl::UnavailableError(
        fmt::format("listen on {}: refused; hint: is another program using the port?", address));
  }
  return std::unique_ptr<StorageApi>(new StorageApi(std::move(parts)));
}

StorageApi::~StorageApi() {
  Stop();
}

int StorageApi::port() const {
  return parts_->port;
}

ChangeLog& StorageApi::changes() {
  return *parts_->changes;
}

void StorageApi::Stop() {
  if (parts_->is_stopped.exchange(true)) return;
  parts_->server->Shutdown(std::chrono::system_clock::now() + std::chrono::milliseconds(200));
  parts_->server->Wait();
  parts_->write_service->WaitForConnections();
}

}  // namespace hakobu::localbq
