#include "grants/principal.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace hakobu {
namespace {

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

bool IsDomain(std::string_view text) {
  if (text.find('.') == std::string_view::npos || text.size() > 253) return false;
  char previous = '.';
  for (const char c : text) {
    const bool letter = std::isalnum(static_cast<unsigned char>(c)) != 0;
    if (!letter && c != '-' && c != '.') return false;
    if (!letter && previous == '.') return false;
    if (c == '.' && previous == '-') return false;
    previous = c;
  }
  return previous != '.' && previous != '-';
}

bool IsAddress(std::string_view text) {
  const size_t at = text.find('@');
  if (at == std::string_view::npos || at == 0 || at > 64 || !IsDomain(text.substr(at + 1))) return false;
  constexpr std::string_view kAllowed = "!#$%&'*+/=?^_`{|}~.-";
  return std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), [&](unsigned char c) {
    return std::isalnum(c) != 0 || kAllowed.find(static_cast<char>(c)) != std::string_view::npos;
  });
}

constexpr std::string_view kPublicHint =
    "public access is never granted by hakobu; name a group: or a domain: instead";

ParsedMember ParsePrincipal(std::string_view text) {
  const size_t start = text.find("//") + 2;
  const std::string_view path = text.substr(start);
  const bool blank = path.find_first_of(" \t\"'") != std::string_view::npos;
  if (path.substr(0, 19) != "iam.googleapis.com/" || path.size() == 19 || blank) {
    return {"", "principal://iam.googleapis.com/…", "copy it from the workload or workforce identity pool"};
  }
  return {std::string(text), "", ""};
}

struct RoleNames {
  std::string_view canonical, dataset, iam;
};
constexpr std::array<RoleNames, 3> kBasicRoles = {{{"reader", "READER", "roles/bigquery.dataViewer"},
                                                   {"writer", "WRITER", "roles/bigquery.dataEditor"},
                                                   {"owner", "OWNER", "roles/bigquery.dataOwner"}}};

// [BigQuery: IAM roles and permissions] predefined roles that may be granted on a dataset.
constexpr std::array<std::string_view, 8> kDatasetRoles = {"roles/bigquery.dataViewer",
                                                           "roles/bigquery.dataEditor",
                                                           "roles/bigquery.dataOwner",
                                                           "roles/bigquery.metadataViewer",
                                                           "roles/bigquery.filteredDataViewer",
                                                           "roles/bigquery.admin",
                                                           "roles/bigquery.rowAccessPolicyAdmin",
                                                           "roles/bigquery.user"};
// The same page: roles that only a project can grant.
constexpr std::array<std::string_view, 9> kProjectRoles = {
    "roles/bigquery.jobUser",        "roles/bigquery.readSessionUser", "roles/bigquery.resourceAdmin",
    "roles/bigquery.resourceEditor", "roles/bigquery.resourceViewer",  "roles/bigquery.connectionAdmin",
    "roles/bigquery.connectionUser", "roles/bigquery.studioUser",      "roles/bigquery.studioAdmin"};

}  // namespace

ParsedMember ParseMember(std::string_view text) {
  if (text.empty())
    return {"", "a member", "user:ADDRESS, group:ADDRESS, serviceAccount:ADDRESS or domain:NAME"};
  const std::string lower = Lower(text);
  if (lower == "allusers" || lower == "allauthenticatedusers") {
    return {"", "somebody in particular", std::string(kPublicHint)};
  }
  if (lower.rfind("deleted:", 0) == 0) {
    return {"", "a member that exists",
            "remove the line: the account was deleted, and apply cleans up after it"};
  }
  if (lower == "projectowners" || lower == "projectreaders" || lower == "projectwriters") {
    return {"", "somebody in particular",
            "who has a project's basic roles is decided in the project, not here"};
  }
  if (text.rfind("principal://", 0) == 0 || text.rfind("principalSet://", 0) == 0)
    return ParsePrincipal(text);
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos) {
    const bool robot = lower.find(".gserviceaccount.com") != std::string::npos;
    return {"", "a kind before the member",
            IsAddress(text)
                ? (robot ? "write serviceAccount:" + lower : "write user:" + lower + " or group:" + lower)
                : "user:ADDRESS, group:ADDRESS, serviceAccount:ADDRESS or domain:NAME"};
  }
  const std::string kind = lower.substr(0, colon);
  const std::string value = lower.substr(colon + 1);
  if (kind == "domain") {
    if (IsDomain(value)) return {"domain:" + value, "", ""};
    return {"", "a domain as example.com", ""};
  }
  if (kind != "user" && kind != "group" && kind != "serviceaccount") {
    return {"", "user:, group:, serviceAccount:, domain: or principal://", ""};
  }
  if (!IsAddress(value)) return {"", "an address as name@example.com after " + kind + ":", ""};
  const bool robot = value.size() > 20 && value.find(".gserviceaccount.com") != std::string::npos;
  if (kind == "user" && robot)
    return {"", "serviceAccount: before a service account", "write serviceAccount:" + value};
  if (kind == "serviceaccount") {
    if (robot) return {"serviceAccount:" + value, "", ""};
    return {"", "an address that ends in .gserviceaccount.com", "people are user:ADDRESS"};
  }
  return {kind + ":" + value, "", ""};
}

std::string CanonicalRole(std::string_view role) {
  const std::string lower = Lower(role);
  for (const RoleNames& names : kBasicRoles) {
    if (lower == names.canonical || role == names.iam) return std::string(names.canonical);
  }
  return std::string(role);
}

std::string DatasetRole(std::string_view canonical) {
  for (const RoleNames& names : kBasicRoles) {
    if (canonical == names.canonical) return std::string(names.dataset);
  }
  return std::string(canonical);
}

std::string IamRole(std::string_view canonical) {
  for (const RoleNames& names : kBasicRoles) {
    if (canonical == names.canonical) return std::string(names.iam);
  }
  return std::string(canonical);
}

ParsedRole ParseRole(std::string_view text) {
  if (text.empty()) return {"", "a role", "reader, writer, owner, roles/bigquery.…, or a kind of your own"};
  const std::string canonical = CanonicalRole(text);
  if (RoleRank(canonical) > 0) return {canonical, "", ""};
  if (std::find(kProjectRoles.begin(), kProjectRoles.end(), text) != kProjectRoles.end() ||
      text == "roles/owner" || text == "roles/editor" || text == "roles/viewer") {
    return {
        "", "a role on a dataset",
        "this one exists on a project only, where hakobu grants nothing; `hakobu grants explain` says what "
        "running queries needs"};
  }
  if (std::find(kDatasetRoles.begin(), kDatasetRoles.end(), text) != kDatasetRoles.end()) {
    return {std::string(text), "", ""};
  }
  if (text.rfind("roles/bigquery.", 0) == 0)
    return {"", "a role that BigQuery has", "see `hakobu grants explain`"};
  return {"", "reader, writer, owner, roles/bigquery.…, or a kind of your own",
          "define kinds under `kinds:` in grants.yaml"};
}

int RoleRank(std::string_view canonical) {
  if (canonical == "owner") return 3;
  if (canonical == "writer") return 2;
  return canonical == "reader" ? 1 : 0;
}

}  // namespace hakobu
