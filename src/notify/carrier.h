// Takes one message to one channel, once.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/cancel.h"
#include "config/notify.h"
#include "destination/http.h"

namespace hakobu {

struct CarriedOff {
  absl::Status status;       // OK: the receiver has it. No text of it holds a secret of the channel
  absl::Duration asked_for;  // by the receiver, before the next try
};

// Thread-safe.
class Carrier {
 public:
  explicit Carrier(const HttpOptions& http) : http_(http) {}

  CarriedOff Carry(const ChannelConfig& channel, std::string_view event_json, const std::string& id,
                   absl::Time now, const Cancellation& cancel);
  absl::Status Ping(const PingConfig& ping, const Cancellation& cancel);

 private:
  CarriedOff Post(const ChannelConfig& channel, const std::string& url, std::vector<std::string> headers,
                  const std::string& body, const Cancellation& cancel);
  HttpClient http_;
};

inline constexpr absl::Duration kReceiverPatience = absl::Seconds(10);
inline constexpr absl::Duration kCommandPatience = absl::Seconds(10);

}  // namespace hakobu
