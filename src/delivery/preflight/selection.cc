#include "delivery/preflight/selection.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/glob.h"
#include "base/status.h"
#include "config/value.h"
#include "row/name_fold.h"

namespace hakobu {
namespace {

constexpr char kSelection[] = "tables";

std::string DatabasePart(const std::string& pattern) {
  return pattern.substr(0, pattern.find('.'));
}

bool MatchesAny(const std::vector<std::string>& patterns, const std::string& text) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const std::string& pattern) { return GlobMatches(pattern, text); });
}

bool NamesExactly(const Config& config, std::string_view database, std::string_view table, bool prefix) {
  const std::string full = fmt::format("{}.{}", database, table);
  return std::any_of(config.tables.begin(), config.tables.end(), [&](const TableRule& rule) {
    return !IsGlob(rule.pattern) && (prefix ? rule.pattern.starts_with(full) : rule.pattern == full);
  });
}

// What one database has, by name.
struct Listing {
  std::string database;  // as the configuration has it: so its rules are found
  std::string spelling;  // as the server has it, in its lists and in its log
  std::vector<std::string> tables;
};

struct Chosen {
  std::string database;
  std::string table;
  const TableRule* rule;
  std::string name() const { return database + "." + table; }
};

class Selector {
 public:
  Selector(const Config& config, const std::vector<std::string>& wanted, DeliveredBy delivered_by,
           Connection* source, Findings* findings)
      : config_(config), wanted_(wanted), delivered_by_(delivered_by), source_(source), findings_(findings) {}

  Selection Run() {
    if (!List()) return {};
    for (const Listing& listing : listings_) Choose(listing);
    CheckTargets();
    for (const Listing& listing : listings_) Read(listing.spelling);
    if (all_listed_) {
      CheckEntries();
      CheckWanted();
    }
    return std::move(selection_);
  }

 private:
  bool List() {
    std::set<std::string> databases;
    bool any_glob = false;
    for (const TableRule& rule : config_.tables) {
      const std::string database = DatabasePart(rule.pattern);
      any_glob |= IsGlob(database);
      if (!IsGlob(database)) databases.insert(database);
    }
    if (any_glob) {
      const absl::StatusOr<QueryResult> result = source_->Query("SHOW DATABASES");
      if (!result.ok()) {
        findings_->AddStatus(kSelection, result.status());
        return false;
      }
      for (const auto& row : result->rows) {
        const std::string& name = row[0].value_or("");
        if (!IsServersDatabase(name) && MayDeliverFrom(config_, name)) databases.insert(name);
      }
    }
    absl::StatusOr<TablesByDatabase> names = ListTablesOf(source_, {databases.begin(), databases.end()});
    if (!names.ok()) {
      findings_->AddStatus(kSelection, names.status());
      all_listed_ = false;  // nothing can be said of what matches nothing
      return true;
    }
    for (const std::string& database : databases) {
      absl::StatusOr<std::string> spelling = DatabaseSpelling(source_, database);
      if (spelling.ok() && IsListed(*spelling)) continue;  // a glob met what a rule names otherwise
      if (spelling.ok()) {
        listings_.push_back({database, *std::move(spelling), std::move((*names)[database])});
        continue;
      }
      findings_->AddStatus(kSelection, spelling.status());
      all_listed_ = false;
    }
    return true;
  }

  bool IsListed(const std::string& spelling) const {
    return std::any_of(listings_.begin(), listings_.end(),
                       [&](const Listing& listing) { return listing.spelling == spelling; });
  }

  void Choose(const Listing& listing) {
    const TableExists exists = [&](std::string_view name, bool prefix) {
      return std::any_of(listing.tables.begin(), listing.tables.end(), [&](const std::string& table) {
        return prefix ? table.starts_with(name) : table == name;
      });
    };
    for (const std::string& table : listing.tables) {
      const TableRule* rule = FindRule(config_, listing.database, table);
      if (rule == nullptr) continue;
      used_.insert(rule);
      Chosen chosen{listing.spelling, table, rule};
      if (std::string reason = WhyLeftOut(config_, *rule, listing.database, table, exists); !reason.empty()) {
        if (Concerns(chosen)) selection_.left_out.push_back({chosen.name(), std::move(reason)});
        continue;
      }
      chosen_.push_back(std::move(chosen));
    }
  }

