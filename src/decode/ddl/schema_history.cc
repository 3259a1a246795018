#include "decode/ddl/schema_history.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/status.h"
#include "decode/ddl/collation.h"
#include "decode/ddl/table_editor.h"
#include "decode/ddl/token.h"

namespace hakobu::ddl {

// Follows one change. A friend of the history, so that each kind of change is one small function.
class Applier {
 public:
  Applier(SchemaHistory* history, const DdlContext& context) : history_(*history), context_(context) {}

  std::vector<TableEffect> Apply(const DdlChange& change);

 private:
  using Entry = SchemaHistory::Entry;

  TableName Key(const TableName& name) const { return history_.Key(name.database, name.table); }
  Entry* Find(const TableName& name) {
    const auto found = history_.tables_.find(Key(name));
    return found == history_.tables_.end() ? nullptr : &found->second;
  }
  std::string DatabaseCollation(const std::string& database) const;
  std::string ServerCollation() const;
  TableEffect& Add(TableEffect::Kind kind, const TableName& table);
  void MakeUncertain(const TableName& table, std::string_view reason);

  void ApplyDatabase(const DdlChange& change);
  void DropDatabase(const DdlChange& change);
  void CreateTable(const DdlChange& change);
  void CreateLike(const DdlChange& change);
  void Put(const TableName& name, TableDefinition definition, bool complete);
  void AlterTable(const DdlChange& change);
  void EditColumns(const DdlChange& change, Entry* entry);
  void ApplyPartitionData(const DdlChange& change, const PartitionData& data);
  void DropTable(const DdlChange& change);
  void RenameTable(const TableName& from, const TableName& to);
  void RemoveRows(const DdlChange& change);
  void ApplyUnseen(const DdlChange& change, TableEffect::Kind kind, const std::string& reason);

