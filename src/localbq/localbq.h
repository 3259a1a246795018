// The local BigQuery: REST v2 and the gRPC Storage APIs on loopback, stored in DuckDB, for Google's own
// clients.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace hakobu::localbq {

struct LocalBigQueryOptions {
  std::string folder;                // made when it is not there; one process at a time
  std::string host = "127.0.0.1";    // who may connect
  int rest_port = 0, grpc_port = 0;  // 0: free ones
  std::string faults;                // a file of faults and quotas (faults/faults.h); empty: none
  bool is_lenient = false;           // none of the behaviours that Google's service has (faults/behaviours.h)
  bool has_real_delays = false;      // those that last do so as long as there, not for tenths of a second
  std::string auth_file;             // who there is (auth/identities.h); empty: nobody is asked who they are
  std::string token;                 // not empty, without auth_file: only who shows it is served
  std::string auth_keys;             // folder where credential files for them are written; empty: none
};

// Serves from Start until Stop or destruction. What was acknowledged is on disk.
class LocalBigQuery {
 public:
  static absl::StatusOr<std::unique_ptr<LocalBigQuery>> Start(const LocalBigQueryOptions& options);
  ~LocalBigQuery();
  int rest_port() const;
  int grpc_port() const;
  // "3 rules, seed 42"; empty when nothing is set to go wrong.
  std::string faults() const;
  void Stop();

 private:
  struct Parts;
  explicit LocalBigQuery(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace hakobu::localbq
