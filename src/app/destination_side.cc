#include "app/destination_side.h"

#include <fmt/format.h>
#include <openssl/rand.h>

#include <array>
#include <filesystem>

#include "absl/strings/escaping.h"
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
  EmbeddedBigquery(std::unique_ptr<localbq::LocalBigQuery> server, std::string token)
      : server_(std::move(server)), token_(std::move(token)) {}
  DestinationAddresses addresses() const override {
    return {fmt::format("http://127.0.0.1:{}", server_->rest_port()),
            fmt::format("127.0.0.1:{}", server_->grpc_port()), token_};
  }

 private:
  std::unique_ptr<localbq::LocalBigQuery> server_;
  const std::string token_;
};

// 256 bits that other users of the machine cannot guess.
absl::StatusOr<std::string> RandomToken() {
  std::array<unsigned char, 32> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1)
    return absl::InternalError("make a token for the local BigQuery: no random numbers");
  return absl::BytesToHexString(
      View(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size())));
}

}  // namespace

absl::StatusOr<std::unique_ptr<DestinationSide>> DestinationSide::Open(const Config& config) {
  const DestinationConfig& destination = config.destination;
  if (destination.endpoint != EndpointKind::kLocal) return std::make_unique<RunningBigquery>();
  localbq::LocalBigQueryOptions options;
  options.folder = destination.data;
  HAKOBU_ASSIGN_OR_RETURN(options.token, RandomToken());
  absl::StatusOr<std::unique_ptr<localbq::LocalBigQuery>> server = localbq::LocalBigQuery::Start(options);
  if (!server.ok()) {
    return WithHint(
        Annotate(server.status(), fmt::format("start the local BigQuery in {}", destination.data)),
        "one process at a time uses a folder");
  }
  return std::make_unique<EmbeddedBigquery>(*std::move(server), options.token);
}

}  // namespace hakobu
