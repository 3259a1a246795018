#include "app/destination_side.h"

#include "base/status.h"

namespace hakobu {
namespace {

class RunningBigquery : public DestinationSide {
 public:
  DestinationAddresses addresses() const override { return {}; }
};

}  // namespace

absl::StatusOr<std::unique_ptr<DestinationSide>> DestinationSide::Open(const Config& config) {
  if (config.destination.endpoint == EndpointKind::kLocal) {
    return absl::UnimplementedError(
        "endpoint: local is not in this build; hint: run `hakobu bigquery`, and set "
        "rest_address and grpc_address");
  }
  return std::make_unique<RunningBigquery>();
}

}  // namespace hakobu
