// Members and roles as CSV lines, datasets and IAM policies write them, and their one canonical form.
#pragma once

#include <string>
#include <string_view>

namespace hakobu {

// Canonical: "user:a@x.com" (address in lower case), "group:…", "serviceAccount:…", "domain:x.com",
// "principal://…", "principalSet://…".
struct ParsedMember {
  std::string member;    // empty when it is refused
  std::string expected;  // why, as "expected …"
  std::string hint;
};
ParsedMember ParseMember(std::string_view text);

// Canonical: "reader", "writer", "owner" (which BigQuery also calls READER and roles/bigquery.dataViewer,
// WRITER and dataEditor, OWNER and dataOwner), or "roles/…" as it stands.
std::string CanonicalRole(std::string_view role);
// "READER" for "reader"; others as they are.
std::string DatasetRole(std::string_view canonical);
// "roles/bigquery.dataViewer" for "reader"; others as they are. IAM conditions and table policies need it.
std::string IamRole(std::string_view canonical);

struct ParsedRole {
  std::string role;  // canonical; empty when it is refused
  std::string expected;
  std::string hint;
};
// A role of its own; named kinds are looked up before.
ParsedRole ParseRole(std::string_view text);

// 3 owner, 2 writer, 1 reader, 0 any other role.
int RoleRank(std::string_view canonical);

}  // namespace hakobu
