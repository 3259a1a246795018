// The statements that bring a staging table's rows into the target. Pure.
#pragma once

#include <string>

#include "destination/destination.h"
#include "row/field.h"

namespace hakobu {

// One MERGE: rows of `staging` update those of `target` with the same key, the others are inserted. Nothing
// is deleted. `schema.key` must not be empty. `newest_by`: a field's name; of staged rows with the same key
// only the one with its largest value is taken. Empty: no key is staged twice. `partition`: the target's
// partitioning column where it demands a filter over it (here and below): the statement then has one that is
// always true.
std::string MergeSql(const TableSchema& schema, const TableName& staging, const TableName& target,
                     std::string_view newest_by = {}, std::string_view partition = {});
// The same where the staging table has every row of the source: those of the target that it has not go.
std::string MergeAllSql(const TableSchema& schema, const TableName& staging, const TableName& target,
                        std::string_view partition = {});
// How many rows of the target have a key that the staging table has not.
std::string CountOthersSql(const TableSchema& schema, const TableName& staging, const TableName& target,
                           std::string_view partition = {});
// One MERGE that leaves exactly the rows of `staging` in `target`, and everything that hangs on it.
std::string ReplaceSql(const TableSchema& schema, const TableName& staging, const TableName& target,
                       std::string_view partition = {});
// The schema's columns of all rows of `table`.
std::string SelectSql(const TableSchema& schema, const TableName& table);
std::string CountRowsSql(const TableName& table, std::string_view partition = {});

// `name` in backquotes, for GoogleSQL.
std::string QuoteField(std::string_view name);

// How many keys there are in `keys`, a table of them alone: a chunk whose commit was answered too late may be
// there twice.
std::string CountKeysSql(const TableSchema& schema, const TableName& keys);
// Deletes the target's rows whose key is not in `keys`, a table of keys alone.
std::string DeleteGoneSql(const TableSchema& schema, const TableName& keys, const TableName& target,
                          std::string_view partition);

}  // namespace hakobu
