#include "decode/ddl/table_editor.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/status.h"
#include "decode/ddl/collation.h"
#include "decode/ddl/column_shape.h"
#include "row/name_fold.h"

namespace hakobu::ddl {
namespace {

// What ends a row's time where no column is named for it, hidden.
constexpr std::string_view kRowEnd = "row_end";

KeyDefinition KeyOfColumn(const ColumnDefinition& column, KeyDefinition::Type type) {
  KeyDefinition key;
  key.type = type;
  key.parts.push_back({column.name, std::nullopt});
  return key;
}

// PRIMARY KEY and UNIQUE among a column's attributes.
void AddColumnKeys(const ColumnDefinition& column, std::vector<KeyDefinition>* keys) {
  if (column.primary) keys->push_back(KeyOfColumn(column, KeyDefinition::Type::kPrimary));
  if (column.unique) keys->push_back(KeyOfColumn(column, KeyDefinition::Type::kUnique));
}

// What rows that are there get in a column that is added.
ColumnOrigin OriginOfAdded(const ColumnDefinition& definition, const SourceColumn& column) {
  ColumnOrigin origin;
  origin.fill = definition.default_kind;
  origin.constant = definition.constant;
  if (definition.generated || definition.auto_increment) origin.fill = DefaultKind::kExpression;
  if (origin.fill != DefaultKind::kNone) return origin;
  origin.fill = DefaultKind::kNull;
  if (column.nullable) return origin;
  // NOT NULL without a default: the type's own zero.
  origin.fill = DefaultKind::kConstant;
  switch (column.type) {
    case SourceType::kChar:
    case SourceType::kVarchar:
    case SourceType::kText:
    case SourceType::kSet:
      break;
    case SourceType::kEnum:
      if (!column.labels.empty()) origin.constant = column.labels[0];
      break;
    case SourceType::kTinyInt:
    case SourceType::kSmallInt:
    case SourceType::kMediumInt:
    case SourceType::kInt:
    case SourceType::kBigInt:
    case SourceType::kDecimal:
    case SourceType::kFloat:
    case SourceType::kDouble:
    case SourceType::kYear:
      origin.constant = "0";
      break;
    default:
      origin.fill = DefaultKind::kExpression;
  }
  return origin;
}

// One ALTER TABLE, done as mysql_prepare_alter_table does: the old columns in their order with what changed
// in place, then what is added or moved, in the order of the statement; then the keys.
class Editor {
 public:
  Editor(const TableDefinition& before, const std::vector<AlterAction>& actions,
         std::string_view database_collation, const DdlContext& context)
      : before_(before), actions_(actions), database_collation_(database_collation), context_(context) {}

  absl::StatusOr<EditedTable> Edit();

 private:
  struct Column {
    SourceColumn column;
    ColumnOrigin origin;
  };

  template <typename Action>
  void ForEach(const auto& visit) const {
    for (const AlterAction& action : actions_) {
      if (const auto* wanted = std::get_if<Action>(&action)) visit(*wanted);
    }
  }
  absl::Status ChooseCollation();
  absl::Status CollectDrops();
  absl::Status KeepColumns();
  absl::Status KeepColumn(size_t place);
  absl::Status PlaceColumns();
  absl::Status PlaceColumn(Column column, const Place& place);
  absl::Status MoveColumn(size_t old_place, const Place& place);
  bool HasOwnPrimaryKey() const;
  void ChangeMarks();
  void ChangeVersioning();
  void KeepIndexes();
  void KeepIndex(const TableIndex& index);
  void AddIndexes();
  bool WasHashed(std::string_view new_name) const;
  const ChangeColumn* ChangeOf(std::string_view name) const;
  std::string NewName(std::string_view old_name) const;  // "" when dropped
  bool IsDropped(std::string_view name) const;
  size_t Find(std::string_view name) const;
  size_t FindAdded(std::string_view name) const;
  bool Existed(std::string_view name) const;

