// The seam between the local BigQuery's doors and --auth: who is calling, and may they do this. REST and gRPC
// ask here and nowhere else. Without --auth there is no Authority, and nobody is asked anything.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "base/clock.h"
#include "localbq/auth/access.h"
#include "localbq/auth/identities.h"
#include "localbq/auth/tokens.h"
#include "localbq/catalog/catalog.h"

namespace hakobu::localbq::auth {

// A project, dataset or table: what is not named is empty.
struct Resource {
  std::string project, dataset, table;
};

struct Caller {
  std::string member;               // "user:a@x.com"; empty: nobody was asked
  std::vector<std::string> scopes;  // of the token; empty: all
};

struct AuthorityOptions {
  std::string file;        // identities.h
  std::string key_folder;  // not empty: accounts without a key get one (WriteKeyFiles)
  Clock* clock = Clock::Real();
};

// Thread-safe. The catalog must outlive it.
class Authority {
 public:
  static absl::StatusOr<std::unique_ptr<Authority>> Open(const AuthorityOptions& options,
                                                         const Catalog* catalog);

  // Everything is allowed to whoever shows `token`, and nothing to others: for a server that one program
  // starts for itself.
  static std::unique_ptr<Authority> OfToken(std::string token, const Catalog* catalog);

  // Are tokens asked for at this server too?
  bool GivesTokens() const { return only_token_.empty(); }

  // From an Authorization header's value. Unauthenticated in Google's words.
  absl::StatusOr<Caller> Authenticate(std::string_view authorization) const;

  bool Allows(std::string_view member, std::string_view permission, const Resource& resource) const;
  // PermissionDenied in Google's words. A resource that does not exist is nobody's secret from those who
  // have a role in its project: for them OK, so that what follows says NotFound.
  absl::Status Check(std::string_view member, std::string_view permission, const Resource& resource) const;
  // Whether the view lets its readers through to the dataset's tables.
  bool IsAuthorizedView(const DatasetId& dataset, const TableId& view) const;
  bool HasRoleIn(std::string_view member, const std::string& project) const;
  // Which of a table's rows the member sees.
  RowAccess RowsFor(std::string_view member, const Table& table) const;
  // PermissionDenied unless the member sees all rows: what is no query needs that.
  absl::Status CheckAllRows(std::string_view member, const Table& table) const;
  // Whether `member` may get tokens for the account.
  bool MayImpersonate(std::string_view member, const std::string& account) const;

  const Identities& identities() const { return identities_; }
  TokenStore& tokens() { return tokens_; }
  absl::Time Now() const { return clock_->Now(); }
  // A key file for every account that got its key from the server, and one for every user, with the token
  // endpoint at `url`. Only their owner may read them.
  absl::Status WriteKeyFiles(const std::string& folder, const std::string& url) const;

 private:
  Authority(Identities identities, const Catalog* catalog, Clock* clock)
      : identities_(std::move(identities)), catalog_(catalog), clock_(clock) {}
  std::shared_ptr<const Subject> SubjectOf(std::string_view member, const std::string& project) const;
  absl::StatusOr<Caller> FromSelfSigned(std::string_view token) const;

  std::string only_token_;  // of OfToken; empty: identities_ say who there is
  Identities identities_;
  TokenStore tokens_;
  const Catalog* const catalog_;
  Clock* const clock_;
  mutable absl::Mutex mutex_;
  // Identities never change, so neither does who somebody is.
  mutable absl::flat_hash_map<std::pair<std::string, std::string>, std::shared_ptr<const Subject>> subjects_
      ABSL_GUARDED_BY(mutex_);
};

// The same for callers who may have no Authority: null lets everything through.
inline absl::Status Check(const Authority* authority, std::string_view member, std::string_view permission,
                          const Resource& resource) {
  return authority == nullptr ? absl::OkStatus() : authority->Check(member, permission, resource);
}

// "a@x.com" of "user:a@x.com".
std::string_view EmailOf(std::string_view member);

}  // namespace hakobu::localbq::auth
