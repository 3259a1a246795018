#include "app/status_age.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/glob.h"
#include "base/status.h"
#include "config/value.h"
#include "delivery/stream/headroom.h"

namespace hakobu {
namespace {

constexpr size_t kRunsLookedThrough = 10'000;

struct Age {
  absl::Time as_of = absl::InfinitePast();
  std::string reason;
};

const TableRule* RuleOf(const Config& config, std::string_view source) {
  const size_t dot = source.find('.');
  if (dot == std::string_view::npos) return nullptr;
  return FindRule(config, source.substr(0, dot), source.substr(dot + 1));
}

// A continued run's table may be of an earlier attempt, but its chunks were read after the run began.
absl::Status AddRuns(Ledger* ledger, std::map<std::string, Age>* ages) {
  HAKOBU_ASSIGN_OR_RETURN(const std::vector<RunRecord> runs, ledger->runs().Runs(kRunsLookedThrough));
  for (const RunRecord& run : runs) {
    HAKOBU_ASSIGN_OR_RETURN(const std::vector<RunTableRecord> tables, ledger->runs().Tables(run.id));
    for (const RunTableRecord& table : tables) {
      Age& age = (*ages)[table.source];
      if (table.state == RunTableState::kDone) age.as_of = std::max(age.as_of, run.started);
      // Runs come newest first: the first error is the last one.
      if (age.as_of == absl::InfinitePast() && age.reason.empty()) age.reason = table.error;
    }
  }
  return absl::OkStatus();
}

absl::Status AddStream(Ledger* ledger, std::map<std::string, Age>* ages) {
  HAKOBU_ASSIGN_OR_RETURN(const std::vector<StreamTableRecord> tables, ledger->streams().Tables());
  HAKOBU_ASSIGN_OR_RETURN(const std::optional<StreamHealth> health, ledger->streams().Health());
  for (const StreamTableRecord& table : tables) {
    Age& age = (*ages)[table.source];
    age = {};
    if (table.state == StreamTableState::kWhole) {
      if (health) age.as_of = health->fresh_until;
    } else {
      age.reason = fmt::format("{}{}{}", NameOf(table.state), table.reason.empty() ? "" : ": ", table.reason);
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<LateTable>> FindLate(Ledger* ledger, const Config& config, absl::Duration max_age,
                                                absl::Time now) {
  std::map<std::string, Age> nightly, streamed;
  if (ledger != nullptr) {
    HAKOBU_RETURN_IF_ERROR(AddRuns(ledger, &nightly));
    HAKOBU_RETURN_IF_ERROR(AddStream(ledger, &streamed));
  }
  std::vector<LateTable> late;
  std::set<const TableRule*> seen;
  const auto look = [&](const std::map<std::string, Age>& ages, bool is_stream) {
    for (const auto& [source, age] : ages) {
      const TableRule* rule = RuleOf(config, source);
      if (rule == nullptr || (rule->options.mode == TableMode::kStream) != is_stream) continue;
      seen.insert(rule);
      if (age.as_of < now - max_age) late.push_back({source, age.as_of, age.reason});
    }
  };
  look(nightly, false);
  look(streamed, true);
  for (const TableRule& rule : config.tables) {
    if (!seen.contains(&rule)) late.push_back({rule.pattern, absl::InfinitePast(), ""});
  }
  return late;
}

std::string LateText(const std::vector<LateTable>& late, absl::Duration max_age, absl::Time now) {
  if (late.empty()) return fmt::format("No table is older than {}.\n", DurationText(max_age));
  std::string text;
  for (const LateTable& table : late) {
    const std::string age = table.as_of == absl::InfinitePast()
                                ? "nothing is known to be delivered whole"
                                : fmt::format("{} old", SpokenDuration(now - table.as_of));
    text += fmt::format("late: {}: {}, at most {}{}{}\n", table.source, age, DurationText(max_age),
                        table.reason.empty() ? "" : ": ", table.reason.substr(0, table.reason.find('\n')));
  }
  return text;
}

}  // namespace hakobu
