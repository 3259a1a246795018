// For tests: encoded rows read back by protobuf's own DynamicMessage and by libavro, never by our code.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "encode/encode.h"

namespace hakobu::testing {

// A value as one text per BigQuery type, the same for both formats: INT64 "5"; FLOAT64 shortest digits;
// NUMERIC "12.34"; BOOL "true"; texts as they are; BYTES "0x00ff"; DATE "2024-02-29"; DATETIME "2024-02-29
// 23:59:59.999999"; TIMESTAMP the same and "Z"; TIME "12:34:56.000000"; ARRAY "[1,2.5]"; "NULL".
using ReadRow = std::map<std::string, std::string>;

std::vector<ReadRow> ReadProto(std::string_view descriptor, std::string_view proto_rows,
                               const TableSchema& schema);
std::vector<ReadRow> ReadAvro(std::string_view file, const TableSchema& schema);

// A table shop.items of these columns, and its schema by the type map; a failed mapping fails the test.
SourceTable TableOf(std::vector<SourceColumn> columns);
SourceColumn ColumnOf(std::string name, SourceType type, std::string declared);
TableSchema SchemaOf(const SourceTable& table);

// All rows of a batch through both encoders. `quarantine` gets what the protobuf encoder counted; the test
// fails when Avro's counts or values differ.
std::vector<ReadRow> EncodeBothWays(const SourceTable& table, const TableSchema& schema, const Batch& batch,
                                    Quarantine* quarantine);

}  // namespace hakobu::testing