  SchemaHistory& history_;
  const DdlContext& context_;
  std::vector<TableEffect> effects_;
};

std::string Applier::ServerCollation() const {
  if (!context_.server_collation.empty()) return context_.server_collation;
  const bool latin1 = context_.dialect == Dialect::kMySql && context_.version < 80000;
  return DefaultCollation(latin1 ? "latin1" : "utf8mb4", context_);
}

// "" when nobody has said it: then a column that needs it makes its table uncertain.
std::string Applier::DatabaseCollation(const std::string& database) const {
  const auto found = history_.database_collations_.find(history_.Key(database, {}).database);
  return found == history_.database_collations_.end() ? std::string() : found->second;
}

TableEffect& Applier::Add(TableEffect::Kind kind, const TableName& table) {
  TableEffect& effect = effects_.emplace_back();
  effect.kind = kind;
  effect.table = Key(table);
  return effect;
}

void Applier::MakeUncertain(const TableName& table, std::string_view reason) {
  Entry& entry = history_.tables_[Key(table)];
  entry.definition.table.database = Key(table).database;
  entry.definition.table.name = Key(table).table;
  if (entry.uncertain.empty()) entry.uncertain = reason;
  Add(TableEffect::Kind::kUnknown, table).reason = reason;
}

void Applier::ApplyDatabase(const DdlChange& change) {
  const std::string database = history_.Key(change.database, {}).database;
  auto& known = history_.database_collations_;
  const bool exists = known.contains(database);
  if (change.kind == DdlKind::kCreateDatabase) {
    if (change.or_replace) DropDatabase(change);
    if (exists && change.if_not_exists) return;
    known[database] = ServerCollation();
  }
  if (!change.options.has_charset) return;
  std::string collation = change.options.charset == "default" && change.options.collation.empty()
                              ? ServerCollation()
                              : ResolveCollation(change.options.charset, change.options.collation, context_);
  if (!collation.empty()) known[database] = std::move(collation);
}

void Applier::DropDatabase(const DdlChange& change) {
  const std::string database = history_.Key(change.database, {}).database;
  history_.database_collations_.erase(database);
  for (auto at = history_.tables_.lower_bound({database, {}});
       at != history_.tables_.end() && at->first.database == database;) {
    Add(TableEffect::Kind::kDropped, at->first);
    at = history_.tables_.erase(at);
  }
}

void Applier::Put(const TableName& name, TableDefinition definition, bool complete) {
  const TableName key = Key(name);
  definition.table.database = key.database;
  definition.table.name = key.table;
  const bool replaced = history_.tables_.contains(key);
  history_.tables_[key] = {std::move(definition), complete, {}};
  Add(replaced ? TableEffect::Kind::kReplaced : TableEffect::Kind::kCreated, name);
}

void Applier::CreateLike(const DdlChange& change) {
  const Entry* model = Find(*change.like);
  if (model == nullptr || !model->uncertain.empty()) {
    return MakeUncertain(change.table, fmt::format("created like {}.{}, which the history does not know",
                                                   change.like->database, change.like->table));
  }
  TableDefinition copy = model->definition;
  copy.table.estimated_rows = copy.table.data_bytes = 0;
  Put(change.table, std::move(copy), model->complete);
}

void Applier::CreateTable(const DdlChange& change) {
  if (change.temporary) return;
  if (change.if_not_exists && Find(change.table) != nullptr) return;
  if (change.like) return CreateLike(change);
  if (change.as_select || change.columns.empty()) {
    return MakeUncertain(change.table,
                         "created from a SELECT in statement format: its columns are not in the log");
  }
  absl::StatusOr<TableDefinition> made =
      MakeTable(change, DatabaseCollation(change.table.database), context_);
  if (!made.ok()) return MakeUncertain(change.table, View(made.status().message()));
  Put(change.table, *std::move(made), true);
}

void Applier::ApplyPartitionData(const DdlChange& change, const PartitionData& data) {
  using Kind = PartitionData::Kind;
  const auto unseen = [&](const TableName& table, std::string_view reason) {
    Add(TableEffect::Kind::kRowsChangedUnseen, table).reason = reason;
  };
  switch (data.kind) {
    case Kind::kDrop:
      return unseen(change.table, "a partition was dropped with its rows");
    case Kind::kTruncate:
      return unseen(change.table, "a partition was truncated");
    case Kind::kDiscardOrImport:
      return unseen(change.table, "its tablespace was discarded or imported");
    case Kind::kExchange:
      unseen(change.table, "a partition was exchanged with another table");
      return unseen(data.other, "it was exchanged with a partition of another table");
    case Kind::kConvertIn:
      unseen(change.table, "a table became one of its partitions");
      Add(TableEffect::Kind::kDropped, data.other);
      history_.tables_.erase(Key(data.other));
      return;
    case Kind::kConvertOut:
      unseen(change.table, "a partition became a table of its own");
      if (const Entry* entry = Find(change.table); entry != nullptr && entry->uncertain.empty()) {
        TableDefinition copy = entry->definition;
        Put(data.other, std::move(copy), entry->complete);
        return unseen(data.other, "it was made of a partition with its rows");
      }
      return MakeUncertain(data.other, "made of a partition of a table the history does not know");
  }
}

void Applier::EditColumns(const DdlChange& change, Entry* entry) {
  if (!entry->uncertain.empty()) return MakeUncertain(change.table, entry->uncertain);
  absl::StatusOr<EditedTable> edited =
      EditTable(entry->definition, change.actions, DatabaseCollation(change.table.database), context_);
  if (!edited.ok()) return MakeUncertain(change.table, View(edited.status().message()));
  if (edited->key_changed && !entry->complete) {
    return MakeUncertain(change.table, "its key was changed, and its other keys are not known");
  }
  entry->definition = std::move(edited->definition);
  TableEffect& effect = Add(TableEffect::Kind::kAltered, change.table);
  effect.columns = std::move(edited->columns);
  effect.key_changed = edited->key_changed;
}

// MariaDB's ALTER IGNORE drops rows that a new key or a narrower column makes duplicates of others.
void Applier::RemoveRows(const DdlChange& change) {
  const bool keeps_rows = std::ranges::all_of(change.actions, [](const AlterAction& action) {
    if (const auto* add = std::get_if<AddColumn>(&action)) return !add->column.unique && !add->column.primary;
    return std::holds_alternative<DropColumn>(action) || std::holds_alternative<RenameColumn>(action) ||
           std::holds_alternative<SetVisibility>(action) || std::holds_alternative<DropKey>(action) ||
           std::holds_alternative<RenameKey>(action) || std::holds_alternative<SetKeyVisibility>(action) ||
           std::holds_alternative<RenameTo>(action) || std::holds_alternative<AddJsonCheck>(action);
  });
  if (keeps_rows) return;
  Add(TableEffect::Kind::kRowsChangedUnseen, change.table).reason = "ALTER IGNORE may have removed rows";
}

void Applier::AlterTable(const DdlChange& change) {
  Entry* entry = Find(change.table);
  const RenameTo* rename = nullptr;
  std::vector<const PartitionData*> partitions;
  bool only_rename = !change.actions.empty();
  for (const AlterAction& action : change.actions) {
    if (const auto* to = std::get_if<RenameTo>(&action)) {
      rename = to;
    } else {
      only_rename = false;
    }
    if (const auto* data = std::get_if<PartitionData>(&action)) partitions.push_back(data);
  }
  if (entry != nullptr && !only_rename) EditColumns(change, entry);
  if (entry != nullptr && change.ignore) RemoveRows(change);
  for (const PartitionData* data : partitions) ApplyPartitionData(change, *data);
  if (rename != nullptr) RenameTable(change.table, rename->name);
}

void Applier::DropTable(const DdlChange& change) {
  if (change.temporary || Find(change.table) == nullptr) return;
  history_.tables_.erase(Key(change.table));
  Add(TableEffect::Kind::kDropped, change.table);
}

void Applier::RenameTable(const TableName& from, const TableName& to) {
  if (Key(from) == Key(to)) return;
  auto node = history_.tables_.extract(Key(from));
  if (node.empty()) {
    // A view, or a table nobody told the history of: what now bears the name is not known.
    if (Find(to) != nullptr) history_.tables_.erase(Key(to));
    return MakeUncertain(
        to, fmt::format("renamed from {}.{}, which the history does not know", from.database, from.table));
  }
  node.key() = Key(to);
  Entry& entry = node.mapped();
  entry.definition.table.database = node.key().database;
  entry.definition.table.name = node.key().table;
  history_.tables_.erase(node.key());
  history_.tables_.insert(std::move(node));
  Add(TableEffect::Kind::kRenamed, from).to = Key(to);
}

void Applier::ApplyUnseen(const DdlChange& change, TableEffect::Kind kind, const std::string& reason) {
  std::vector<TableName> tables = change.tables;
  if (change.may_concern_any_table) tables = history_.Tables();
  // What could not be read stands there all the same, and names its tables, wherever it does.
  if (change.may_concern_any_table && !change.text.empty()) {
    std::erase_if(tables, [&](const TableName& table) {
      return change.text.find(LowerCase(table.table)) == std::string::npos;
    });
  }
  for (const TableName& table : tables) {
    if (kind == TableEffect::Kind::kUnknown) {
      MakeUncertain(table, reason);
    } else {
      Add(kind, table).reason = reason;
    }
  }
}

std::vector<TableEffect> Applier::Apply(const DdlChange& change) {
  switch (change.kind) {
    case DdlKind::kCreateDatabase:
    case DdlKind::kAlterDatabase:
      ApplyDatabase(change);
      break;
    case DdlKind::kDropDatabase:
      DropDatabase(change);
      break;
    case DdlKind::kCreateTable:
      CreateTable(change);
      break;
    case DdlKind::kAlterTable:
      AlterTable(change);
      break;
    case DdlKind::kDropTable:
      DropTable(change);
      break;
    case DdlKind::kRenameTable:
      RenameTable(change.table, change.to);
      break;
    case DdlKind::kTruncateTable:
      if (Find(change.table) != nullptr) Add(TableEffect::Kind::kTruncated, change.table);
      break;
    case DdlKind::kDataStatement:
      ApplyUnseen(change, TableEffect::Kind::kRowsChangedUnseen,
                  fmt::format("{} was logged as a statement, without its rows", change.verb));
      break;
    case DdlKind::kUnknown:
      ApplyUnseen(change, TableEffect::Kind::kUnknown,
                  fmt::format("{} could not be read: {}", change.verb, change.problem));
      break;
    case DdlKind::kDropView:
    case DdlKind::kOther:
      break;
  }
  return std::move(effects_);
}

TableName SchemaHistory::Key(std::string_view database, std::string_view table) const {
  if (!lower_case_names_) return {std::string(database), std::string(table)};
  return {LowerCase(database), LowerCase(table)};
}

void SchemaHistory::AddDatabase(const DatabaseDefault& database) {
  database_collations_[Key(database.database, {}).database] = database.collation;
}

void SchemaHistory::AddTable(TableDefinition table) {
  const TableName key = Key(table.table.database, table.table.name);
  tables_[key] = {std::move(table), true, {}};
}

void SchemaHistory::AddTable(SourceTable table) {
  TableDefinition definition;
  if (table.key) {
    TableIndex& index = definition.indexes.emplace_back();
    index.name = table.key->name;
    index.unique = true;
    for (const size_t place : table.key->columns) index.parts.push_back({table.columns[place].name, 0});
  }
  const TableName key = Key(table.database, table.name);
  definition.table = std::move(table);
  tables_[key] = {std::move(definition), false, {}};
}

std::vector<TableEffect> SchemaHistory::Apply(const DdlChange& change, const DdlContext& context) {
  return Applier(this, context).Apply(change);
}

const TableDefinition* SchemaHistory::FindDefinition(std::string_view database,
                                                     std::string_view table) const {
  const auto found = tables_.find(Key(database, table));
  return found == tables_.end() || !found->second.uncertain.empty() ? nullptr : &found->second.definition;
}

const SourceTable* SchemaHistory::Find(std::string_view database, std::string_view table) const {
  const TableDefinition* definition = FindDefinition(database, table);
  return definition == nullptr ? nullptr : &definition->table;
}

Knowledge SchemaHistory::KnowledgeOf(std::string_view database, std::string_view table) const {
  const auto found = tables_.find(Key(database, table));
  if (found == tables_.end()) return Knowledge::kUnknownTable;
  return found->second.uncertain.empty() ? Knowledge::kKnown : Knowledge::kUncertain;
}

std::string_view SchemaHistory::DatabaseCollation(std::string_view database) const {
  const auto found = database_collations_.find(Key(database, {}).database);
  return found == database_collations_.end() ? std::string_view() : std::string_view(found->second);
}

std::vector<TableName> SchemaHistory::Tables() const {
  std::vector<TableName> names;
  names.reserve(tables_.size());
  for (const auto& [name, entry] : tables_) names.push_back(name);
  return names;
}

}  // namespace hakobu::ddl
