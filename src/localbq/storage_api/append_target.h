// One destination of a connection: a table by its default stream, or an explicit stream. Holds the writer's
// schema, compiled, and the requests that wait for their common transaction.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "localbq/catalog/catalog.h"
#include "localbq/faults/faults.h"
#include "localbq/storage_api/append_request.h"
#include "localbq/storage_api/arrow_rows.h"
#include "localbq/storage_api/change_log.h"
#include "localbq/storage_api/column_defaults.h"
#include "localbq/storage_api/proto_rows.h"
#include "localbq/storage_api/resource_name.h"
#include "localbq/storage_api/table_watch.h"
#include "localbq/storage_api/write_streams.h"

namespace hakobu::localbq {

namespace auth {
class Authority;
}

// What connections share. All outlive them.
struct AppendServices {
  Catalog* catalog;
  WriteStreams* streams;
  ChangeLog* changes;
  Faults* faults;
  const auth::Authority* authority = nullptr;  // null: nobody is asked who they are
};

// Not thread-safe.
class AppendTarget {
 public:
  // NotFound in Google's words when there is no such stream or table.
  static absl::StatusOr<std::unique_ptr<AppendTarget>> Open(const AppendServices& services,
                                                            std::string_view path);

  const std::string& path() const { return path_; }
  bool IsDefault() const { return stream_ == nullptr; }
  const TableId& table() const { return name_.table; }

  // Decodes a request and keeps its rows for Commit; its error, if any, is kept too, as the request's answer.
  // Not OK: the connection ends (the table is gone). The request's bytes must live until Commit.
  absl::Status Add(const AppendRequest& request, MissingValue default_missing_value);
  // Keeps a refusal as a request's answer, and its writer's schema for those that follow.
  void AddRefused(const AppendRequest& request, absl::Status status);
  size_t waiting() const { return waiting_.size(); }
  size_t waiting_bytes() const { return waiting_bytes_; }
  // Appends what waits in one transaction, and adds each request's serialized AppendRowsResponse.
  absl::Status Commit(std::vector<std::string>* responses);

 private:
  struct Waiting {
    absl::Status status;
    std::vector<RowError> row_errors;
    std::vector<Chunk*> chunks;
    int64_t rows = 0;
    std::optional<int64_t> offset;
    bool tells_schema = false;
  };

  AppendTarget(const AppendServices& services, StreamName name, std::string path, WriteStreamPtr stream,
               TableWatch watch)
      : services_(services),
        name_(std::move(name)),
        path_(std::move(path)),
        stream_(std::move(stream)),
        watch_(std::move(watch)) {}
  absl::Status RefreshTable();
  std::vector<AppendOutcome> Lose(std::span<const RowBlock> blocks);
  void CheckPartitionBounds(const Chunk& chunk, int64_t first_row, std::vector<RowError>* errors) const;
  absl::Status CheckRequest(const AppendRequest& request) const;
  absl::Status Prepare(const AppendRequest& request);
  absl::Status ChooseDefaults(const AppendRequest& request, MissingValue default_missing_value);
  absl::Status FillDefaults(const Chunk& chunk);
  absl::Status CheckMode(ChangeMode mode);
  absl::Status CheckStaleSchema() const;
  absl::Status PrepareProto();
  absl::Status PrepareArrow();
  absl::Status DecodeArrow(const AppendRequest& request, Waiting* waiting);
  absl::Status RowErrorStatus(const Waiting& waiting) const;
  DecodeOptions OptionsOf() const;
  absl::Status Decode(const AppendRequest& request, Waiting* waiting);
  absl::StatusOr<std::vector<AppendOutcome>> Append(std::span<const RowBlock> blocks);
  absl::StatusOr<std::vector<AppendOutcome>> AppendChanges(std::span<const RowBlock> blocks);
  std::string Response(const Waiting& waiting, const AppendOutcome& outcome) const;
  void RefuseWaiting();
  Chunk* NextChunk();

  const AppendServices services_;
  const StreamName name_;
  const std::string path_;
  const WriteStreamPtr stream_;     // nullptr: the default stream
  TableWatch watch_;                // of the table
  TablePtr table_;                  // as the watch last saw it
  int64_t lost_rows_ = 0;           // that a replaced table's stream was told to have
  int64_t told_version_ = 0;        // the schema_version the client knows
  std::optional<ChangeMode> mode_;  // of the first request that was good
  std::string descriptor_;          // the writer schema's bytes, proto or Arrow
  bool is_arrow_ = false;
  bool is_prepared_ = false;  // a decoder is made for descriptor_ and plan_version_
  std::unique_ptr<ProtoRowDecoder> decoder_;
  std::vector<std::unique_ptr<ProtoRowDecoder>> retired_decoders_;
  std::unique_ptr<ArrowRowDecoder> arrow_decoder_;
  std::vector<std::unique_ptr<ArrowRowDecoder>> retired_arrow_decoders_;
  std::optional<ColumnDefaults> defaults_;      // of plan_version_'s schema
  std::vector<bool> defaulted_;                 // which columns take theirs; empty: none
  std::vector<bool> chosen_;                    // the same as the last request asked
  int64_t plan_version_ = -1;                   // the table's schema_version that the decoder is made for
  int64_t watch_version_ = -1;                  // and the watch's
  std::vector<std::unique_ptr<Chunk>> chunks_;  // used again by every transaction
  size_t used_chunks_ = 0;
  std::vector<Waiting> waiting_;
  size_t waiting_bytes_ = 0;
};

}  // namespace hakobu::localbq
