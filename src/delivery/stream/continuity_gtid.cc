#include "delivery/stream/continuity_gtid.h"

#include <fmt/format.h>

#include <charconv>
#include <map>

#include "base/status.h"
#include "decode/binlog/gtid.h"

namespace hakobu {
namespace {

using binlog::GtidSet;

GtidSet Common(const GtidSet& a, const GtidSet& b) {
  GtidSet only_a = a;
  only_a.Subtract(b);
  GtidSet common = a;
  common.Subtract(only_a);
  return common;
}

absl::StatusOr<GtidComparison> CompareMysql(const DeliveredPoint& stored, const LogState& state,
                                            const LogEvidence& evidence) {
  HAKOBU_ASSIGN_OR_RETURN(const GtidSet ours, GtidSet::Parse(stored.gtid_set));
  HAKOBU_ASSIGN_OR_RETURN(const GtidSet executed, GtidSet::Parse(state.executed_gtids));
  HAKOBU_ASSIGN_OR_RETURN(const GtidSet purged, GtidSet::Parse(state.purged_gtids));
  GtidSet surviving = executed;
  if (evidence.parting_gtids) {
    HAKOBU_ASSIGN_OR_RETURN(surviving, GtidSet::Parse(*evidence.parting_gtids));
  }
  GtidSet phantom = ours;
  phantom.Subtract(surviving);
  const GtidSet still_true = Common(ours, surviving);
  GtidSet missing = purged;
  missing.Subtract(still_true);
  GtidSet others = executed;
  others.Subtract(ours);
  GtidSet seen = still_true;
  seen.Add(purged);
  // What comes again comes with a place above all that was delivered, so it must be the end of the history,
  // whole: nothing before what counts as seen comes again. A crash can take a transaction from the log and
  // leave it in the tables; the server then calls it purged, with earlier ones still in the log.
  seen.Add(Common(Common(ours, executed), seen.UpToLast()));

  GtidComparison compared;
  compared.phantom = phantom.Text();
  compared.missing = missing.Text();
  compared.has_others = !others.empty();
  compared.resume_all = LogStart::After(ours.Text(), ours.ToBytes());
  compared.seen_after = seen.Text();
  compared.resume = LogStart::After(compared.seen_after, seen.ToBytes());
  HAKOBU_ASSIGN_OR_RETURN(GtidSet past_errant, GtidSet::Parse(evidence.errant.gtids));
  past_errant.Add(ours);
  compared.resume_past_errant = LogStart::After(past_errant.Text(), past_errant.ToBytes());
  return compared;
}

struct LastOfDomain {
  uint32_t server_id = 0;
  uint64_t number = 0;
};

// "0-1-7,1-2-9": the last of each domain.
absl::StatusOr<std::map<uint32_t, LastOfDomain>> ParseList(std::string_view text) {
  std::map<uint32_t, LastOfDomain> domains;
  const char* at = text.data();
  const char* const end = at + text.size();
  const auto take = [&](auto* number, char after) {
    const auto [next, error] = std::from_chars(at, end, *number);
    if (error != std::errc() || (next != end && *next != after)) return false;
    at = next == end ? end : next + 1;
    return true;
  };
  while (at != end) {
    uint32_t domain = 0;
    LastOfDomain last;
    if (!take(&domain, '-') || !take(&last.server_id, '-') || !take(&last.number, ',')) {
      return absl::InvalidArgumentError(fmt::format("'{}' is no MariaDB GTID list: expected 0-1-7,…", text));
    }
    domains[domain] = last;
  }
  return domains;
}

absl::StatusOr<GtidComparison> CompareMariadb(const DeliveredPoint& stored, const LogState& state) {
  HAKOBU_ASSIGN_OR_RETURN(const auto ours, ParseList(stored.gtid_set));
  HAKOBU_ASSIGN_OR_RETURN(const auto theirs, ParseList(state.executed_gtids));
  GtidComparison compared;
  compared.resume_all = LogStart::After(stored.gtid_set, "");
  std::string seen;
  for (const auto& [domain, last] : ours) {
    const auto found = theirs.find(domain);
    const LastOfDomain at = found == theirs.end() ? LastOfDomain() : found->second;
    if (at.number < last.number) {
      compared.phantom +=
          fmt::format("{}{}-{}-{}", compared.phantom.empty() ? "" : ",", domain, last.server_id, last.number);
    }
    if (at.number > last.number) compared.has_others = true;
    const LastOfDomain& lower = at.number < last.number ? at : last;
    if (lower.number > 0)
      seen += fmt::format("{}{}-{}-{}", seen.empty() ? "" : ",", domain, lower.server_id, lower.number);
  }
  for (const auto& [domain, last] : theirs)
    compared.has_others = compared.has_others || !ours.contains(domain);
  compared.seen_after = seen;
  compared.resume = LogStart::After(seen, "");
  return compared;
}

}  // namespace

absl::StatusOr<GtidComparison> CompareGtids(const DeliveredPoint& stored, const LogState& state,
                                            const LogEvidence& evidence) {
  auto compared = state.flavor == ServerFlavor::kMariaDb ? CompareMariadb(stored, state)
                                                         : CompareMysql(stored, state, evidence);
  if (!compared.ok()) return Annotate(compared.status(), "compare GTIDs");
  return compared;
}

}  // namespace hakobu
