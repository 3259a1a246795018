// What execute.cc and execute_ddl.cc share.
#pragma once

#include <string>
#include <vector>

#include "localbq/sql/execute.h"

namespace hakobu::localbq::sql {

struct Run {
  Catalog& catalog;
  const Context& context;
  const ExecuteHooks& hooks;
  bool is_last = true;  // the statement is the script's last
};

// The hook's guard for `connection`; null without a hook.
absl::StatusOr<std::shared_ptr<void>> Guard(const Run& run, Connection& connection);
// What belongs to the transaction of the statement that ends the script.
absl::Status BeforeCommit(const Run& run, Connection& connection, const Answer& answer);

TableId IdOf(const TableName& name);

// Creates, alters or drops what `statement` says; `fill` of a CREATE TABLE AS SELECT is statement.duckdb.
absl::Status ExecuteDdl(const Statement& statement, Run& run, Answer& answer);

// ALTER TABLE and ALTER VIEW.
absl::Status ExecuteAlter(const Statement& statement, Run& run, Answer& answer);

absl::Status BadOption(const Option& option);

// A statement's foreign key as the catalog has it.
hakobu::localbq::ForeignKey KeyOf(const ForeignKey& key);

// DuckDB's failure as BigQuery would put it: InvalidArgument, without DuckDB's error class before the text.
absl::Status QueryFailure(const absl::Status& status);

// "INSERT INTO target (columns) query"; `target` is quoted.
std::string InsertQuery(const std::string& target, const Schema& columns, const std::string& query);

// The options of CREATE and ALTER TABLE, view included, put into `table`.
absl::Status ApplyOptions(const std::vector<Option>& options, Table& table);

}  // namespace hakobu::localbq::sql