  bool Concerns(const Chosen& chosen) const {
    const bool streamed = chosen.rule->options.mode == TableMode::kStream;
    if (streamed != (delivered_by_ == DeliveredBy::kStream)) return false;
    return wanted_.empty() || MatchesAny(wanted_, chosen.table) || MatchesAny(wanted_, chosen.name());
  }

  // Over both cadences, and whatever was picked: a run must not write what a stream writes.
  void CheckTargets() {
    std::map<std::string, std::vector<const Chosen*>> by_target;
    for (const Chosen& chosen : chosen_) {
      for (std::string& target : TargetNames(chosen.rule->options, chosen.database, chosen.table))
        by_target[std::move(target)].push_back(&chosen);
    }
    for (const auto& [target, owners] : by_target) {
      const bool history = LowerName(config_.stream.ddl_history) == target;
      if (owners.size() < 2 && !history) continue;
      for (const Chosen* owner : owners) {
        if (Concerns(*owner)) RefuseTarget(*owner, target, owners, history);
      }
    }
  }

  void RefuseTarget(const Chosen& owner, const std::string& target, const std::vector<const Chosen*>& owners,
                    bool history) {
    std::string others = history ? "stream.ddl_history" : "";
    for (const Chosen* other : owners) {
      if (other == &owner) continue;
      others += fmt::format("{}{}", others.empty() ? "" : ", ", other->name());
    }
    refused_.insert(owner.name());
    findings_->AddStatus(
        owner.name(),
        WithHint(
            absl::InvalidArgumentError(fmt::format(
                "would be delivered to {}.{}, where {} goes too (letters' case does not tell them apart)",
                config_.destination.dataset, target, others)),
            "give them targets of their own, such as target: \"{database}_{table}\""));
  }

  void Read(const std::string& database) {
    std::vector<const Chosen*> to_read;
    std::vector<std::string> names;
    for (const Chosen& chosen : chosen_) {
      if (chosen.database != database || !Concerns(chosen)) continue;
      to_read.push_back(&chosen);
      names.push_back(chosen.table);
    }
    if (names.empty()) return;
    absl::StatusOr<std::vector<SourceTable>> tables = ReadTables(source_, database, names);
    for (size_t i = 0; i < to_read.size(); ++i) {
      if (tables.ok()) {
        Take(*to_read[i], std::move((*tables)[i]));
        continue;
      }
      // One that cannot be read must not take the others with it.
      absl::StatusOr<SourceTable> table = ReadTable(source_, database, names[i]);
      if (table.ok()) {
        Take(*to_read[i], *std::move(table));
        continue;
      }
      picked_.insert(to_read[i]->name());
      // A server that is away is nobody's own trouble.
      const bool away = table.status().code() == absl::StatusCode::kUnavailable;
      findings_->AddStatus(away ? kSelection : to_read[i]->name(), table.status());
    }
  }

  void Take(const Chosen& chosen, SourceTable table) {
    picked_.insert(chosen.name());
    if (refused_.contains(chosen.name())) return;
    TableWork work;
    work.name = chosen.name();
    work.source = std::move(table);
    work.options = OptionsFor(config_, *chosen.rule, chosen.database, chosen.table);
    selection_.tables.push_back(std::move(work));
  }

  void CheckEntries() {
    for (const TableRule& rule : config_.tables) {
      CheckExceptions(rule);
      if (used_.contains(&rule)) continue;
      const std::string hint = SimilarTable(rule.pattern);
      findings_->AddStatus(
          rule.pattern,
          WithHint(absl::InvalidArgumentError(fmt::format("{}:{}: `{}` matches no table of the source",
                                                          config_.path, rule.line, rule.pattern)),
                   hint.empty() ? "check the name, and that the user may SELECT from it: a table without "
                                  "privileges is not seen"
                                : hint));
    }
  }

