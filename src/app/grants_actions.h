// What each `hakobu grants` command does, given a session.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "app/grants_session.h"

namespace hakobu {

struct GrantsArguments {
  std::string format = "text";      // plan: text, json, markdown
  std::string out;                  // a file; empty: standard output
  std::string plan_file;            // apply
  std::string reason;               // apply, revoke
  bool yes = false;                 // apply, revoke
  bool terraform = false;           // export
  bool force = false;               // import
  std::string target;               // who, adopt, revoke
  std::string member;               // what, adopt, revoke
  std::string role;                 // adopt, revoke; empty: every role
  std::vector<std::string> groups;  // what
  size_t newest = 20;               // log
};

// Each answers the exit code.
absl::StatusOr<int> GrantsPlan(GrantsSession& session, const GlobalOptions& globals,
                               const GrantsArguments& arguments);
absl::StatusOr<int> GrantsApply(GrantsSession& session, const GrantsOptions& options,
                                const GrantsArguments& arguments);
absl::StatusOr<int> GrantsImport(GrantsSession& session, const GrantsArguments& arguments);
absl::StatusOr<int> GrantsDrift(GrantsSession& session, const GlobalOptions& globals);
absl::StatusOr<int> GrantsAdopt(GrantsSession& session, const GrantsArguments& arguments);
absl::StatusOr<int> GrantsRevoke(GrantsSession& session, const GrantsArguments& arguments);
absl::StatusOr<int> GrantsWho(GrantsSession& session, const GlobalOptions& globals,
                              const GrantsArguments& arguments);
absl::StatusOr<int> GrantsWhat(GrantsSession& session, const GlobalOptions& globals,
                               const GrantsArguments& arguments);
absl::StatusOr<int> GrantsHistory(GrantsSession& session, const GlobalOptions& globals,
                                  const GrantsArguments& arguments);
absl::StatusOr<int> GrantsExplain(GrantsSession& session);
absl::StatusOr<int> GrantsExport(GrantsSession& session, const GrantsArguments& arguments);

}  // namespace hakobu
