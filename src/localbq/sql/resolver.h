// The translator's view of the catalog: tables, views and INFORMATION_SCHEMA.
#pragma once

#include <string>

#include "localbq/catalog/catalog.h"
#include "localbq/catalog/warehouse.h"
#include "localbq/sql/execute.h"
#include "localbq/sql/sql.h"

namespace hakobu::localbq::sql {

class CatalogResolver : public Resolver {
 public:
  CatalogResolver(Catalog& catalog, const ExecuteHooks& hooks, std::string project)
      : catalog_(catalog), hooks_(hooks), project_(std::move(project)) {}
  absl::StatusOr<TableInfo> FindTable(const TableName& name) override;
  void EnterView(const TableName& view) override { views_.push_back(view); }
  void LeaveView() override { views_.pop_back(); }

 private:
  Catalog& catalog_;
  const ExecuteHooks& hooks_;
  std::string project_;
  std::vector<TableName> views_;  // that are being read, the innermost last
};

// "INFORMATION_SCHEMA.TABLES" and the like: its columns and a parenthesised DuckDB query of its rows.
absl::StatusOr<TableInfo> InformationSchema(Catalog& catalog, const ExecuteHooks& hooks,
                                            const TableName& name);

// The row count of a table and an estimate of its bytes.
int64_t CountRows(Catalog& catalog, const TableId& id);
int64_t EstimateRowBytes(const Schema& schema);

// REST's text of table options: "[(\"env\", \"test\")]", as TABLE_OPTIONS shows them.
struct ShownOption {
  std::string name, type, value;
};
std::vector<ShownOption> ShownOptions(const Table& table);

// The DDL that would make the table: INFORMATION_SCHEMA.TABLES.ddl.
std::string TableDdl(const Table& table);

}  // namespace hakobu::localbq::sql
