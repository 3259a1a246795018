#include "localbq/auth/authority.h"

#include <fmt/format.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "absl/strings/ascii.h"
#include "base/status.h"
#include "localbq/auth/loopback.h"
#include "localbq/catalog/json_field.h"

namespace hakobu::localbq::auth {
namespace {

using nlohmann::json;

constexpr char kMissing[] =
    "Request is missing required authentication credential. Expected OAuth 2 access token, login cookie or "
    "other valid authentication credential. See "
    "https://developers.google.com/identity/sign-in/web/devconsole-project.";
constexpr char kInvalid[] =
    "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other "
    "valid authentication credential. See "
    "https://developers.google.com/identity/sign-in/web/devconsole-project.";
// Where a table keeps what REST's policy methods set (rest/policies.cc).
constexpr char kPolicyField[] = "~iamPolicy";
constexpr char kRowPoliciesField[] = "~rowAccessPolicies";

// A field of a table's, without parsing those that cannot have it.
json TableField(const Table& table, const char* key) {
  if (table.other.find(key) == std::string::npos) return {};
  json other = json::parse(table.other, nullptr, /*allow_exceptions=*/false);
  return other.is_object() && other.contains(key) ? std::move(other[key]) : json();
}

ConditionFacts FactsOf(const Resource& resource, absl::Time now) {
  ConditionFacts facts;
  facts.now = now;
  facts.resource_name = "projects/" + resource.project;
  facts.resource_type = "cloudresourcemanager.googleapis.com/Project";
  if (!resource.dataset.empty()) {
    facts.resource_name += "/datasets/" + resource.dataset;
    facts.resource_type = "bigquery.googleapis.com/Dataset";
  }
  if (!resource.table.empty()) {
    facts.resource_name += "/tables/" + resource.table;
    facts.resource_type = "bigquery.googleapis.com/Table";
  }
  return facts;
}

// Everything that IAM calls the member, but for its groups.
std::set<std::string, std::less<>> OwnNames(std::string_view member) {
  std::set<std::string, std::less<>> names = {absl::AsciiStrToLower(View(member)), "allauthenticatedusers",
                                              "allusers"};
  if (member.starts_with("user:")) {
    if (const size_t at = member.find('@'); at != std::string_view::npos)
      names.insert("domain:" + absl::AsciiStrToLower(View(member.substr(at + 1))));
  }
  if (member.starts_with("principal://")) {
    const size_t subject = member.find("/subject/");
    if (subject != std::string_view::npos)
      names.insert("principalset" + absl::AsciiStrToLower(View(member.substr(9, subject - 9))) + "/*");
  }
  return names;
}

void AddGroups(const Identities& identities, std::set<std::string, std::less<>>* names) {
  for (bool more = true; more;) {
    more = false;
    for (const auto& [group, members] : identities.groups) {
      const bool is_in = std::ranges::any_of(
          members, [&](const std::string& member) { return names->contains(absl::AsciiStrToLower(member)); });
      more = (is_in && names->insert("group:" + group).second) || more;
    }
  }
}

std::string DeniedText(std::string_view permission, const Resource& resource) {
  if (resource.dataset.empty()) {
    return fmt::format("Access Denied: Project {}: User does not have {} permission in project {}.",
                       resource.project, permission, resource.project);
  }
  if (resource.table.empty()) {
    const std::string name = DisplayName(DatasetId{resource.project, resource.dataset});
    return fmt::format(
        "Access Denied: Dataset {0}: Permission {1} denied on dataset {0} (or it may not exist).", name,
        permission);
  }
  const std::string name = DisplayName(TableId{resource.project, resource.dataset, resource.table});
  return fmt::format("Access Denied: Table {0}: Permission {1} denied on table {0} (or it may not exist).",
                     name, permission);
}

}  // namespace

std::string_view EmailOf(std::string_view member) {
  const size_t colon = member.find(':');
  const bool is_account = member.starts_with("user:") || member.starts_with("serviceAccount:");
  return is_account ? member.substr(colon + 1) : member;
}

absl::StatusOr<std::unique_ptr<Authority>> Authority::Open(const AuthorityOptions& options,
                                                           const Catalog* catalog) {
  HAKOBU_ASSIGN_OR_RETURN(Identities identities, LoadIdentities(options.file));
  for (auto& [email, account] : identities.service_accounts) {
    if (!account.keys.empty() || options.key_folder.empty()) continue;
    account.own_key = MakeRsaKey();
    account.own_key_id = absl::AsciiStrToLower(RandomText(15));
    account.keys.push_back({account.own_key_id, account.own_key});
  }
  if (!options.key_folder.empty()) {
    for (auto& [email, user] : identities.users) {
      if (user.refresh_tokens.empty()) user.refresh_tokens.push_back("1//" + RandomText(32));
    }
  }
  std::unique_ptr<Authority> authority(new Authority(std::move(identities), catalog, options.clock));
  for (const auto& [email, account] : authority->identities_.service_accounts) {
    for (const std::string& token : account.tokens)
      authority->tokens_.Add(token, {.member = "serviceAccount:" + email, .scopes = {}});
  }
  for (const auto& [email, user] : authority->identities_.users) {
    for (const std::string& token : user.tokens)
      authority->tokens_.Add(token, {.member = "user:" + email, .scopes = {}});
  }
  return authority;
}

std::unique_ptr<Authority> Authority::OfToken(std::string token, const Catalog* catalog) {
  std::unique_ptr<Authority> authority(new Authority(Identities{}, catalog, Clock::Real()));
  authority->only_token_ = std::move(token);
  return authority;
}

absl::StatusOr<Caller> Authority::Authenticate(std::string_view authorization) const {
  if (authorization.empty()) return absl::UnauthenticatedError(kMissing);
  constexpr std::string_view kScheme = "bearer ";
  if (absl::AsciiStrToLower(View(authorization.substr(0, kScheme.size()))) != kScheme)
    return absl::UnauthenticatedError(kInvalid);
  const std::string_view token = authorization.substr(kScheme.size());
  if (!only_token_.empty()) {
    const bool is_it = token.size() == only_token_.size() &&
                       CRYPTO_memcmp(token.data(), only_token_.data(), token.size()) == 0;
    if (is_it) return Caller{};
    return absl::UnauthenticatedError(kInvalid);
  }
  if (const std::optional<AccessToken> found = tokens_.Find(token, Now()))
    return Caller{found->member, found->scopes};
  return FromSelfSigned(token);
}

// A service account may sign its own bearer token, which Google's gRPC clients do.
absl::StatusOr<Caller> Authority::FromSelfSigned(std::string_view token) const {
  const absl::StatusOr<Jwt> jwt = ParseJwt(token);
  if (!jwt.ok()) return absl::UnauthenticatedError(kInvalid);
  const std::string issuer = absl::AsciiStrToLower(TextField(jwt->claims, "iss"));
  const auto account = identities_.service_accounts.find(issuer);
  if (account == identities_.service_accounts.end() || !IsSignedBy(*jwt, account->second.keys) ||
      !IsTimely(*jwt, Now())) {
    return absl::UnauthenticatedError(kInvalid);
  }
  Caller caller{"serviceAccount:" + issuer, {}};
  if (const std::string scope = TextField(jwt->claims, "scope"); !scope.empty()) {
    std::istringstream words(scope);
    for (std::string word; words >> word;) caller.scopes.push_back(word);
    return caller;
  }
  const std::string to = TextField(jwt->claims, "aud");
  const bool is_ours = IsOnHost(to, "bigquery.googleapis.com") ||
                       IsOnHost(to, "bigquerystorage.googleapis.com") || IsLoopbackUrl(to);
  if (is_ours) return caller;
  return absl::UnauthenticatedError(kInvalid);
}

std::shared_ptr<const Subject> Authority::SubjectOf(std::string_view member,
                                                    const std::string& project) const {
  const std::pair<std::string, std::string> key(member, project);
  {
    absl::ReaderMutexLock lock(&mutex_);
    const auto found = subjects_.find(key);
    if (found != subjects_.end()) return found->second;
  }
  auto subject = std::make_shared<Subject>();
  subject->member = member;
  subject->names = OwnNames(member);
  AddGroups(identities_, &subject->names);
  if (const auto found = identities_.projects.find(project); found != identities_.projects.end()) {
    for (const auto& [role, members] : found->second) {
      const bool has =
          std::ranges::any_of(members, [&](const std::string& each) { return IsNamed(*subject, each); });
      if (has) subject->project_roles.push_back(role);
    }
  }
  absl::MutexLock lock(&mutex_);
  return subjects_.emplace(key, std::move(subject)).first->second;
}

bool Authority::Allows(std::string_view member, std::string_view permission, const Resource& resource) const {
  if (!only_token_.empty()) return true;
  const std::shared_ptr<const Subject> subject = SubjectOf(member, resource.project);
  for (const std::string& role : subject->project_roles) {
    if (RoleGrants(role, permission, identities_.roles)) return true;
  }
  if (resource.dataset.empty()) return false;
  const Question question{permission, FactsOf(resource, Now())};
  const absl::StatusOr<DatasetPtr> dataset = catalog_->GetDataset({resource.project, resource.dataset});
  if (dataset.ok()) {
    const json access = json::parse((*dataset)->access, nullptr, /*allow_exceptions=*/false);
    if (access.is_array() && AccessGrants(access, *subject, question, identities_.roles)) return true;
  }
  if (resource.table.empty()) return false;
  const absl::StatusOr<TablePtr> table =
      catalog_->GetTable({resource.project, resource.dataset, resource.table});
  if (!table.ok()) return false;
  const json policy = TableField(**table, kPolicyField);
  return policy.is_object() && PolicyGrants(policy, *subject, question, identities_.roles);
}

absl::Status Authority::Check(std::string_view member, std::string_view permission,
                              const Resource& resource) const {
  if (Allows(member, permission, resource)) return absl::OkStatus();
  const bool is_there =
      resource.dataset.empty() || catalog_->GetDataset({resource.project, resource.dataset}).ok();
  if (!is_there && HasRoleIn(member, resource.project)) return absl::OkStatus();
  return absl::PermissionDeniedError(DeniedText(permission, resource));
}

bool Authority::IsAuthorizedView(const DatasetId& id, const TableId& view) const {
  const absl::StatusOr<DatasetPtr> dataset = catalog_->GetDataset(id);
  if (!dataset.ok()) return false;
  const json access = json::parse((*dataset)->access, nullptr, /*allow_exceptions=*/false);
  return access.is_array() && AuthorizesView(access, view);
}

bool Authority::HasRoleIn(std::string_view member, const std::string& project) const {
  return !only_token_.empty() || !SubjectOf(member, project)->project_roles.empty();
}

RowAccess Authority::RowsFor(std::string_view member, const Table& table) const {
  if (!only_token_.empty()) return {};
  return RowAccessOf(TableField(table, kRowPoliciesField), *SubjectOf(member, table.id.project));
}

absl::Status Authority::CheckAllRows(std::string_view member, const Table& table) const {
  const RowAccess rows = RowsFor(member, table);
  if (!rows.is_filtered || rows.is_full) return absl::OkStatus();
  return absl::PermissionDeniedError(fmt::format(
      "Access Denied: Table {0}: The table has row access policies, and the user has no TRUE filter "
      "access to table {0}.",
      DisplayName(table.id)));
}

bool Authority::MayImpersonate(std::string_view member, const std::string& account) const {
  const auto found = identities_.service_accounts.find(account);
  if (found == identities_.service_accounts.end()) return false;
  // NAME@PROJECT.iam.gserviceaccount.com
  const size_t at = account.find('@'), dot = account.find('.', at);
  const std::string project = account.substr(at + 1, dot == std::string::npos ? dot : dot - at - 1);
  const std::shared_ptr<const Subject> subject = SubjectOf(member, project);
  const bool by_project = std::ranges::any_of(subject->project_roles, [&](const std::string& role) {
    return RoleGrants(role, "iam.serviceAccounts.getAccessToken", identities_.roles);
  });
  return by_project || std::ranges::any_of(found->second.token_creators, [&](const std::string& creator) {
           return IsNamed(*subject, creator);
         });
}

}  // namespace hakobu::localbq::auth