  // A name that is misspelt here is delivered in full.
  void CheckExceptions(const TableRule& rule) {
    for (const std::string& pattern : rule.except) {
      if (IsGlob(pattern)) continue;
      const std::string lower = LowerName(pattern);
      const bool known = std::any_of(listings_.begin(), listings_.end(), [&](const Listing& listing) {
        return std::any_of(listing.tables.begin(), listing.tables.end(), [&](const std::string& table) {
          return LowerName(listing.database + "." + table) == lower;
        });
      });
      if (known) continue;
      findings_->Add(FindingLevel::kWarning, rule.pattern,
                     fmt::format("except: there is no table `{}`", pattern), SimilarTable(pattern));
    }
  }

  std::string SimilarTable(const std::string& pattern) const {
    if (IsGlob(pattern)) return "";
    std::vector<std::string> names;
    for (const Listing& listing : listings_) {
      for (const std::string& table : listing.tables) names.push_back(listing.database + "." + table);
    }
    return DidYouMean(pattern, names);
  }

  void CheckWanted() {
    for (const std::string& pattern : wanted_) {
      const auto matches = [&](const std::string& name) {
        return GlobMatches(pattern, name) || GlobMatches(pattern, name.substr(name.find('.') + 1));
      };
      if (std::any_of(picked_.begin(), picked_.end(), matches)) continue;
      const auto left = std::find_if(selection_.left_out.begin(), selection_.left_out.end(),
                                     [&](const LeftOutTable& table) { return matches(table.name); });
      std::vector<std::string> names;
      for (const Chosen& chosen : chosen_)
        names.push_back(pattern.find('.') == std::string::npos ? chosen.table : chosen.name());
      const std::string hint =
          left != selection_.left_out.end()
              ? fmt::format("{} is left out: {}; name it exactly in `tables:`", left->name, left->reason)
          : IsGlob(pattern) ? ""
                            : DidYouMean(pattern, names);
      findings_->AddStatus(
          kSelection,
          WithHint(absl::InvalidArgumentError(fmt::format(
                       "`{}` matches none of the configuration's tables that `hakobu {}` delivers", pattern,
                       delivered_by_ == DeliveredBy::kStream ? "stream" : "run")),
                   hint));
    }
  }

  const Config& config_;
  const std::vector<std::string>& wanted_;
  const DeliveredBy delivered_by_;
  Connection* source_;
  Findings* findings_;
  Selection selection_;
  std::vector<Listing> listings_;
  bool all_listed_ = true;
  std::vector<Chosen> chosen_;
  std::set<const TableRule*> used_;
  std::set<std::string> refused_;  // tables that would share a target
  std::set<std::string> picked_;   // tables that are delivered or in trouble
};

}  // namespace

std::string WhyLeftOut(const Config& config, const TableRule& rule, std::string_view database,
                       std::string_view table, const TableExists& exists) {
  if (!IsGlob(rule.pattern)) return "";
  const TableOptions options = OptionsFor(config, rule, database, table);
  if (options.helper_tables == HelperTables::kDeliver) return "";
  const TableExists known = [&](std::string_view name, bool prefix) {
    return exists(name, prefix) || NamesExactly(config, database, name, prefix);
  };
  const std::optional<HelperTable> helper = HelperTableOf(table, known);
  if (!helper.has_value()) return "";
  if (helper->parent.empty()) return fmt::format("a helper table of {}", helper->tool);
  return fmt::format("a helper table of {} for `{}`", helper->tool, helper->parent);
}

Selection Select(const Config& config, const std::vector<std::string>& wanted, DeliveredBy delivered_by,
                 Connection* source, Findings* findings) {
  return Selector(config, wanted, delivered_by, source, findings).Run();
}

void NoteLeftOut(const Selection& selection, Findings* findings) {
  for (const LeftOutTable& table : selection.left_out) {
    findings->Add(FindingLevel::kNote, table.name, "left out: " + table.reason,
                  "an entry of `tables:` that names it exactly delivers it");
  }
}

std::vector<TableWork> SelectTables(const Config& config, const std::vector<std::string>& wanted,
                                    Connection* source, Problems* problems, DeliveredBy delivered_by) {
  Findings findings;
  Selection selection = Select(config, wanted, delivered_by, source, &findings);
  for (const Finding& finding : findings.list()) {
    if (finding.level != FindingLevel::kProblem) continue;
    problems->Add(finding.ToStatus(), finding.concerns_table() ? finding.subject : "");
  }
  return std::move(selection.tables);
}

}  // namespace hakobu
