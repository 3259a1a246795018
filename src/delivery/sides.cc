#include "delivery/sides.h"

#include <fmt/format.h>

#include "base/status.h"
#include "destination/cloudwatch.h"
#include "destination/rds_login.h"

namespace hakobu {

ConnectOptions SourceOptions(const SourceConfig& source, const Cancellation* cancel,
                             OutageListener* outages) {
  ConnectOptions options;
  options.host = source.host;
  options.port = source.port;
  options.socket = source.socket;
  options.user = source.user;
  if (source.auth == SourceAuth::kRdsIam) {
    // A token is good for 15 minutes; the first one that is refused after that is made anew.
    const auto tokens =
        RdsTokens({.host = source.host, .port = source.port, .user = source.user, .region = source.region},
                  ProcessTokenSeam(Clock::Real(), cancel));
    options.password_source = std::make_shared<PasswordSource>(tokens().value_or(""), tokens);
  } else if (source.password_again != nullptr) {
    options.password_source =
        std::make_shared<PasswordSource>(source.password.Reveal(), source.password_again);
  } else {
    options.password = source.password.Reveal();
  }
  options.tls = {.mode = source.tls.mode,
                 .ca_file = source.tls.ca,
                 .certificate_file = source.tls.certificate,
                 .key_file = source.tls.key};
  options.compression = source.compression;
  options.connect_timeout = source.connect_timeout;
  options.read_timeout = source.read_timeout;
  options.statement_timeout = source.statement_timeout;
  options.cancel = cancel;
  options.outages = outages;
  return options;
}

std::string SourceAddress(const SourceConfig& source) {
  return source.socket.empty() ? fmt::format("{}:{}", source.host, source.port) : source.socket;
}

absl::StatusOr<std::shared_ptr<Credentials>> OpenDestinationCredentials(const DestinationConfig& destination,
                                                                        bool local, Clock* clock,
                                                                        const Cancellation* cancel) {
  const bool is_named = destination.credentials.type == CredentialKind::kFile;
  if (destination.credentials.type == CredentialKind::kNone) return NoCredentials();
  CredentialsOptions options;
  if (is_named) options.file = destination.credentials.file;
  options.impersonate = destination.credentials.impersonate;
  options.quota_project = destination.quota_project;
  options.ca_file = destination.ca;
  options.proxy = destination.proxy;
  options.clock = clock;
  options.cancellation = cancel;
  return local && !is_named ? OpenLocalCredentials(options) : OpenCredentials(options);
}

absl::StatusOr<Endpoint> EndpointOf(const DestinationConfig& destination,
                                    const DestinationAddresses& addresses) {
  const std::string& rest = addresses.rest.empty() ? destination.rest_address : addresses.rest;
  const std::string& grpc = addresses.storage.empty() ? destination.grpc_address : addresses.storage;
  Endpoint endpoint = Endpoint::Google();
  if (!rest.empty()) {
    HAKOBU_ASSIGN_OR_RETURN(endpoint, Endpoint::At(rest, grpc));
  }
  endpoint.ca_file = destination.ca;
  endpoint.proxy = destination.proxy;
  return endpoint;
}

absl::StatusOr<Destination> OpenDestination(const DestinationConfig& destination,
                                            const DestinationAddresses& addresses, Clock* clock,
                                            const Cancellation* cancel, absl::Duration patience,
                                            const RetryPolicy& append_retry, OutageListener* outages) {
  HAKOBU_ASSIGN_OR_RETURN(const Endpoint endpoint, EndpointOf(destination, addresses));
  std::shared_ptr<Credentials> credentials = FixedToken(addresses.token);
  if (addresses.token.empty()) {
    HAKOBU_ASSIGN_OR_RETURN(credentials,
                            OpenDestinationCredentials(destination, destination.local(), clock, cancel));
  }
  const RetryContext context{.clock = clock, .cancellation = cancel, .jitter = {}, .outages = outages};
  RestOptions rest_options;
  rest_options.endpoint = endpoint;
  rest_options.credentials = credentials;
  rest_options.context = context;
  rest_options.retry.max_elapsed = patience;
  StorageWriteOptions storage_options;
  storage_options.endpoint = endpoint;
  storage_options.credentials = credentials;
  storage_options.context = context;
  storage_options.retry = append_retry;
  Destination result;
  result.rest = std::make_shared<Rest>(std::move(rest_options));
  storage_options.look_at_table = LookByRest(result.rest.get());
  result.storage = std::make_shared<StorageWrite>(std::move(storage_options));
  return result;
}

}  // namespace hakobu
