#include "grants/export.h"

#include <fmt/format.h>

#include <cctype>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "base/escape.h"
#include "grants/csv.h"
#include "grants/principal.h"

namespace hakobu {
namespace {

using nlohmann::ordered_json;

// A name Terraform takes, the same for the same grant: letters and digits kept, and a hash against
// collisions.
std::string ResourceName(const std::string& target, const std::string& key) {
  std::string name;
  uint64_t hash = 14695981039346656037ull;  // FNV-1a
  for (const char c : target + "\n" + key) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ull;
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0;
    if (plain)
      name += c;
    else if (!name.empty() && name.back() != '_')
      name += '_';
  }
  return fmt::format("g_{}_{:08x}", name, static_cast<uint32_t>(hash ^ (hash >> 32)));
}

// Terraform reads `${` and `%{` in the strings of its JSON as templates.
void EscapeTemplates(ordered_json* value) {
  if (value->is_structured()) {
    for (ordered_json& element : *value) EscapeTemplates(&element);
  } else if (value->is_string()) {
    std::string escaped;
    const auto& text = value->get_ref<const std::string&>();
    for (size_t at = 0; at < text.size(); ++at) {
      const bool opens = (text[at] == '$' || text[at] == '%') && text.substr(at + 1, 1) == "{";
      if (opens) escaped += text[at];
      escaped += text[at];
    }
    *value = std::move(escaped);
  }
}

bool IsThere(const std::vector<TargetState>& states, const std::string& target, const std::string& key) {
  for (const TargetState& state : states) {
    if (state.target != target) continue;
    for (const AccessEntry& entry : state.entries) {
      if (entry.kind == EntryKind::kGrant && entry.Key() == key) return true;
    }
  }
  return false;
}

}  // namespace

std::string CsvLine(const std::string& target, const AccessEntry& entry, const std::string& reason) {
  return fmt::format("{},{},{},{},{}\n", CsvQuote(target), CsvQuote(entry.member), CsvQuote(entry.role),
                     entry.expires, CsvQuote(reason));
}

std::string ImportCsv(const std::vector<TargetState>& states) {
  std::string text = "dataset,member,role,expires,reason\n", kept;
  for (const TargetState& state : states) {
    std::set<std::string> seen;
    // A basic role includes the lower ones: only the highest of a member becomes a line.
    std::map<std::string, int> best;
    for (const AccessEntry& entry : state.entries) {
      if (entry.kind == EntryKind::kGrant)
        best[entry.member] = std::max(best[entry.member], RoleRank(entry.role));
    }
    for (const AccessEntry& entry : state.entries) {
      const bool states_it = entry.kind == EntryKind::kGrant && !ParseRole(entry.role).role.empty() &&
                             !HasControl(entry.member) && !HasControl(state.target);
      const int rank = RoleRank(entry.role);
      if (!states_it || (rank > 0 && rank < best[entry.member])) {
        kept += fmt::format("# {}: {}\n", EscapeControl(state.target), EscapeControl(entry.Describe()));
      } else if (seen.insert(GrantKey(entry.member, entry.role, "")).second) {
        text += CsvLine(state.target, entry, "");
      }
    }
  }
  if (!kept.empty()) text += "# not stated by any line; hakobu leaves these as they are:\n" + kept;
  return text;
}

std::string WithoutLine(std::string_view csv, int line_number) {
  std::string text;
  int line = 1;
  for (size_t at = 0; at < csv.size(); ++line) {
    const size_t end = csv.find('\n', at) == std::string_view::npos ? csv.size() : csv.find('\n', at) + 1;
    if (line != line_number) text += csv.substr(at, end - at);
    at = end;
  }
  return text;
}

std::string TerraformJson(const std::string& project, const DesiredState& desired,
                          const std::vector<TargetState>& states) {
  ordered_json imports = ordered_json::array(), datasets = ordered_json::object(),
               tables = ordered_json::object();
  for (const auto& [target, grants] : desired.grants) {
    const size_t dot = target.find('.');
    const bool table = dot != std::string::npos;
    const std::string type =
        table ? "google_bigquery_table_iam_member" : "google_bigquery_dataset_iam_member";
    for (const DesiredGrant& grant : grants) {
      const std::string key = GrantKey(grant.member, grant.role, grant.expires);
      const std::string name = ResourceName(target, key);
      ordered_json resource = {{"project", project}, {"dataset_id", target.substr(0, dot)}};
      std::string id = fmt::format("projects/{}/datasets/{}", project, target.substr(0, dot));
      if (table) {
        resource["table_id"] = target.substr(dot + 1);
        id += "/tables/" + target.substr(dot + 1);
      }
      resource["role"] = IamRole(grant.role);
      resource["member"] = grant.member;
      id += fmt::format(" {} {}", IamRole(grant.role), grant.member);
      if (!grant.expires.empty()) {
        resource["condition"] = {
            {"title", "hakobu expiry"},
            {"expression", fmt::format("request.time < timestamp(\"{}\")", grant.expires)}};
        id += " hakobu expiry";
      }
      (table ? tables : datasets)[name] = std::move(resource);
      if (IsThere(states, target, key)) imports.push_back({{"to", type + "." + name}, {"id", id}});
    }
  }
  ordered_json document = ordered_json::object();
  if (!imports.empty()) document["import"] = std::move(imports);
  if (!datasets.empty()) document["resource"]["google_bigquery_dataset_iam_member"] = std::move(datasets);
  if (!tables.empty()) document["resource"]["google_bigquery_table_iam_member"] = std::move(tables);
  EscapeTemplates(&document);
  return document.dump(2) + "\n";
}

std::string ExplainJobs(const std::string& data_project, const std::string& billing_project,
                        const DesiredState& desired) {
  std::set<std::string> members;
  for (const auto& [target, grants] : desired.grants) {
    for (const DesiredGrant& grant : grants) members.insert(grant.member);
  }
  std::string text = fmt::format(
      "hakobu grants datasets and tables of {}, and nothing on the project itself.\n"
      "One thing cannot be granted on a dataset: running a query is a job, and a job belongs to a project. "
      "Whoever runs\n"
      "queries needs bigquery.jobs.create (roles/bigquery.jobUser) on the project that pays for them. That "
      "role reads\n"
      "no data: reading still needs a line here. It is granted on {}, by whoever owns that project:\n",
      data_project, billing_project);
  if (members.empty()) return text + "  nobody: no line states a grant\n";
  for (const std::string& member : members) {
    text += fmt::format(
        "  gcloud projects add-iam-policy-binding {} --role=roles/bigquery.jobUser --member={} "
        "--condition=None\n",
        ShellQuote(billing_project), ShellQuote(member));
  }
  return text +
         "Members who query from a project of their own need it there instead. Grant it to groups where you "
         "can.\n";
}

}  // namespace hakobu
