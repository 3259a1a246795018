// What hangs on a table, and which way of putting new content in its place keeps it.
// Sources: docs/local-bigquery.md, "What publishing keeps".
#pragma once

#include <string>

#include "absl/status/status.h"
#include "localbq/catalog/catalog.h"

namespace hakobu::localbq {

// Members of Table::other that no REST resource shows.
inline constexpr char kIamPolicyKey[] = "~iamPolicy";
inline constexpr char kRowPoliciesKey[] = "~rowAccessPolicies";

// Each completes `after`, which is to replace `before`. `losses`: also what Google's service takes away.

// WRITE_TRUNCATE of a load or a query: the object, its description, labels and layout stay; row access
// policies and the key of encryption go unless `after` has its own. Column descriptions, policy tags and
// constraints are those of `after`.
void KeepOverTruncate(const Table& before, bool losses, Table* after);
// WRITE_TRUNCATE of a copy: also the partition expiration and the filter requirement stay; constraints,
// policy tags and row access policies are the source's.
void KeepOverCopy(const Table& before, const Table& source, bool losses, Table* after);
// CREATE OR REPLACE: only who may use it stays.
void KeepOverRecreate(const Table& before, Table* after);

// What WRITE_TRUNCATE_DATA may do; it is not known.
void DropRowPolicies(Table* table);

// InvalidArgument in Google's words when new content of another layout cannot take the table's place.
absl::Status CheckLoadLayout(const Table& before, const Table& load);
absl::Status CheckCopyLayout(const Table& source, const Table& target);
absl::Status CheckRecreatedLayout(Table before, Table after);

}  // namespace hakobu::localbq
