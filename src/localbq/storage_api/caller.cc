#include "localbq/storage_api/caller.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/status.h"
#include "localbq/auth/authority.h"
#include "localbq/storage_api/resource_name.h"

namespace hakobu::localbq {
namespace {

bool Satisfies(std::string_view scope, StorageUse use) {
  constexpr std::string_view kPrefix = "https://www.googleapis.com/auth/";
  if (!scope.starts_with(kPrefix)) return false;
  scope.remove_prefix(kPrefix.size());
  if (scope == "bigquery" || scope == "cloud-platform") return true;
  return use == StorageUse::kWrite ? scope == "bigquery.insertdata" : scope == "bigquery.readonly";
}

}  // namespace

absl::StatusOr<std::string> CallerOf(const auth::Authority* authority, const grpc::ServerContextBase& context,
                                     StorageUse use) {
  if (authority == nullptr) return std::string();
  const auto found = context.client_metadata().find("authorization");
  const std::string_view header = found == context.client_metadata().end()
                                      ? std::string_view()
                                      : std::string_view(found->second.data(), found->second.size());
  HAKOBU_ASSIGN_OR_RETURN(const auth::Caller caller, authority->Authenticate(header));
  const bool is_enough =
      caller.scopes.empty() ||
      std::ranges::any_of(caller.scopes, [use](const auto& scope) { return Satisfies(scope, use); });
  if (!is_enough) return absl::PermissionDeniedError("Request had insufficient authentication scopes.");
  return caller.member;
}

absl::Status CheckMayAppend(const auth::Authority* authority, std::string_view member, const TableId& table) {
  if (authority == nullptr) return absl::OkStatus();
  const auth::Resource resource{table.project, table.dataset, table.table};
  if (authority->Check(member, "bigquery.tables.updateData", resource).ok()) return absl::OkStatus();
  return absl::PermissionDeniedError(fmt::format(
      "Permission 'TABLES_UPDATE_DATA' denied on resource '{}' (or it may not exist).", TablePath(table)));
}

absl::Status CheckMayRead(const auth::Authority* authority, std::string_view member, std::string_view project,
                          const TableId& table) {
  if (authority == nullptr) return absl::OkStatus();
  const auto denied = [](std::string_view permission, std::string_view resource) {
    return absl::PermissionDeniedError(
        fmt::format("request failed: the user does not have '{}' permission for '{}'", permission, resource));
  };
  if (!authority->Allows(member, "bigquery.readsessions.create", {std::string(project), "", ""}))
    return denied("bigquery.readsessions.create", fmt::format("projects/{}", project));
  const auth::Resource resource{table.project, table.dataset, table.table};
  if (authority->Check(member, "bigquery.tables.getData", resource).ok()) return absl::OkStatus();
  return denied("bigquery.tables.getData", TablePath(table));
}

}  // namespace hakobu::localbq
