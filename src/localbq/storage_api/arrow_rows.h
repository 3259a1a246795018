// Rows in Arrow record batches, decoded into DuckDB data chunks.
// Source: Google's page "Supported protocol buffer and Arrow data types".
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "localbq/catalog/schema.h"
#include "localbq/catalog/warehouse.h"
#include "localbq/storage_api/proto_rows.h"

namespace hakobu::localbq {

struct ArrowPlan;   // a writer's schema against the table's, immutable
struct ArrowArray;  // one column of a batch, its buffers checked

// `message`: an encapsulated Schema. Errors as CompileProtoPlan's.
absl::StatusOr<std::shared_ptr<const ArrowPlan>> CompileArrowPlan(std::string_view message,
                                                                  const Schema& schema);

// Which of the table's columns the writer sends.
std::vector<bool> ColumnsOf(const ArrowPlan& plan);

// Not thread-safe. Texts in the chunks point into the batch and into the decoder, until Release.
class ArrowRowDecoder {
 public:
  ArrowRowDecoder(std::shared_ptr<const ArrowPlan> plan, DecodeOptions options);
  ~ArrowRowDecoder();

  // `message`: an encapsulated RecordBatch. Answers how many rows it has.
  absl::StatusOr<int64_t> Open(std::string_view message);
  // Rows [from, from + count) of the opened batch, at most duckdb_vector_size().
  void Decode(int64_t from, int64_t count, duckdb_data_chunk chunk, std::vector<RowError>* errors);
  void Release();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace hakobu::localbq
