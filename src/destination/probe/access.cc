// The access list of the scratch dataset: how many entries it takes, and whether it is shown.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/status.h"
#include "destination/json.h"
#include "destination/probe/experiments.h"
#include "destination/probe/site.h"

namespace hakobu {
namespace {

using nlohmann::json;

constexpr const char* kAccessRoles[] = {"READER", "WRITER", "OWNER"};

// One more entry for each address and role: the roles give three entries for each address.
absl::StatusOr<json> AccessNow(ProbeSite& site) {
  HAKOBU_ASSIGN_OR_RETURN(const Resource dataset, GetDataset(site.rest(), site.plan().scratch));
  const json read = json::parse(dataset.json, nullptr, false);
  if (!read.is_object() || !read.contains("access")) {
    return absl::PermissionDeniedError("datasets.get answers without `access`");
  }
  return read["access"];
}

}  // namespace

// 1,000, 2,000 and 5,000 entries, as far as the addresses given reach. The addresses have to exist, so it is
// asked only where some were given.
ProbeAnswers ProbeAccessEntries(ProbeSite& site) {
  ProbeAnswer answer{.question = "access_entries"};
  answer.taken = "grants for more people than the limit allows have to go to groups";
  if (site.plan().members.empty()) {
    answer.answer = std::string(kOpenAnswer);
    answer.seen = "not asked: entries need addresses that exist";
    answer.meaning = "ask with --members a@example.com,b@example.com";
    return std::vector<ProbeAnswer>{std::move(answer)};
  }
  HAKOBU_ASSIGN_OR_RETURN(json access, AccessNow(site));
  const json before = access;
  size_t accepted = access.size(), wanted = 1000;
  absl::Status refused;
  const auto patch = [&](const json& entries) {
    accepted = refused.ok() ? accepted : 0;
    refused = PatchDataset(site.rest(), site.plan().scratch, json{{"access", entries}}.dump()).status();
    if (refused.ok()) accepted = entries.size();
    return refused.ok();
  };
  for (const char* role : kAccessRoles) {
    for (const std::string& member : site.plan().members) {
      access.push_back({{"role", role}, {"userByEmail", member}});
      if (access.size() < wanted) continue;
      wanted = wanted == 1000 ? 2000 : wanted + 3000;
      if (!patch(access)) break;
    }
    if (!refused.ok()) break;
  }
  if (refused.ok()) patch(access);
  answer.answer = refused.ok() ? "accepted" : "refused";
  answer.seen = refused.ok() ? fmt::format("{} entries were taken", access.size())
                             : fmt::format("{} entries were taken, {} were not: {}", accepted, access.size(),
                                           Words(refused));
  answer.meaning = refused.ok() ? fmt::format("an access list takes {} entries", access.size())
                                : "people beyond the limit need groups";
  HAKOBU_RETURN_IF_ERROR(
      PatchDataset(site.rest(), site.plan().scratch, json{{"access", before}}.dump()).status());
  return std::vector<ProbeAnswer>{std::move(answer)};
}

// Where this identity is not shown the list: what is patched with what came back.
ProbeAnswers ProbeHiddenAccess(ProbeSite& site) {
  ProbeAnswer answer{.question = "hidden_access"};
  answer.taken = "grants refuse to write a list that they could not read";
  const absl::StatusOr<json> shown = AccessNow(site);
  if (shown.ok()) {
    answer.answer = "shown";
    answer.seen = fmt::format("{} entries", shown->size());
    answer.meaning = "this identity may read access lists; ask with one that may not to learn more";
    return std::vector<ProbeAnswer>{std::move(answer)};
  }
  if (!absl::IsPermissionDenied(shown.status())) return shown.status();
  const absl::Status patched =
      PatchDataset(site.rest(), site.plan().scratch, R"({"description":"patched without access"})").status();
  const absl::Status wiped = PatchDataset(site.rest(), site.plan().scratch, R"({"access":[]})").status();
  answer.answer = wiped.ok() ? "hidden_and_written" : "hidden";
  answer.seen = fmt::format("datasets.get: {}; a patch without access: {}; a patch with an empty one: {}",
                            Words(shown.status()), Words(patched), Words(wiped));
  answer.meaning = wiped.ok() ? "a missing right can wipe grants" : "a missing right cannot wipe grants";
  return std::vector<ProbeAnswer>{std::move(answer)};
}

}  // namespace hakobu
