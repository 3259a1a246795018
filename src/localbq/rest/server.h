// The web server of the REST API: takes connections, reads requests, hands them to the router.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace hakobu::localbq {
class Catalog;
class ChangeLog;
class Faults;
class Warehouse;
namespace auth {
class Authority;
}
}  // namespace hakobu::localbq

namespace hakobu::localbq::rest {

struct ServerOptions {
  std::string host = "127.0.0.1";
  int port = 0;                          // 0: a free one
  std::string folder;                    // uploads wait here
  auth::Authority* authority = nullptr;  // null: nobody is asked who they are
};

// Serves until destroyed, which takes well under a second. Thread-safe.
class Server {
 public:
  static absl::StatusOr<std::unique_ptr<Server>> Start(const ServerOptions& options, Catalog* catalog,
                                                       Warehouse* warehouse, ChangeLog* changes,
                                                       Faults* faults);
  ~Server();
  int port() const;
  const std::string& url() const;  // "http://127.0.0.1:9050"

 private:
  class State;
  explicit Server(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace hakobu::localbq::rest
