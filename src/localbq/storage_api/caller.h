// Who calls over gRPC, and whether they may: the Authority's answers in the Storage API's words. Without an
// Authority (no --auth) everybody may.
#pragma once

#include <grpcpp/server_context.h>

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "localbq/catalog/names.h"

namespace hakobu::localbq {

namespace auth {
class Authority;
}

enum class StorageUse : uint8_t { kRead, kWrite };

// "user:a@x.com"; empty without an Authority. Unauthenticated, or PermissionDenied when the token's scopes
// are for something else.
absl::StatusOr<std::string> CallerOf(const auth::Authority* authority, const grpc::ServerContextBase& context,
                                     StorageUse use);

absl::Status CheckMayAppend(const auth::Authority* authority, std::string_view member, const TableId& table);
// To make a session of the project over the table.
absl::Status CheckMayRead(const auth::Authority* authority, std::string_view member, std::string_view project,
                          const TableId& table);

}  // namespace hakobu::localbq
