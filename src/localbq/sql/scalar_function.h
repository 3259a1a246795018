// One row of a DuckDB scalar function: typed access to its arguments and its result.
#pragma once

#include <duckdb.h>

#include <string>
#include <string_view>

namespace hakobu::localbq::sql {

class Row {
 public:
  Row(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output, idx_t row)
      : info_(info), input_(input), output_(output), row_(row) {}

  template <typename T>
  T Get(idx_t argument) const {
    return static_cast<const T*>(
        duckdb_vector_get_data(duckdb_data_chunk_get_vector(input_, argument)))[row_];
  }
  std::string_view Text(idx_t argument) const {
    auto* data =
        static_cast<duckdb_string_t*>(duckdb_vector_get_data(duckdb_data_chunk_get_vector(input_, argument)));
    return {duckdb_string_t_data(data + row_), duckdb_string_t_length(data[row_])};
  }
  template <typename T>
  void Set(T value) {
    static_cast<T*>(duckdb_vector_get_data(output_))[row_] = value;
  }
  void SetText(std::string_view text) {
    duckdb_vector_assign_string_element_len(output_, row_, text.data(), text.size());
  }
  void SetNull() {
    duckdb_vector_ensure_validity_writable(output_);
    duckdb_validity_set_row_invalid(duckdb_vector_get_validity(output_), row_);
  }
  // Ends the query with this message (NULL under SAFE).
  void Fail(const std::string& message) {
    duckdb_scalar_function_set_error(info_, message.c_str());
    failed_ = true;
  }
  bool failed() const { return failed_; }

 private:
  duckdb_function_info info_;
  duckdb_data_chunk input_;
  duckdb_vector output_;
  idx_t row_;
  bool failed_ = false;
};

// `signature`: the result's letter, then the arguments': I BIGINT, F DOUBLE, B BOOLEAN, S VARCHAR, Y BLOB,
// N DECIMAL(38,9), G BIGNUM, D DATE, T TIMESTAMP, M TIME, Z TIMESTAMPTZ, J JSON (as VARCHAR), V INTERVAL.
// A NULL argument gives NULL without a call.
struct ScalarFunction {
  const char* name;
  const char* signature;
  void (*call)(Row& row);
};

// The functions, by theme.
extern const ScalarFunction kNumberFunctions[];
extern const size_t kNumberFunctionCount;
extern const ScalarFunction kTimeFunctions[];
extern const size_t kTimeFunctionCount;
extern const ScalarFunction kPaddingFunctions[];
extern const size_t kPaddingFunctionCount;
extern const ScalarFunction kTextFunctions[];
extern const size_t kTextFunctionCount;

}  // namespace hakobu::localbq::sql
