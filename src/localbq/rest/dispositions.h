// createDisposition and writeDisposition, decided once for loads, copies and queries.
#pragma once

#include <string_view>

#include "absl/status/statusor.h"
#include "localbq/catalog/catalog.h"
#include "localbq/rest/service.h"

namespace hakobu::localbq::rest {

enum class WriteMode : uint8_t {
  kAppend,       // to destination.table as it is
  kReplace,      // rows, schema and constraints: WRITE_TRUNCATE, or a table that is not there yet
  kReplaceRows,  // rows only: WRITE_TRUNCATE_DATA
};

struct Destination {
  TablePtr table;  // null: there is none, kReplace makes it
  WriteMode write;
};

// NotFound for CREATE_NEVER without the table; AlreadyExists for WRITE_EMPTY with rows in it.
absl::StatusOr<Destination> OpenDestination(const Service& service, const TableId& id,
                                            std::string_view create, std::string_view write);

// A WRITE_TRUNCATE that also wants schemaUpdateOptions, in Google's words.
absl::Status UpdateOptionsRefused();

}  // namespace hakobu::localbq::rest
