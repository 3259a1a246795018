// What REST asks of the Authority: who is calling, what they may do. Without one (no --auth) everything is
// allowed, and nothing is looked up.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "localbq/auth/authority.h"
#include "localbq/rest/jobs.h"
#include "localbq/rest/service.h"
#include "localbq/sql/execute.h"

namespace hakobu::localbq::rest {

// Which of a token's scopes a method is content with.
enum class ScopeNeed : uint8_t { kRead, kWrite, kInsertData };

// Sets request.identity and scopes, once. The answer to send instead, when the caller is nobody.
std::optional<Reply> Authenticate(const Service& service, Request* request);
// Authenticates, and checks the token's scopes.
std::optional<Reply> Admit(const Service& service, ScopeNeed need, Request* request);

// PermissionDenied in Google's words, or OK.
absl::Status CheckPermission(const Service& service, const Request& request, std::string_view permission,
                             const auth::Resource& resource);
// Whether a listing shows it.
bool IsVisible(const Service& service, const Request& request, std::string_view permission,
               const auth::Resource& resource);
// For the caller's own job nothing is asked; for another's, `permission` in the project.
absl::Status CheckJob(const Service& service, const Request& request, const Job& job,
                      std::string_view permission);

// For a job's own thread, with its owner's permissions. A target that is not there yet is to be created.
absl::Status CheckSource(const Service& service, const Job& job, const Table& table);
absl::Status CheckTarget(const Service& service, const Job& job, const TableId& id);
// Do the caller's scopes let a query change anything?
bool MayChange(const Request& request);
// The access hooks of a query that `identity` runs; without `may_change` it may only read, whatever its roles
// are.
void AddAccessHooks(const Service& service, const std::string& identity, bool may_change,
                    sql::ExecuteHooks* hooks);

}  // namespace hakobu::localbq::rest
