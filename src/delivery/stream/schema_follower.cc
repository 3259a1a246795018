#include "delivery/stream/schema_follower.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "base/status.h"

namespace hakobu {
namespace {

int IntegerRank(SourceType type) {
  switch (type) {
    case SourceType::kTinyInt:
      return 1;
    case SourceType::kSmallInt:
      return 2;
    case SourceType::kMediumInt:
      return 3;
    case SourceType::kInt:
      return 4;
    case SourceType::kBigInt:
      return 5;
    default:
      return 0;
  }
}

bool IsString(SourceType type) {
  return type == SourceType::kVarchar || type == SourceType::kText;
}

// Whether every value of the column reads the same after the change.
bool KeepsValues(const SourceColumn& before, const SourceColumn& after) {
  if (before.nullable && !after.nullable) return false;  // NULLs became something
  if (before.declared == after.declared && before.charset == after.charset) return true;
  const int rank = IntegerRank(before.type);
  if (rank > 0) return IntegerRank(after.type) >= rank && before.is_unsigned == after.is_unsigned;
  if (IsString(before.type)) return IsString(after.type) && after.length >= before.length;
  if (before.type != after.type) return false;
  switch (before.type) {
    case SourceType::kDecimal:
      return after.scale >= before.scale &&
             after.precision - after.scale >= before.precision - before.scale &&
             before.is_unsigned == after.is_unsigned;
    case SourceType::kDateTime:
    case SourceType::kTimestamp:
    case SourceType::kTime:
      return after.fraction >= before.fraction;
    case SourceType::kEnum:
    case SourceType::kSet:
      return after.labels.size() >= before.labels.size() &&
             std::equal(before.labels.begin(), before.labels.end(), after.labels.begin());
    case SourceType::kVarbinary:
    case SourceType::kBlob:
      return after.length >= before.length;
    default:
      return false;
  }
}

const SourceColumn* FindColumn(const SourceTable& table, std::string_view name) {
  for (const SourceColumn& column : table.columns) {
    if (column.name == name) return &column;
  }
  return nullptr;
}

}  // namespace

AlterNeeds NeedsOf(const SourceTable& before, const SourceTable& after, const ddl::TableEffect& effect) {
  AlterNeeds needs;
  for (const ddl::ColumnEffect& column : effect.columns) {
    needs.columns_differ = true;
    switch (column.kind) {
      case ddl::ColumnEffect::Kind::kAdded:
        needs.rows_differ = needs.rows_differ || column.fill != ddl::DefaultKind::kNull;
        break;
      case ddl::ColumnEffect::Kind::kRenamed:
        needs.rows_differ = true;  // the new name's values are those of the old one
        break;
      case ddl::ColumnEffect::Kind::kRetyped:
      case ddl::ColumnEffect::Kind::kCharset:
      case ddl::ColumnEffect::Kind::kNullability: {
        const SourceColumn* was = FindColumn(before, column.name);
        const SourceColumn* is = FindColumn(after, column.name);
        needs.rows_differ = needs.rows_differ || was == nullptr || is == nullptr || !KeepsValues(*was, *is);
        break;
      }
      case ddl::ColumnEffect::Kind::kDropped:
      case ddl::ColumnEffect::Kind::kMoved:
        break;
    }
  }
  return needs;
}

absl::StatusOr<std::unique_ptr<SchemaFollower>> SchemaFollower::Open(Connection* source,
                                                                     const std::set<std::string>& databases,
                                                                     std::string_view stored) {
  const auto dialect =
      source->flavor() == ServerFlavor::kMySql ? ddl::Dialect::kMySql : ddl::Dialect::kMariaDb;
  const absl::StatusOr<std::string> lower = source->QueryValue("SELECT @@GLOBAL.lower_case_table_names");
  HAKOBU_RETURN_IF_ERROR(lower.status());
  auto follower =
      std::unique_ptr<SchemaFollower>(new SchemaFollower(dialect, source->version_number(), *lower != "0"));
  follower->databases_.insert(databases.begin(), databases.end());
  if (!stored.empty()) HAKOBU_RETURN_IF_ERROR(follower->Load(stored));
  HAKOBU_ASSIGN_OR_RETURN(const std::vector<DatabaseDefault> defaults, ReadDatabaseDefaults(source));
  for (const DatabaseDefault& database : defaults) {
    if (follower->history_.DatabaseCollation(database.database).empty())
      follower->history_.AddDatabase(database);
  }
  for (const std::string& database : databases) {
    if (follower->followed_before_.contains(database)) continue;
    absl::StatusOr<std::vector<TableDefinition>> tables = ReadTableDefinitions(source, database, {});
    if (!tables.ok()) {
      // Some table that is not delivered has a type that is not known: those that are can be read one by one.
      Log(LogSeverity::kDebug, "not all tables can be followed",
          {{"database", database}, {"error", std::string(View(tables.status().message()))}});
      continue;
    }
    for (TableDefinition& table : *tables) {
      const std::string name = table.table.name;
      const bool known = follower->history_.KnowledgeOf(database, name) != ddl::Knowledge::kUnknownTable;
      if (!known) follower->history_.AddTable(std::move(table));
    }
  }
  return follower;
}

std::string SchemaFollower::ToJson() const {
  nlohmann::json json;
  json["databases"] = databases_;
  json["history"] = history_.ToJson();
  return json.dump();
}

absl::Status SchemaFollower::Load(std::string_view stored) {
  const nlohmann::json json = nlohmann::json::parse(stored, nullptr, false);
  if (!json.is_object() || !json.contains("databases") || !json.contains("history")) {
    return absl::DataLossError("the ledger's schemas cannot be read");
  }
  for (const auto& database : json["databases"]) followed_before_.insert(database.get<std::string>());
  HAKOBU_ASSIGN_OR_RETURN(history_, ddl::SchemaHistory::FromJson(json["history"].get<std::string>()));
  return absl::OkStatus();
}

std::vector<ddl::TableEffect> SchemaFollower::Follow(const binlog::LogStatement& statement) {
  const ddl::DdlContext context = ddl::ContextOf(statement, dialect_, version_, lower_case_names_);
  const absl::StatusOr<std::vector<ddl::DdlChange>> changes = ddl::ParseDdl(statement.text, context);
  std::vector<ddl::TableEffect> effects;
  if (!changes.ok()) {
    Log(LogSeverity::kWarning, "statement of the log left alone",
        {{"error", std::string(View(changes.status().message()))}});
    return effects;
  }
  for (const ddl::DdlChange& change : *changes) {
    for (ddl::TableEffect& effect : history_.Apply(change, context)) {
      const bool concerns =
          databases_.contains(effect.table.database) || databases_.contains(effect.to.database);
      if (concerns) effects.push_back(std::move(effect));
    }
  }
  return effects;
}

}  // namespace hakobu
