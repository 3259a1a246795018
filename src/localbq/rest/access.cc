#include "localbq/rest/access.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/status.h"
#include "localbq/auth/row_filter.h"
#include "localbq/catalog/catalog.h"

namespace hakobu::localbq::rest {
namespace {

using nlohmann::json;

bool Satisfies(std::string_view scope, ScopeNeed need) {
  constexpr std::string_view kPrefix = "https://www.googleapis.com/auth/";
  if (!scope.starts_with(kPrefix)) return false;
  scope.remove_prefix(kPrefix.size());
  if (scope == "bigquery" || scope == "cloud-platform") return true;
  if (need == ScopeNeed::kInsertData) return scope == "bigquery.insertdata";
  return need == ScopeNeed::kRead && (scope == "bigquery.readonly" || scope == "cloud-platform.read-only");
}

bool HasScope(const Request& request, ScopeNeed need) {
  return request.scopes.empty() || std::ranges::any_of(request.scopes, [need](const std::string& scope) {
           return Satisfies(scope, need);
         });
}

json ErrorInfo(std::string_view reason) {
  return {{"@type", "type.googleapis.com/google.rpc.ErrorInfo"},
          {"reason", reason},
          {"domain", "googleapis.com"},
          {"metadata", {{"service", "bigquery.googleapis.com"}}}};
}

Reply Refusal(int code, std::string_view status, std::string_view message, json entry,
              std::string_view reason) {
  entry["domain"] = "global";
  Reply reply = JsonReply({{"error",
                            {{"code", code},
                             {"message", message},
                             {"errors", json::array({std::move(entry)})},
                             {"status", status},
                             {"details", json::array({ErrorInfo(reason)})}}}});
  reply.status = code;
  return reply;
}

Reply NotAuthenticated(const absl::Status& status, bool is_missing) {
  json entry = {{"message", is_missing ? "Login Required." : "Invalid Credentials"},
                {"reason", is_missing ? "required" : "authError"},
                {"location", "Authorization"},
                {"locationType", "header"}};
  Reply reply = Refusal(401, "UNAUTHENTICATED", View(status.message()), std::move(entry),
                        is_missing ? "CREDENTIALS_MISSING" : "ACCESS_TOKEN_TYPE_UNSUPPORTED");
  reply.headers.emplace_back("WWW-Authenticate",
                             is_missing
                                 ? R"(Bearer realm="https://accounts.google.com/")"
                                 : R"(Bearer realm="https://accounts.google.com/", error="invalid_token")");
  return reply;
}

Reply NarrowScopes() {
  Reply reply = Refusal(403, "PERMISSION_DENIED", "Request had insufficient authentication scopes.",
                        {{"message", "Insufficient Permission"}, {"reason", "insufficientPermissions"}},
                        "ACCESS_TOKEN_SCOPE_INSUFFICIENT");
  reply.headers.emplace_back("WWW-Authenticate",
                             R"(Bearer realm="https://accounts.google.com/", error="insufficient_scope")");
  return reply;
}

auth::Resource ResourceOf(const TableId& id) {
  return {id.project, id.dataset, id.table};
}

absl::Status MayNotQuery(const sql::TableName& name) {
  const std::string table = fmt::format("{}:{}.{}", name.project, name.dataset, name.table);
  return absl::PermissionDeniedError(
      fmt::format("Access Denied: Table {0}: User does not have permission to query table {0}, or perhaps it "
                  "does not exist.",
                  table));
}

absl::Status CheckRead(const auth::Authority& authority, const std::string& identity,
                       const sql::TableName& name, const sql::TableName* through) {
  const bool is_schema_view = name.table.starts_with("INFORMATION_SCHEMA.");
  const auth::Resource resource{name.project, name.dataset, is_schema_view ? "" : name.table};
  const std::string_view permission = is_schema_view ? "bigquery.tables.list" : "bigquery.tables.getData";
  if (authority.Check(identity, permission, resource).ok()) return absl::OkStatus();
  const bool lets_through = through != nullptr && !is_schema_view &&
                            authority.IsAuthorizedView({name.project, name.dataset},
                                                       {through->project, through->dataset, through->table});
  return lets_through ? absl::OkStatus() : MayNotQuery(name);
}

// Rows of a table that is there, or a new table in its dataset.
absl::Status CheckWrite(const Service& service, const std::string& identity, const TableId& id) {
  const auth::Authority& authority = *service.authority;
  const absl::StatusOr<TablePtr> table = service.catalog->GetTable(id);
  if (!table.ok()) return authority.Check(identity, "bigquery.tables.create", {id.project, id.dataset, ""});
  return authority.Check(identity, "bigquery.tables.updateData", ResourceOf(id));
}

absl::Status CheckAccess(const Service& service, const std::string& identity, const sql::TableName& name,
                         sql::Access access) {
  const auth::Authority& authority = *service.authority;
  const bool is_dataset = name.table.empty();
  const auth::Resource project{name.project, "", ""}, dataset{name.project, name.dataset, ""},
      table{name.project, name.dataset, name.table};
  switch (access) {
    case sql::Access::kCreate:
      if (is_dataset) return authority.Check(identity, "bigquery.datasets.create", project);
      return authority.Check(identity, "bigquery.tables.create", dataset);
    case sql::Access::kAlter:
      if (is_dataset) return authority.Check(identity, "bigquery.datasets.update", dataset);
      return authority.Check(identity, "bigquery.tables.update", table);
    case sql::Access::kDrop:
      if (is_dataset) return authority.Check(identity, "bigquery.datasets.delete", dataset);
      return authority.Check(identity, "bigquery.tables.delete", table);
    case sql::Access::kWrite:
      break;
  }
  HAKOBU_RETURN_IF_ERROR(authority.Check(identity, "bigquery.tables.updateData", table));
  const absl::StatusOr<TablePtr> target = service.catalog->GetTable({name.project, name.dataset, name.table});
  return target.ok() ? authority.CheckAllRows(identity, **target) : absl::OkStatus();
}

}  // namespace

std::optional<Reply> Authenticate(const Service& service, Request* request) {
  if (service.authority == nullptr || request->is_authenticated) return std::nullopt;
  const std::string_view header = request->Header("authorization");
  absl::StatusOr<auth::Caller> caller = service.authority->Authenticate(header);
  if (!caller.ok()) return NotAuthenticated(caller.status(), header.empty());
  request->identity = std::move(caller->member);
  request->scopes = std::move(caller->scopes);
  request->is_authenticated = true;
  return std::nullopt;
}

std::optional<Reply> Admit(const Service& service, ScopeNeed need, Request* request) {
  if (std::optional<Reply> refused = Authenticate(service, request)) return refused;
  if (!HasScope(*request, need)) return NarrowScopes();
  return std::nullopt;
}

bool MayChange(const Request& request) {
  return HasScope(request, ScopeNeed::kWrite);
}

absl::Status CheckPermission(const Service& service, const Request& request, std::string_view permission,
                             const auth::Resource& resource) {
  return auth::Check(service.authority, request.identity, permission, resource);
}

bool IsVisible(const Service& service, const Request& request, std::string_view permission,
               const auth::Resource& resource) {
  return service.authority == nullptr || service.authority->Allows(request.identity, permission, resource);
}

absl::Status CheckJob(const Service& service, const Request& request, const Job& job,
                      std::string_view permission) {
  if (service.authority == nullptr || auth::EmailOf(request.identity) == job.user) return absl::OkStatus();
  if (service.authority->Allows(request.identity, permission, {job.project, "", ""})) return absl::OkStatus();
  return absl::PermissionDeniedError(
      fmt::format("Access Denied: Job {}:{}.{}: The user does not have {} permission for job {}:{}.{}",
                  job.project, job.location, job.id, permission, job.project, job.location, job.id));
}

absl::Status CheckSource(const Service& service, const Job& job, const Table& table) {
  if (service.authority == nullptr) return absl::OkStatus();
  HAKOBU_RETURN_IF_ERROR(
      service.authority->Check(job.identity, "bigquery.tables.getData", ResourceOf(table.id)));
  return service.authority->CheckAllRows(job.identity, table);
}

absl::Status CheckTarget(const Service& service, const Job& job, const TableId& id) {
  return service.authority == nullptr ? absl::OkStatus() : CheckWrite(service, job.identity, id);
}

void AddAccessHooks(const Service& service, const std::string& identity, bool may_change,
                    sql::ExecuteHooks* hooks) {
  if (service.authority == nullptr) return;
  const auth::Authority* authority = service.authority;
  hooks->check_access = [&service, identity, may_change](const sql::TableName& name, sql::Access access) {
    if (!may_change) return absl::PermissionDeniedError("Request had insufficient authentication scopes.");
    return CheckAccess(service, identity, name, access);
  };
  hooks->check_read = [authority, identity](const sql::TableName& name, const sql::TableName* through) {
    return CheckRead(*authority, identity, name, through);
  };
  hooks->may_see = [authority, identity](const sql::TableName& name) {
    return authority->Allows(identity, name.table.empty() ? "bigquery.datasets.get" : "bigquery.tables.get",
                             {name.project, name.dataset, name.table});
  };
  hooks->row_condition = [authority, identity](const Table& table) {
    return auth::RowCondition(*authority, identity, table);
  };
}

}  // namespace hakobu::localbq::rest
