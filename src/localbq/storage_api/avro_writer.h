// DuckDB chunks as Avro rows back to back, in the types BigQuery's Storage Read API answers.
// Source: https://cloud.google.com/bigquery/docs/reference/storage, "Avro schema details".
#pragma once

#include <string>

#include "localbq/catalog/schema.h"
#include "localbq/catalog/warehouse.h"

namespace hakobu::localbq {

std::string AvroSchemaOf(const Schema& schema);
void AppendAvroRows(const Schema& schema, const Chunk& chunk, std::string* rows);

}  // namespace hakobu::localbq
