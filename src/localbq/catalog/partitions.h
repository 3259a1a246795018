// Partitions, as far as rows go by them: none is stored apart.
// Source: https://cloud.google.com/bigquery/docs/partitioned-tables
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "localbq/catalog/catalog.h"

namespace hakobu::localbq {

class Connection;

// The column whose values say a row's partition; empty: the table is not partitioned, or by the time of
// arrival, which is not kept.
std::string PartitionColumn(const Table& table);

// A DuckDB condition for rows whose partition has expired; empty: none does.
std::string ExpiredCondition(const Table& table, absl::Time now);

// Of rows that the connection's transaction has put into `relation` (quoted): InvalidArgument in Google's
// words when they are of more than 4,000 partitions.
absl::Status CheckPartitionCount(Connection& connection, const Table& table, const std::string& relation);

// A table whose partitions expire by its dataset's default has no table expiration by default.
void TakeDatasetDefaults(const Dataset& dataset, Table* table);

}  // namespace hakobu::localbq
