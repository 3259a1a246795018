// A table's columns as the Storage API tells them.
#pragma once

#include "localbq/catalog/schema.h"

namespace google::cloud::bigquery::storage::v1 {
class TableSchema;
}

namespace hakobu::localbq {

void ToTableSchema(const Schema& schema, google::cloud::bigquery::storage::v1::TableSchema* result);

}  // namespace hakobu::localbq
