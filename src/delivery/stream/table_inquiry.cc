#include "delivery/stream/table_inquiry.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/glob.h"
#include "base/log.h"
#include "base/status.h"

namespace hakobu {
namespace {

constexpr absl::Duration kListEvery = absl::Seconds(60);
constexpr absl::Duration kLookWhetherAsked = absl::Milliseconds(200);

// Equal when both are the same table.
std::string Described(const std::optional<TableDefinition>& definition, ddl::Dialect dialect) {
  if (!definition.has_value()) return {};
  TableDefinition known = *definition;
  known.table.estimated_rows = known.table.data_bytes = 0;  // guesses
  ddl::SchemaHistory history(dialect, false);
  history.AddTable(std::move(known));
  return history.ToJson();
}

absl::StatusOr<std::optional<TableDefinition>> ReadOne(Connection* source, const std::string& database,
                                                       const std::string& name) {
  absl::StatusOr<std::vector<TableDefinition>> read = ReadTableDefinitions(source, database, {name});
  if (absl::IsNotFound(read.status())) return std::nullopt;
  HAKOBU_RETURN_IF_ERROR(read.status());
  return std::optional<TableDefinition>(std::move(read->front()));
}

}  // namespace

bool MayStream(const Config& config, std::string_view database) {
  return std::ranges::any_of(config.tables, [&](const TableRule& rule) {
    const std::string_view pattern = rule.pattern;
    return rule.options.mode == TableMode::kStream &&
           GlobMatches(pattern.substr(0, pattern.find('.')), database);
  });
}

absl::StatusOr<TableAnswer> AskForTable(Connection* source, const std::string& database,
                                        const std::string& name) {
  constexpr int kReadings = 20;
  const auto dialect =
      source->flavor() == ServerFlavor::kMySql ? ddl::Dialect::kMySql : ddl::Dialect::kMariaDb;
  HAKOBU_ASSIGN_OR_RETURN(std::optional<TableDefinition> before, ReadOne(source, database, name));
  for (int reading = 0; reading < kReadings; ++reading) {
    HAKOBU_ASSIGN_OR_RETURN(LogPoint place, ReadLogPoint(source));
    HAKOBU_ASSIGN_OR_RETURN(std::optional<TableDefinition> after, ReadOne(source, database, name));
    if (Described(before, dialect) == Described(after, dialect))
      return TableAnswer{std::move(after), std::move(place)};
    before = std::move(after);
  }
  return absl::UnavailableError(
      fmt::format("{}.{} changes faster than its definition can be read", database, name));
}

void TableWatch::Ask() {
  absl::MutexLock lock(&mutex_);
  asked_ = true;
}

std::optional<TableList> TableWatch::Take(const std::function<bool(const LogPoint&)>& has_come) {
  absl::MutexLock lock(&mutex_);
  if (!list_.has_value() || !has_come(list_->place)) return std::nullopt;
  has_list_ = false;
  return std::exchange(list_, std::nullopt);
}

// The place first: what is in the list, and was made before it, the log has told of by then. What was made in
// between it tells of a little later, and asking for it too early does no harm.
absl::StatusOr<TableList> TableWatch::List() {
  HAKOBU_ASSIGN_OR_RETURN(const std::unique_ptr<Connection> source, Connection::Open(context_->connect));
  TableList list;
  HAKOBU_ASSIGN_OR_RETURN(list.place, ReadLogPoint(source.get()));
  HAKOBU_ASSIGN_OR_RETURN(const std::vector<DatabaseDefault> databases, ReadDatabaseDefaults(source.get()));
  std::vector<std::string> wanted;
  for (const DatabaseDefault& each : databases) {
    if (MayStream(*context_->config, each.database)) wanted.push_back(each.database);
  }
  HAKOBU_ASSIGN_OR_RETURN(const TablesByDatabase tables, ListTablesOf(source.get(), wanted));
  for (const auto& [database, names] : tables) {
    for (const std::string& name : names) {
      const TableRule* rule = FindRule(*context_->config, database, name);
      if (rule == nullptr || rule->options.mode != TableMode::kStream) continue;
      list.tables.push_back({database, name});
    }
  }
  return list;
}

void TableWatch::Run() {
  absl::Time next = absl::InfinitePast();
  while (!context_->stop.WaitFor(kLookWhetherAsked)) {
    {
      absl::MutexLock lock(&mutex_);
      if (!asked_ && context_->clock->Now() < next) continue;
      asked_ = false;
    }
    next = context_->clock->Now() + kListEvery;
    absl::StatusOr<TableList> list = List();
    if (!list.ok()) {  // the stream says what is wrong with the source; the next list finds the same
      Log(LogSeverity::kDebug, "the source's tables cannot be listed",
          {{"error", std::string(View(list.status().message()))}});
    } else {
      absl::MutexLock lock(&mutex_);
      list_ = *std::move(list);
      has_list_ = true;
    }
    has_looked_ = true;
  }
}

}  // namespace hakobu
