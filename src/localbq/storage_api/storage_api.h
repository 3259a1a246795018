// The gRPC side of the local BigQuery: google.cloud.bigquery.storage.v1's BigQueryWrite and BigQueryRead on
// one port.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace hakobu::localbq {

class Catalog;
class ChangeLog;
class Faults;
namespace auth {
class Authority;
}

struct StorageApiOptions {
  std::string host = "127.0.0.1";
  int port = 0;  // 0: a free one
  // A connection without requests for so long is closed with ABORTED, as Google does.
  int64_t idle_close_ms = 600'000;
  Faults* faults = nullptr;                    // nullptr: none
  const auth::Authority* authority = nullptr;  // null: nobody is asked who they are
};

// Thread-safe. The catalog and its warehouse must outlive it.
class StorageApi {
 public:
  // Reads the write streams back and serves. One for a catalog.
  static absl::StatusOr<std::unique_ptr<StorageApi>> Start(Catalog* catalog,
                                                           const StorageApiOptions& options);
  ~StorageApi();

  int port() const;
  // What change data capture needs of the other doors: PrepareRead before a table is read, IsActive before
  // DML, WatermarkMicros for INFORMATION_SCHEMA.TABLES.upsert_stream_apply_watermark (change_log.h).
  ChangeLog& changes();
  // Ends every connection and waits for what is on its way.
  void Stop();

 private:
  struct Parts;
  explicit StorageApi(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace hakobu::localbq
