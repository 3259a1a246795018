// Which permissions a role has. Pure.
// Source: https://docs.cloud.google.com/bigquery/docs/access-control
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace hakobu::localbq::auth {

// A project's own roles, "projects/p/roles/x": their permissions.
using CustomRoles = std::map<std::string, std::vector<std::string>, std::less<>>;

// "roles/bigquery.dataViewer", a basic role ("roles/viewer") or a custom one. Other roles grant nothing here.
bool RoleGrants(std::string_view role, std::string_view permission, const CustomRoles& custom);

// Whether this program knows what the role grants.
bool IsKnownRole(std::string_view role, const CustomRoles& custom);

// What a dataset's READER, WRITER and OWNER stand for; other texts as they are.
std::string_view RoleOfLegacyName(std::string_view role);

}  // namespace hakobu::localbq::auth
