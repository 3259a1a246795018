// A value that never shows itself: not in a log, an error, a ledger or a dump of the configuration.
#pragma once

#include <ostream>
#include <string>
#include <utility>

namespace hakobu {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}

  // The value itself, for the call that needs it. Never store or format the result.
  const std::string& Reveal() const { return value_; }
  bool empty() const { return value_.empty(); }
  bool operator==(const Secret&) const = default;

  friend std::ostream& operator<<(std::ostream& out, const Secret& secret) {
    return out << (secret.empty() ? "" : "***");
  }

 private:
  std::string value_;
};

}  // namespace hakobu