  const TableDefinition& before_;
  const std::vector<AlterAction>& actions_;
  std::string_view database_collation_;
  const DdlContext& context_;
  std::vector<std::string> drops_;
  std::vector<Column> columns_;
  std::vector<KeyDefinition> new_keys_;
  std::optional<std::string> convert_to_;
  TableDefinition after_;
};

bool Editor::Existed(std::string_view name) const {
  return std::any_of(before_.table.columns.begin(), before_.table.columns.end(),
                     [&](const SourceColumn& column) { return SameName(column.name, name); });
}

bool Editor::IsDropped(std::string_view name) const {
  return std::any_of(drops_.begin(), drops_.end(),
                     [&](const std::string& dropped) { return SameName(dropped, name); });
}

size_t Editor::Find(std::string_view name) const {
  size_t place = 0;
  while (place < columns_.size() && !SameName(columns_[place].column.name, name)) ++place;
  return place;
}

size_t Editor::FindAdded(std::string_view name) const {
  const size_t place = Find(name);
  return place < columns_.size() && columns_[place].origin.before.has_value() ? columns_.size() : place;
}

const ChangeColumn* Editor::ChangeOf(std::string_view name) const {
  const ChangeColumn* found = nullptr;
  ForEach<ChangeColumn>([&](const ChangeColumn& change) {
    if (SameName(change.name, name)) found = &change;
  });
  return found;
}

std::string Editor::NewName(std::string_view old_name) const {
  if (IsDropped(old_name)) return {};
  if (const ChangeColumn* change = ChangeOf(old_name)) return change->column.name;
  std::string name(old_name);
  ForEach<RenameColumn>([&](const RenameColumn& rename) {
    if (SameName(rename.from, old_name)) name = rename.to;
  });
  return name;
}

absl::Status Editor::ChooseCollation() {
  after_ = before_;
  TableOptions options;
  ForEach<SetOptions>([&](const SetOptions& set) {
    if (!set.options.charset.empty()) options.charset = set.options.charset;
    if (!set.options.collation.empty()) options.collation = set.options.collation;
    if (set.options.comment) after_.table.comment = *set.options.comment;
  });
  const bool other = !options.charset.empty() || !options.collation.empty();
  bool convert = false;
  ForEach<ConvertCharset>([&](const ConvertCharset& action) {
    convert = true;
    if (!action.charset.empty()) options.charset = action.charset;
    if (!action.collation.empty()) options.collation = action.collation;
  });
  if (convert && other) {
    return absl::FailedPreconditionError("it converts to one character set and makes another the default");
  }
  std::string collation =
      ResolveCollationWithin(before_.collation, options.charset, options.collation, context_);
  const bool to_default = options.charset == "default" || (convert && collation.empty());
  if (to_default) collation = database_collation_;
  const bool asked = convert || !options.charset.empty() || !options.collation.empty();
  if (asked && collation.empty()) {
    return absl::FailedPreconditionError(
        fmt::format("character set {} is not known", options.charset.empty() ? "default" : options.charset));
  }
  if (!collation.empty()) after_.collation = collation;
  if (convert) convert_to_ = collation;
  return absl::OkStatus();
}

absl::Status Editor::CollectDrops() {
  absl::Status status;
  ForEach<DropColumn>([&](const DropColumn& drop) {
    if (Existed(drop.name)) {
      drops_.push_back(drop.name);
    } else if (!drop.if_exists) {
      status =
          absl::FailedPreconditionError(fmt::format("it drops column {}, which is not known", drop.name));
    }
  });
  return status;
}

absl::Status Editor::KeepColumn(size_t place) {
  const SourceColumn& old = before_.table.columns[place];
  if (IsDropped(old.name)) return absl::OkStatus();
  const ChangeColumn* change = ChangeOf(old.name);
  if (change == nullptr) {
    Column kept{old, {place, DefaultKind::kNull, {}, false}};
    kept.column.name = NewName(old.name);
    columns_.push_back(std::move(kept));
    return absl::OkStatus();
  }
  HAKOBU_ASSIGN_OR_RETURN(SourceColumn shaped, ShapeColumn(change->column, after_.collation, context_));
  columns_.push_back({std::move(shaped), {place, DefaultKind::kNull, {}, change->column.generated}});
  return absl::OkStatus();
}

absl::Status Editor::KeepColumns() {
  for (size_t place = 0; place < before_.table.columns.size(); ++place) {
    HAKOBU_RETURN_IF_ERROR(KeepColumn(place));
  }
  return absl::OkStatus();
}

absl::Status Editor::PlaceColumn(Column column, const Place& place) {
  auto at = columns_.end();
  if (place.kind == Place::Kind::kFirst) at = columns_.begin();
  if (place.kind == Place::Kind::kAfter) {
    const size_t after = Find(place.after);
    if (after == columns_.size()) {
      return absl::FailedPreconditionError(
          fmt::format("it puts {} after {}, which is not known", column.column.name, place.after));
    }
    at = columns_.begin() + static_cast<std::ptrdiff_t>(after) + 1;
  }
  columns_.insert(at, std::move(column));
  return absl::OkStatus();
}

// It stands in its old place until its turn comes, and others may be put after it there.
absl::Status Editor::MoveColumn(size_t old_place, const Place& place) {
  const auto found = std::find_if(columns_.begin(), columns_.end(),
                                  [&](const Column& column) { return column.origin.before == old_place; });
  if (found == columns_.end()) return absl::OkStatus();  // dropped in the same statement
  Column column = std::move(*found);
  columns_.erase(found);
  return PlaceColumn(std::move(column), place);
}

// MySQL's sql_generate_invisible_primary_key: a column that looks like the server's own stays the first one,
// whatever is put FIRST.
bool Editor::HasOwnPrimaryKey() const {
  const std::vector<SourceColumn>& columns = before_.table.columns;
  if (context_.dialect != Dialect::kMySql || columns.empty() || !before_.table.key.has_value()) return false;
  const SourceColumn& first = columns[0];
  return first.name == "my_row_id" && first.invisible && first.type == SourceType::kBigInt &&
         first.is_unsigned && before_.table.key->primary &&
         before_.table.key->columns == std::vector<size_t>{0};
}

absl::Status Editor::PlaceColumns() {
  for (const AlterAction& action : actions_) {
    if (const auto* add = std::get_if<AddColumn>(&action)) {
      if (add->if_not_exists && Existed(add->column.name) && !IsDropped(add->column.name)) continue;
      HAKOBU_ASSIGN_OR_RETURN(SourceColumn shaped, ShapeColumn(add->column, after_.collation, context_));
      ColumnOrigin origin = OriginOfAdded(add->column, shaped);
      HAKOBU_RETURN_IF_ERROR(PlaceColumn({std::move(shaped), std::move(origin)}, add->place));
      AddColumnKeys(add->column, &new_keys_);
    } else if (const auto* change = std::get_if<ChangeColumn>(&action)) {
      size_t old = 0;
      while (old < before_.table.columns.size() && !SameName(before_.table.columns[old].name, change->name)) {
        ++old;
      }
      if (old == before_.table.columns.size()) {
        if (change->if_exists) continue;
        return absl::FailedPreconditionError(
            fmt::format("it changes column {}, which is not known", change->name));
      }
      AddColumnKeys(change->column, &new_keys_);
      if (change->place.kind != Place::Kind::kUnstated) {
        HAKOBU_RETURN_IF_ERROR(MoveColumn(old, change->place));
      }
    } else if (const auto* key = std::get_if<AddKey>(&action)) {
      new_keys_.push_back(key->key);
    }
  }
  return absl::OkStatus();
}

void Editor::ChangeVersioning() {
  std::string& row_end = after_.table.row_end;
  ForEach<SystemVersioning>([&](const SystemVersioning& versioning) {
    row_end = versioning.on ? std::string(kRowEnd) : std::string();
  });
  if (row_end.empty()) return;
  ForEach<AddColumn>([&](const AddColumn& add) {
    if (add.column.row_end) row_end = add.column.name;
  });
}

void Editor::ChangeMarks() {
  ForEach<SetVisibility>([&](const SetVisibility& set) {
    const size_t place = Find(NewName(set.column));
    if (place < columns_.size()) columns_[place].column.invisible = !set.visible;
  });
  ForEach<AddJsonCheck>([&](const AddJsonCheck& check) {
    const size_t place = Find(check.column);
    const bool text = place < columns_.size() && columns_[place].column.type == SourceType::kText;
    if (text && context_.dialect == Dialect::kMariaDb) columns_[place].column.type = SourceType::kJson;
  });
  if (!convert_to_) return;
  for (Column& column : columns_) ConvertColumn(*convert_to_, context_, &column.column);
}

void Editor::KeepIndex(const TableIndex& index) {
  bool dropped = false;
  TableIndex kept = index;
  ForEach<DropKey>([&](const DropKey& drop) { dropped = dropped || SameName(drop.name, index.name); });
  if (dropped) return;
  ForEach<RenameKey>([&](const RenameKey& rename) {
    if (SameName(rename.from, index.name)) kept.name = rename.to;
  });
  ForEach<SetKeyVisibility>([&](const SetKeyVisibility& set) {
    if (SameName(set.name, index.name)) kept.visible = set.visible;
  });
  kept.parts.clear();
  for (IndexPart part : index.parts) {
    if (part.column.empty()) {
      kept.parts.push_back(part);
      continue;
    }
    const std::string new_name = NewName(part.column);
    // A column that is dropped and added again takes the old one's place in its indexes.
    const size_t place = new_name.empty() ? FindAdded(part.column) : Find(new_name);
    if (place == columns_.size()) continue;  // an index loses what the table loses
    part.column = columns_[place].column.name;
    const SourceColumn& column = columns_[place].column;
    const bool text = column.type == SourceType::kText || column.type == SourceType::kBlob ||
                      column.type == SourceType::kGeometry;
    const bool sized = column.type == SourceType::kChar || column.type == SourceType::kVarchar ||
                       column.type == SourceType::kBinary || column.type == SourceType::kVarbinary;
    if ((!text && !sized) || (sized && part.prefix >= column.length)) part.prefix = 0;
    kept.parts.push_back(std::move(part));
  }
  if (!kept.parts.empty()) after_.indexes.push_back(std::move(kept));
}

bool Editor::WasHashed(std::string_view new_name) const {
  for (const TableIndex& index : before_.indexes) {
    std::string name = index.name;
    ForEach<RenameKey>([&](const RenameKey& rename) {
      if (SameName(rename.from, index.name)) name = rename.to;
    });
    if (name == new_name) return HashesKey(before_, index, context_, true);
  }
  return false;
}

void Editor::KeepIndexes() {
  after_.indexes.clear();
  for (const TableIndex& index : before_.indexes) KeepIndex(index);
}

void Editor::AddIndexes() {
  for (const KeyDefinition& key : new_keys_) AddIndex(key, context_, &after_);
}

absl::StatusOr<EditedTable> Editor::Edit() {
  HAKOBU_RETURN_IF_ERROR(ChooseCollation());
  HAKOBU_RETURN_IF_ERROR(CollectDrops());
  HAKOBU_RETURN_IF_ERROR(KeepColumns());
  HAKOBU_RETURN_IF_ERROR(PlaceColumns());
  if (HasOwnPrimaryKey()) {
    const auto own = std::find_if(columns_.begin(), columns_.end(),
                                  [](const Column& column) { return column.origin.before == size_t{0}; });
    if (own != columns_.end()) std::rotate(columns_.begin(), own, own + 1);
  }
  ChangeMarks();
  ChangeVersioning();
  KeepIndexes();
  after_.table.columns.clear();
  std::vector<ColumnOrigin> origins;
  for (Column& column : columns_) {
    after_.table.columns.push_back(column.column);
    origins.push_back(std::move(column.origin));
  }
  for (TableIndex& index : after_.indexes) {
    // What else is a hash is so by its engine.
    const bool by_engine = index.hash && !WasHashed(index.name);
    index.hash = by_engine || HashesKey(after_, index, context_, false);
  }
  AddIndexes();
  SettleKeys(&after_);
  EditedTable edited;
  edited.columns = CompareColumns(before_.table.columns, after_.table.columns, origins);
  const auto key_names = [](const SourceTable& table) {
    std::vector<std::string> names;
    if (!table.key) return names;
    for (const size_t place : table.key->columns) names.push_back(table.columns[place].name);
    return names;
  };
  std::vector<std::string> old_key = key_names(before_.table);
  for (std::string& name : old_key) name = NewName(name);
  edited.key_changed = old_key != key_names(after_.table);
  edited.definition = std::move(after_);
  return edited;
}

}  // namespace

absl::StatusOr<TableDefinition> MakeTable(const DdlChange& change, std::string_view database_collation,
                                          const DdlContext& context) {
  TableDefinition made;
  made.table.database = change.table.database;
  made.table.name = change.table.table;
  made.table.comment = change.options.comment.value_or("");
  made.collation = change.options.has_charset && change.options.charset != "default"
                       ? ResolveCollationWithin(database_collation, change.options.charset,
                                                change.options.collation, context)
                       : std::string(database_collation);
  for (const ColumnDefinition& definition : change.columns) {
    HAKOBU_ASSIGN_OR_RETURN(SourceColumn column, ShapeColumn(definition, made.collation, context));
    made.table.columns.push_back(std::move(column));
  }
  if (change.system_versioning) made.table.row_end = kRowEnd;
  for (const ColumnDefinition& definition : change.columns) {
    if (definition.row_end && change.system_versioning) made.table.row_end = definition.name;
  }
  std::vector<KeyDefinition> keys;
  for (const ColumnDefinition& definition : change.columns) AddColumnKeys(definition, &keys);
  keys.insert(keys.end(), change.keys.begin(), change.keys.end());
  for (const KeyDefinition& key : keys) AddIndex(key, context, &made);
  for (const std::string& name : change.json_checks) {
    for (SourceColumn& column : made.table.columns) {
      const bool text = column.type == SourceType::kText && context.dialect == Dialect::kMariaDb;
      if (text && SameName(column.name, name)) column.type = SourceType::kJson;
    }
  }
  SettleKeys(&made);
  return made;
}

absl::StatusOr<EditedTable> EditTable(const TableDefinition& before, const std::vector<AlterAction>& actions,
                                      std::string_view database_collation, const DdlContext& context) {
  return Editor(before, actions, database_collation, context).Edit();
}

}  // namespace hakobu::ddl
