#include "localbq/rest/dispositions.h"

#include <fmt/format.h>

#include "base/status.h"
#include "localbq/catalog/warehouse.h"

namespace hakobu::localbq::rest {

absl::Status UpdateOptionsRefused() {
  return absl::InvalidArgumentError(
      "Schema update options should only be specified with WRITE_APPEND disposition, or with WRITE_TRUNCATE "
      "disposition on a table partition.");
}

absl::StatusOr<Destination> OpenDestination(const Service& service, const TableId& id,
                                            std::string_view create, std::string_view write) {
  HAKOBU_RETURN_IF_ERROR(service.catalog->GetDataset(id.parent()).status());
  const absl::StatusOr<TablePtr> found = service.catalog->GetTable(id);
  if (!found.ok()) {
    if (create == "CREATE_NEVER") return found.status();
    return Destination{nullptr, WriteMode::kReplace};
  }
  if ((*found)->type != TableType::kTable) {
    return absl::InvalidArgumentError(
        fmt::format("{} is not allowed for this operation because it is not a table.", DisplayName(id)));
  }
  if (write == "WRITE_TRUNCATE") return Destination{*found, WriteMode::kReplace};
  if (write == "WRITE_TRUNCATE_DATA") return Destination{*found, WriteMode::kReplaceRows};
  if (write == "WRITE_APPEND") return Destination{*found, WriteMode::kAppend};
  if (write != "WRITE_EMPTY") {
    return absl::InvalidArgumentError(
        fmt::format("Invalid value for writeDisposition: {} is not a valid value", write));
  }
  HAKOBU_ASSIGN_OR_RETURN(const Warehouse::Lease connection, service.warehouse->Connect());
  HAKOBU_ASSIGN_OR_RETURN(
      Result rows,
      connection->Query(fmt::format("SELECT count(*) FROM (SELECT 1 FROM {} LIMIT 1)", DuckDbName(id))));
  if (rows.FirstInt64().value_or(0) != 0) {
    return absl::AlreadyExistsError(fmt::format("Already Exists: Table {}", DisplayName(id)));
  }
  return Destination{*found, WriteMode::kAppend};
}

}  // namespace hakobu::localbq::rest
