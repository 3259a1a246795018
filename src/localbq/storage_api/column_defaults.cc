#include "localbq/storage_api/column_defaults.h"

#include <fmt/format.h>

#include <cstring>
#include <utility>

#include "base/status.h"
#include "localbq/sql/sql.h"

namespace hakobu::localbq {
namespace {

// Of the physical types that scalar columns are stored as; 0: a string_t.
size_t WidthOf(duckdb_type type) {
  switch (type) {
    case DUCKDB_TYPE_BOOLEAN:
      return 1;
    case DUCKDB_TYPE_DATE:
      return 4;
    case DUCKDB_TYPE_BIGINT:
    case DUCKDB_TYPE_DOUBLE:
    case DUCKDB_TYPE_TIME:
    case DUCKDB_TYPE_TIMESTAMP:
    case DUCKDB_TYPE_TIMESTAMP_TZ:
      return 8;
    case DUCKDB_TYPE_DECIMAL:  // (38, 9)
    case DUCKDB_TYPE_INTERVAL:
      return 16;
    default:
      return 0;
  }
}

duckdb_type TypeOf(duckdb_vector vector) {
  duckdb_logical_type logical = duckdb_vector_get_column_type(vector);
  const duckdb_type type = duckdb_get_type_id(logical);
  duckdb_destroy_logical_type(&logical);
  return type;
}

bool IsNull(duckdb_vector vector, idx_t row) {
  uint64_t* const validity = duckdb_vector_get_validity(vector);
  return validity != nullptr && !duckdb_validity_row_is_valid(validity, row);
}

class Copier {
 public:
  Copier(duckdb_vector to, Arena* arena) : to_(to), width_(WidthOf(TypeOf(to))), arena_(arena) {
    duckdb_vector_ensure_validity_writable(to);
  }
  void Copy(duckdb_vector from, idx_t from_row, idx_t to_row) {
    if (IsNull(from, from_row)) return;
    auto* const target = static_cast<char*>(duckdb_vector_get_data(to_));
    auto* const source = static_cast<char*>(duckdb_vector_get_data(from));
    if (width_ != 0) {
      std::memcpy(target + to_row * width_, source + from_row * width_, width_);
    } else {
      auto value = reinterpret_cast<duckdb_string_t*>(source)[from_row];
      if (!duckdb_string_is_inlined(value)) {
        const std::string_view kept =
            arena_->Copy({duckdb_string_t_data(&value), duckdb_string_t_length(value)});
        value.value.pointer.ptr = const_cast<char*>(kept.data());
      }
      reinterpret_cast<duckdb_string_t*>(target)[to_row] = value;
    }
    duckdb_validity_set_row_valid(duckdb_vector_get_validity(to_), to_row);
  }

 private:
  const duckdb_vector to_;
  const size_t width_;
  Arena* const arena_;
};

}  // namespace

absl::StatusOr<ColumnDefaults> ColumnDefaults::Prepare(Warehouse* warehouse, const Schema& schema) {
  ColumnDefaults defaults;
  defaults.warehouse_ = warehouse;
  defaults.expressions_.resize(schema.size());
  const sql::Context context;  // CURRENT_TIMESTAMP is when the values are computed
  for (size_t i = 0; i < schema.size(); ++i) {
    const Column& column = schema[i];
    const bool is_scalar =
        column.mode != Mode::kRepeated && column.type != Type::kRecord && column.type != Type::kRange;
    if (column.default_expression.empty() || !is_scalar) continue;
    HAKOBU_ASSIGN_OR_RETURN(const std::string expression,
                            sql::TranslateExpression(column.default_expression, column, context));
    defaults.expressions_[i] = fmt::format("CAST({} AS {})", expression, DuckDbType(column));
    defaults.is_empty_ = false;
  }
  return defaults;
}

absl::Status ColumnDefaults::Fill(size_t index, const Chunk& chunk,
                                  absl::FunctionRef<bool(idx_t row)> is_missing) {
  const duckdb_vector column = chunk.column(index);
  std::vector<idx_t> rows;
  for (idx_t row = 0; row < chunk.rows(); ++row) {
    if (IsNull(column, row) && is_missing(row)) rows.push_back(row);
  }
  if (rows.empty()) return absl::OkStatus();
  HAKOBU_ASSIGN_OR_RETURN(const Warehouse::Lease connection, warehouse_->Connect());
  HAKOBU_ASSIGN_OR_RETURN(Result values, connection->Query(fmt::format("SELECT {} FROM range({})",
                                                                       expressions_[index], rows.size())));
  Copier copier(column, &arena_);
  size_t next = 0;
  while (const std::optional<Chunk> computed = values.Next()) {
    for (idx_t row = 0; row < computed->rows(); ++row) copier.Copy(computed->column(0), row, rows[next++]);
  }
  return absl::OkStatus();
}

}  // namespace hakobu::localbq
