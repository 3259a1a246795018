// Rows that BigQuery has and the source has not, encoded so that they go: deletes by key, or upserts that say
// `_hakobu_deleted` and keep the values.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "delivery/move/request_writer.h"
#include "delivery/stream/lane_schema.h"
#include "destination/tables.h"
#include "encode/encode.h"

namespace hakobu {

// One thread.
class ExtraRows {
 public:
  using Send = RequestWriter::Send;
  static absl::StatusOr<std::unique_ptr<ExtraRows>> Create(const LaneSchema& schema, std::string sequence,
                                                           Send send);
  std::string_view descriptor() const { return writer_.descriptor(); }
  // A row of ExtraSql's answer.
  absl::Status Add(const RowValues& values);
  absl::Status Finish();  // what is left is sent

 private:
  ExtraRows(const LaneSchema& schema, SourceTable table, TableSchema fields, ProtoEncoder encoder,
            std::string sequence, Send send);
  absl::Status Encode();

  const LaneSchema& schema_;
  const SourceTable table_;
  const TableSchema fields_;
  const std::string sequence_;
  RequestWriter writer_;
  Batch batch_;
};

}  // namespace hakobu
