// DuckDB chunks as Arrow record batches, in the types BigQuery's Storage Read API answers.
#pragma once

#include <duckdb.h>

#include <string>
#include <vector>

#include "localbq/catalog/schema.h"
#include "localbq/catalog/warehouse.h"

namespace hakobu::localbq {

// Gathers chunks of the schema's columns. Not thread-safe.
class ArrowWriter {
 public:
  explicit ArrowWriter(const Schema& schema);
  void Append(const Chunk& chunk);
  int64_t rows() const { return rows_; }
  size_t bytes() const;
  // One encapsulated RecordBatch of what was gathered; begins anew.
  std::string Finish();

 private:
  struct Builder {
    Builder(const Column& column, bool as_element);
    void Append(duckdb_vector vector, idx_t from, idx_t count);
    void AppendValidity(const uint64_t* validity, idx_t from, idx_t count);
    void AppendTexts(duckdb_vector vector, idx_t from, idx_t count);
    void AppendLists(duckdb_vector vector, idx_t from, idx_t count);
    void AppendConverted(duckdb_vector vector, const uint64_t* validity, idx_t from, idx_t count);
    size_t bytes() const;
    void Clear();

    Type type;
    bool is_list;
    std::vector<Builder> children;
    int64_t length = 0, null_count = 0;
    std::string validity_bits, data;
    std::vector<int32_t> offsets;
  };
  static void Lay(const Builder& builder, struct BatchBody* body);

  std::vector<Builder> columns_;
  int64_t rows_ = 0;
};

}  // namespace hakobu::localbq
