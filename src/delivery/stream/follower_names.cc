// What the configuration says of tables whose names appear or change in the log.
#include <fmt/format.h>

#include <algorithm>

#include "base/glob.h"
#include "base/log.h"
#include "base/status.h"
#include "config/column_rules.h"
#include "delivery/preflight/selection.h"
#include "delivery/stream/follower.h"
#include "row/name_fold.h"

namespace hakobu {
namespace {

std::string FullName(const ddl::TableName& name) {
  return fmt::format("{}.{}", name.database, name.table);
}

}  // namespace

bool Follower::IsKnown(const std::string& database, std::string_view table, bool prefix) const {
  const std::string full = fmt::format("{}.{}", database, table);
  if (!prefix) return schemas_->Find(database, table) != nullptr || context_->tables.Find(full) != nullptr;
  const std::vector<StreamTable*> tables = context_->tables.all();
  return std::any_of(tables.begin(), tables.end(),
                     [&](const StreamTable* each) { return each->name.starts_with(full); });
}

std::string Follower::WhyNot(const TableRule& rule, const ddl::TableName& name) const {
  const TableExists exists = [&](std::string_view table, bool prefix) {
    return IsKnown(name.database, table, prefix);
  };
  return WhyLeftOut(*context_->config, rule, name.database, name.table, exists);
}

absl::StatusOr<StreamTable*> Follower::Wanted(const ddl::TableName& name) {
  StreamTable* const known = context_->tables.Find(FullName(name));
  if (known != nullptr) return known;
  StreamTable* const none = nullptr;
  const TableRule* rule = FindRule(*context_->config, name.database, name.table);
  if (rule == nullptr || rule->options.mode != TableMode::kStream) return none;
  if (const std::string why = WhyNot(*rule, name); !why.empty()) {
    const bool is_new = left_out_.insert(FullName(name)).second;
    if (is_new) Log(LogSeverity::kInfo, "table is left out", {{"table", FullName(name)}, {"reason", why}});
    return none;
  }
  TableOptions options = OptionsFor(*context_->config, *rule, name.database, name.table);
  if (const absl::Status shared = CheckAppearingTarget(name, options); !shared.ok()) {
    HAKOBU_RETURN_IF_ERROR(StopAppearing(name, shared));
    return none;
  }
  return context_->tables.Add(FullName(name), std::move(options));
}

absl::Status Follower::JudgeRename(const ddl::TableEffect& effect) const {
  const Config& config = *context_->config;
  const TableRule* after = FindRule(config, effect.to.database, effect.to.table);
  if (after == nullptr || after->options.mode != TableMode::kStream || !WhyNot(*after, effect.to).empty())
    return absl::OkStatus();
  // What a helper table holds are the rows of the table it belongs to.
  ddl::TableName was = effect.table;
  const TableExists exists = [&](std::string_view table, bool prefix) {
    return IsKnown(was.database, table, prefix);
  };
  if (const auto helper = HelperTableOf(was.table, exists); helper.has_value() && !helper->parent.empty())
    was.table = helper->parent;
  if (was.database == effect.to.database && was.table == effect.to.table) return absl::OkStatus();
  const std::string name = FullName(effect.to);
  const std::string_view hint = "an entry of `tables:` that names it exactly says how it is delivered";
  const bool exactly = !IsGlob(after->pattern);
  if (!exactly && FindException(config, was.database, was.table) != nullptr) {
    return WithHint(
        absl::DataLossError(fmt::format("{}: it was {}, which `except` leaves out", name, FullName(was))),
        hint);
  }
  const TableRule* before = FindRule(config, was.database, was.table);
  const SourceTable* source = schemas_->Find(effect.to.database, effect.to.table);
  if (before == nullptr || before == after || exactly) return absl::OkStatus();
  const TableOptions was_options = OptionsFor(config, *before, was.database, was.table);
  const TableOptions options = OptionsFor(config, *after, effect.to.database, effect.to.table);
  if (source == nullptr) {
    if (was_options.exclude.empty() && was_options.columns.empty()) return absl::OkStatus();
    return WithHint(
        absl::DataLossError(fmt::format(
            "{}: it was {}, of which columns may be hidden, and its columns cannot be told from the log",
            name, FullName(was))),
        hint);
  }
  std::vector<std::string> columns;
  for (const SourceColumn& column : source->columns) columns.push_back(column.name);
  const RenameVerdict verdict = JudgeTableRename(was_options, options, columns);
  if (verdict.outcome != RenameOutcome::kWeaker) return absl::OkStatus();
  return WithHint(absl::DataLossError(fmt::format("{}: it was {}: {}", name, FullName(was), verdict.reason)),
                  hint);
}

absl::Status Follower::CheckAppearingTarget(const ddl::TableName& name, const TableOptions& options) const {
  const Config& config = *context_->config;
  const std::vector<std::string> wanted = TargetNames(options, name.database, name.table);
  const auto shares = [&](const std::vector<std::string>& names) {
    return std::find_first_of(wanted.begin(), wanted.end(), names.begin(), names.end()) != wanted.end();
  };
  std::string other;
  if (!config.stream.ddl_history.empty() && shares({LowerName(config.stream.ddl_history)}))
    other = "stream.ddl_history";
  for (const TableRule& rule : config.tables) {
    const size_t dot = rule.pattern.find('.');
    if (IsGlob(rule.pattern) || rule.pattern == FullName(name)) continue;
    if (shares(TargetNames(rule.options, rule.pattern.substr(0, dot), rule.pattern.substr(dot + 1))))
      other = rule.pattern;
  }
  for (const StreamTable* table : context_->tables.all()) {
    const size_t dot = table->name.find('.');
    if (table->name == FullName(name) || table->record().state == StreamTableState::kDropped) continue;
    if (shares(TargetNames(table->options, table->name.substr(0, dot), table->name.substr(dot + 1))))
      other = table->name;
  }
  if (other.empty()) return absl::OkStatus();
  return WithHint(absl::InvalidArgumentError(
                      fmt::format("{}: would be delivered to {}, where {} goes too", FullName(name),
                                  TargetName(options, name.database, name.table), other)),
                  "give them targets of their own, such as target: \"{database}_{table}\"");
}

absl::Status Follower::StopAppearing(const ddl::TableName& name, const absl::Status& reason) {
  StreamTable* table = context_->tables.Find(FullName(name));
  if (table == nullptr) {
    const TableRule* rule = FindRule(*context_->config, name.database, name.table);
    if (rule == nullptr) return absl::OkStatus();
    table =
        context_->tables.Add(FullName(name), OptionsFor(*context_->config, *rule, name.database, name.table));
  }
  context_->StopTable(table, reason);
  return context_->failure();
}

}  // namespace hakobu
