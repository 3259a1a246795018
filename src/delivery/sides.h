// The two sides of a run, opened as the configuration says.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "base/cancel.h"
#include "base/clock.h"
#include "base/outage.h"
#include "config/config.h"
#include "delivery/delivery.h"
#include "destination/destination.h"
#include "source/source.h"

namespace hakobu {

// `cancel` ends what its connections are blocked in, also while they open; it outlives them.
// `outages` is told how connecting goes, and outlives them as well.
ConnectOptions SourceOptions(const SourceConfig& source, const Cancellation* cancel = nullptr,
                             OutageListener* outages = nullptr);
// "host:port" or the socket: names the source in fingerprints and messages.
std::string SourceAddress(const SourceConfig& source);

// What proves to BigQuery who is calling, as `destination.credentials` says. To a `local` one a file shows it
// that was named, or that OpenLocalCredentials finds.
absl::StatusOr<std::shared_ptr<Credentials>> OpenDestinationCredentials(const DestinationConfig& destination,
                                                                        bool local, Clock* clock,
                                                                        const Cancellation* cancel = nullptr);
// Where `destination` is: `addresses` of one that was started for this command come first. InvalidArgument
// for addresses that would carry tokens or rows in the clear.
absl::StatusOr<Endpoint> EndpointOf(const DestinationConfig& destination,
                                    const DestinationAddresses& addresses);

// BigQuery's REST and Storage Write clients, both thread-safe and shared by all of a run's threads.
struct Destination {
  std::shared_ptr<Rest> rest;
  std::shared_ptr<StorageWrite> storage;  // asks `rest` about tables that it is denied
};
// `cancel` and `clock` outlive the result. `patience`: how long a call to a service that is away is repeated;
// appends as `append_retry` says.
absl::StatusOr<Destination> OpenDestination(const DestinationConfig& destination,
                                            const DestinationAddresses& addresses, Clock* clock,
                                            const Cancellation* cancel, absl::Duration patience,
                                            const RetryPolicy& append_retry = {},
                                            OutageListener* outages = nullptr);

}  // namespace hakobu
