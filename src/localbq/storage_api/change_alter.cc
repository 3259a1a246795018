// A change log follows its table's columns: what waits is merged before they change.
#include <fmt/format.h>

#include <algorithm>

#include "base/status.h"
#include "localbq/catalog/table_change.h"
#include "localbq/storage_api/change_log_parts.h"

namespace hakobu::localbq {
namespace {

std::string FormerName(const std::string& name, const Renames& renames) {
  for (const auto& [former, latter] : renames) {
    if (SameName(latter, name)) return former;
  }
  return name;
}

// The remembered keys as the altered table has them; none, when its key is another.
absl::Status FollowKeys(Connection& connection, const Table& before, const Table& after,
                        const Renames& renames) {
  const std::string keys = KeysTable(before.generation);
  std::string values;
  bool is_unchanged = true;
  bool is_same_key = before.primary_key.size() == after.primary_key.size();
  for (const std::string& name : after.primary_key) {
    const std::string former = FormerName(name, renames);
    const Column* column = FindColumn(after.schema, name);
    const Column* was = FindColumn(before.schema, former);
    const bool was_key = std::ranges::any_of(before.primary_key,
                                             [&](const std::string& key) { return SameName(key, former); });
    if (column == nullptr || was == nullptr || !was_key) {
      is_same_key = false;
      continue;
    }
    HAKOBU_ASSIGN_OR_RETURN(const std::string value, ConvertedColumn(*was, *column));
    is_unchanged = is_unchanged && former == name && DuckDbType(*was) == DuckDbType(*column);
    values += fmt::format("{} AS {}, ", value, Quoted(name));
  }
  if (is_same_key && is_unchanged) return absl::OkStatus();
  if (!is_same_key) return connection.Run("DELETE FROM " + keys);
  return connection.Run(fmt::format(
      "CREATE OR REPLACE TABLE {0} AS SELECT {1}\"~sequence\", \"~deleted_us\" FROM {0}", keys, values));
}

}  // namespace

absl::Status ChangeLog::MergeForAlter(Active& active, const Table& table) {
  std::vector<std::shared_ptr<Part>> parts;
  {
    absl::MutexLock lock(&active.mutex);
    parts.assign(active.parts.begin(), active.parts.end());
  }
  const absl::Status merged =
      catalog_->warehouse()->InTransaction([&](Connection& connection) -> absl::Status {
        for (const auto& part : parts) HAKOBU_RETURN_IF_ERROR(Merge(connection, table, *part));
        return absl::OkStatus();
      });
  HAKOBU_RETURN_IF_ERROR(Annotate(merged, "merge changes before an alteration"));
  absl::MutexLock lock(&active.mutex);
  active.parts.clear();
  return absl::OkStatus();
}

// The merge's lock is taken before the table's, as ApplyLocked takes them. No append is on its way while the
// table is locked: those that chose a part wait, and then find that the columns have changed.
Catalog::Alteration ChangeLog::BeginAlter(const TableId& id) {
  const auto table = catalog_->GetTable(id);
  const ActivePtr active = table.ok() ? Find(**table) : nullptr;
  if (active == nullptr) return nullptr;
  auto merging = std::make_shared<absl::ReleasableMutexLock>(&active->apply_mutex);
  return [this, active, merging](Connection* connection, const Table& before, const Table& after,
                                 const Renames& renames) -> absl::Status {
    if (before.generation != active->generation) return absl::OkStatus();
    if (connection == nullptr) return MergeForAlter(*active, before);
    return FollowKeys(*connection, before, after, renames);
  };
}

}  // namespace hakobu::localbq
