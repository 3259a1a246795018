#include "localbq/sql/functions.h"

#include <duckdb.h>
#include <fmt/format.h>

#include <span>

#include "localbq/sql/scalar_function.h"

namespace hakobu::localbq::sql {
namespace {

duckdb_logical_type LogicalType(char letter) {
  switch (letter) {
    case 'I':
      return duckdb_create_logical_type(DUCKDB_TYPE_BIGINT);
    case 'F':
      return duckdb_create_logical_type(DUCKDB_TYPE_DOUBLE);
    case 'B':
      return duckdb_create_logical_type(DUCKDB_TYPE_BOOLEAN);
    case 'Y':
      return duckdb_create_logical_type(DUCKDB_TYPE_BLOB);
    case 'N':
      return duckdb_create_decimal_type(38, 9);
    case 'G':
      return duckdb_create_logical_type(DUCKDB_TYPE_BIGNUM);
    case 'D':
      return duckdb_create_logical_type(DUCKDB_TYPE_DATE);
    case 'T':
      return duckdb_create_logical_type(DUCKDB_TYPE_TIMESTAMP);
    case 'M':
      return duckdb_create_logical_type(DUCKDB_TYPE_TIME);
    case 'Z':
      return duckdb_create_logical_type(DUCKDB_TYPE_TIMESTAMP_TZ);
    case 'V':
      return duckdb_create_logical_type(DUCKDB_TYPE_INTERVAL);
    default:
      return duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR);
  }
}

void Call(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output) {
  const auto* function = static_cast<const ScalarFunction*>(duckdb_scalar_function_get_extra_info(info));
  idx_t columns = duckdb_data_chunk_get_column_count(input);
  for (idx_t i = 0; i < duckdb_data_chunk_get_size(input); ++i) {
    Row row(info, input, output, i);
    bool null = false;
    for (idx_t column = 0; column < columns && !null; ++column) {
      uint64_t* validity = duckdb_vector_get_validity(duckdb_data_chunk_get_vector(input, column));
      null = validity != nullptr && !duckdb_validity_row_is_valid(validity, i);
    }
    if (null) {
      row.SetNull();
      continue;
    }
    function->call(row);
    if (row.failed()) return;
  }
}

absl::Status Register(duckdb_connection connection, const ScalarFunction& definition) {
  duckdb_scalar_function function = duckdb_create_scalar_function();
  duckdb_scalar_function_set_name(function, definition.name);
  for (const char* letter = definition.signature + 1; *letter != '\0'; ++letter) {
    duckdb_logical_type type = LogicalType(*letter);
    duckdb_scalar_function_add_parameter(function, type);
    duckdb_destroy_logical_type(&type);
  }
  duckdb_logical_type type = LogicalType(definition.signature[0]);
  duckdb_scalar_function_set_return_type(function, type);
  duckdb_destroy_logical_type(&type);
  duckdb_scalar_function_set_special_handling(function);
  duckdb_scalar_function_set_extra_info(function, const_cast<ScalarFunction*>(&definition), nullptr);
  duckdb_scalar_function_set_function(function, Call);
  duckdb_state state = duckdb_register_scalar_function(connection, function);
  duckdb_destroy_scalar_function(&function);
  if (state == DuckDBSuccess) return absl::OkStatus();
  return absl::InternalError(fmt::format("register SQL function {}: DuckDB refused it", definition.name));
}

}  // namespace

absl::Status RegisterFunctions(duckdb_connection connection) {
  for (std::span<const ScalarFunction> functions :
       {std::span(kNumberFunctions, kNumberFunctionCount), std::span(kTimeFunctions, kTimeFunctionCount),
        std::span(kTextFunctions, kTextFunctionCount), std::span(kPaddingFunctions, kPaddingFunctionCount)}) {
    for (const ScalarFunction& function : functions) {
      absl::Status status = Register(connection, function);
      if (!status.ok()) return status;
    }
  }
  return absl::OkStatus();
}

}  // namespace hakobu::localbq::sql
