// The schema in an Avro file's header, as a load job with useAvroLogicalTypes=true reads it
// (https://cloud.google.com/bigquery/docs/loading-data-cloud-storage-avro).
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "encode/column.h"

namespace hakobu {

// JSON; sets each column's prefix (the branch of its union, for nullable fields). InvalidArgument for a
// column whose name is no Avro name.
absl::StatusOr<std::string> MakeAvroSchema(Columns* columns);

}  // namespace hakobu
