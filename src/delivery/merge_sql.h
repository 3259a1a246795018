// The statement that brings a staging table's rows into the target by key. Pure.
#pragma once

#include <string>

#include "destination/destination.h"
#include "row/field.h"

namespace hakobu {

// One MERGE: rows of `staging` update those of `target` with the same key, the others are inserted. Nothing
// is deleted. `schema.key` must not be empty. `newest_by`: a field's name; of staged rows with the same key
// only the one with its largest value is taken. Empty: no key is staged twice.
std::string MergeSql(const TableSchema& schema, const TableName& staging, const TableName& target,
                     std::string_view newest_by = {});

// `name` in backquotes, for GoogleSQL.
std::string QuoteField(std::string_view name);

}  // namespace hakobu
