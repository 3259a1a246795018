#include "app/destination_side.h"

#include <fmt/format.h>

#include <filesystem>

#include "base/status.h"
#include "localbq/localbq.h"

namespace hakobu {
namespace {

class RunningBigquery : public DestinationSide {
 public:
  DestinationAddresses addresses() const override { return {}; }
};

class EmbeddedBigquery : public DestinationSide {
 public:
  explicit EmbeddedBigquery(std::unique_ptr<localbq::LocalBigQuery> server) : server_(std::move(server)) {}
  DestinationAddresses addresses() const override {
    return {fmt::format("http://127.0.0.1:{}", server_->rest_port()),
            fmt::format("127.0.0.1:{}", server_->grpc_port())};
  }

 private:
  std::unique_ptr<localbq::LocalBigQuery> server_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<DestinationSide>> DestinationSide::Open(const Config& config) {
  const DestinationConfig& destination = config.destination;
  if (destination.endpoint != EndpointKind::kLocal) return std::make_unique<RunningBigquery>();
  localbq::LocalBigQueryOptions options;
  options.folder = destination.data;
  absl::StatusOr<std::unique_ptr<localbq::LocalBigQuery>> server = localbq::LocalBigQuery::Start(options);
  if (!server.ok()) {
    return WithHint(
        Annotate(server.status(), fmt::format("start the local BigQuery in {}", destination.data)),
        "one process at a time uses a folder");
  }
  return std::make_unique<EmbeddedBigquery>(*std::move(server));
}

}  // namespace hakobu
