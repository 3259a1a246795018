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

// Whether every text of the one character set is one of the other. Where it is not, servers that are not
// strict write
// '?'.
bool HoldsAll(std::string_view charset, std::string_view of) {
  if (charset == of) return true;
  if (of.empty() || charset.empty() || of == "binary") return false;  // bytes become text or text bytes
  if (of == "ascii") return charset != "swe7" && charset != "binary";
  const bool wide = charset == "utf8mb4" || charset == "utf16" || charset == "utf16le" || charset == "utf32";
  if (wide) return true;
  return charset == "utf8mb3" && of != "utf8mb4" && of != "utf16" && of != "utf16le" && of != "utf32" &&
         of != "gb18030" && of != "big5" && of != "eucjpms";
}

// Whether every value of the column reads the same after the change.
bool KeepsValues(const SourceColumn& before, const SourceColumn& after) {
  if (before.nullable && !after.nullable) return false;  // NULLs became something
  if (!HoldsAll(after.charset, before.charset)) return false;
  if (before.declared == after.declared) return true;
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

bool IsInKey(const SourceTable& table, std::string_view name) {
  return table.key.has_value() && std::ranges::any_of(table.key->columns, [&](size_t place) {
           return table.columns[place].name == name;
         });
}

bool HasGeneratedKey(const SourceTable& table) {
  return table.key.has_value() && std::ranges::any_of(table.key->columns, [&](size_t place) {
           return table.columns[place].generated != Generated::kNo;
         });
}

// CHANGE may rename and retype at once.
std::string_view OldName(const ddl::TableEffect& effect, std::string_view name) {
  for (const ddl::ColumnEffect& column : effect.columns) {
    if (column.kind == ddl::ColumnEffect::Kind::kRenamed && column.name == name) return column.before;
  }
  return name;
}

}  // namespace

AlterNeeds NeedsOf(const SourceTable& before, const SourceTable& after, const ddl::TableEffect& effect) {
  using Kind = ddl::ColumnEffect::Kind;
  AlterNeeds needs;
  for (const ddl::ColumnEffect& column : effect.columns) {
    needs.columns_differ = true;
    bool differs = false;
    switch (column.kind) {
      case Kind::kAdded:
        // A name that comes back in the same statement is a new column: what was in the old one is no part of
        // it.
        differs = column.fill != ddl::DefaultKind::kNull || FindColumn(before, column.name) != nullptr;
        needs.keys_differ = needs.keys_differ || IsInKey(after, column.name);
        break;
      case Kind::kRenamed:
        differs = true;  // the new name's values are those of the old one
        needs.keys_differ = needs.keys_differ || IsInKey(after, column.name);
        break;
      case Kind::kRecomputed:
        differs = true;
        break;
      case Kind::kRetyped:
      case Kind::kCharset:
      case Kind::kNullability: {
        const SourceColumn* was = FindColumn(before, OldName(effect, column.name));
        const SourceColumn* is = FindColumn(after, column.name);
        differs = was == nullptr || is == nullptr || !KeepsValues(*was, *is);
        break;
      }
      case Kind::kDropped:
      case Kind::kMoved:
        break;
    }
    needs.rows_differ = needs.rows_differ || differs;
    needs.keys_differ = needs.keys_differ || (differs && IsInKey(after, column.name));
  }
  // What is computed of a column that changed is other, too.
  needs.keys_differ = needs.keys_differ || (needs.rows_differ && HasGeneratedKey(after));
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
  std::vector<std::string> unread;
  for (const std::string& database : databases) {
    if (!follower->followed_before_.contains(database)) unread.push_back(database);
  }
  HAKOBU_ASSIGN_OR_RETURN(const TablesByDatabase tables, ListTablesOf(source, unread));
  for (const auto& [database, names] : tables) {
    if (!names.empty()) HAKOBU_RETURN_IF_ERROR(follower->ReadDatabase(source, database, names));
  }
  return follower;
}

absl::Status SchemaFollower::ReadDatabase(Connection* source, const std::string& database,
                                          const std::vector<std::string>& names) {
  absl::StatusOr<std::vector<TableDefinition>> tables = ReadTableDefinitions(source, database, names);
  if (tables.status().code() == absl::StatusCode::kUnavailable) return tables.status();
  if (!tables.ok()) {
    // One has a type that is not known, or went while it was read: the others can be read one by one.
    Log(LogSeverity::kDebug, "not all tables can be followed",
        {{"database", database}, {"error", std::string(View(tables.status().message()))}});
    tables.emplace();
    for (const std::string& name : names) {
      absl::StatusOr<std::vector<TableDefinition>> one = ReadTableDefinitions(source, database, {name});
      if (one.ok()) tables->push_back(std::move(one->front()));
    }
  }
  for (TableDefinition& table : *tables) {
    if (!IsThere({database, table.table.name})) history_.AddTable(std::move(table));
  }
  return absl::OkStatus();
}

bool SchemaFollower::Concerns(const std::string& database) {
  if (databases_.contains(database)) return true;
  if (database.empty() || !wanted_ || !wanted_(database)) return false;
  databases_.insert(database);
  return true;
}

std::string SchemaFollower::ToJson() const {
  nlohmann::json json;
  json["databases"] = databases_;
  json["history"] = history_.ToJson();
  return json.dump();
}

std::string SchemaFollower::Shape() const {
  nlohmann::json shape = {{"databases", databases_}, {"history", nlohmann::json::parse(history_.ToJson())}};
  const auto strip = [](auto&& self, nlohmann::json& value) -> void {
    if (value.is_object()) {
      value.erase("estimated_rows");
      value.erase("data_bytes");
    }
    if (value.is_structured()) {
      for (nlohmann::json& element : value) self(self, element);
    }
  };
  strip(strip, shape);
  return shape.dump();
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

std::optional<ddl::SavepointStatement> SchemaFollower::ReadSavepoint(
    const binlog::LogStatement& statement) const {
  return ddl::ReadSavepoint(statement.text, ddl::ContextOf(statement, dialect_, version_, lower_case_names_));
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
      const bool from = Concerns(effect.table.database), to = Concerns(effect.to.database);
      if (from || to) effects.push_back(std::move(effect));
    }
  }
  return effects;
}

}  // namespace hakobu
