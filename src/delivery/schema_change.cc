#include "delivery/schema_change.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "base/status.h"
#include "delivery/merge_sql.h"
#include "delivery/preflight/table_checks.h"
#include "delivery/table_resource.h"

namespace hakobu {
namespace {

using nlohmann::json;

struct ExistingColumn {
  std::string name;
  std::string type;  // GoogleSQL's name
  bool required = false;
};

std::string StandardType(const json& field) {
  const std::string type = field.value("type", "STRING");
  if (type == "INTEGER") return "INT64";
  if (type == "FLOAT") return "FLOAT64";
  if (type == "BOOLEAN") return "BOOL";
  return field.value("mode", "") == "REPEATED" ? "ARRAY<" + type + ">" : type;
}

std::string WantedType(const Field& field) {
  const std::string type(FieldTypeName(field.type));
  return field.mode == FieldMode::kRepeated ? "ARRAY<" + type + ">" : type;
}

bool SameName(std::string_view a, std::string_view b) {
  return absl::EqualsIgnoreCase(View(a), View(b));
}

// What `ALTER COLUMN … SET DATA TYPE` takes [data-definition-language: alter_column_set_data_type_statement].
bool CanWiden(std::string_view from, std::string_view to) {
  if (from == "INT64") return to == "NUMERIC" || to == "BIGNUMERIC" || to == "FLOAT64";
  if (from == "NUMERIC") return to == "BIGNUMERIC" || to == "FLOAT64";
  return false;
}

class Comparison {
 public:
  Comparison(std::vector<ExistingColumn> existing, json before, TableWork* work)
      : existing_(std::move(existing)),
        before_(std::move(before)),
        work_(*work),
        options_(work->options.schema_changes) {}

  absl::StatusOr<SchemaChanges> Compare() {
    FindNewAndGone();
    FindRenamed();
    for (const ExistingColumn& old_one : existing_) {
      if (old_one.required && !(replaces() && StaysRequired(old_one))) {
        Alter(fmt::format("ALTER COLUMN {} DROP NOT NULL", QuoteField(old_one.name)));
      }
    }
    for (const auto& [gone, added] : renamed_) Renamed(gone, added);
    for (const size_t added : added_) Added(added);
    for (const size_t gone : gone_) Dropped(gone);
    for (const auto& [old_one, field] : retyped_) Retyped(old_one, field);
    RemoveIgnored();
    HAKOBU_RETURN_IF_ERROR(problems_.Status());
    result_.cannot_alter = cannot_alter_.Status();
    return std::move(result_);
  }

 private:
  bool replaces() const { return work_.mode == WriteMode::kReplace; }

  bool StaysRequired(const ExistingColumn& old_one) const {
    const auto& fields = work_.schema.fields;
    return std::any_of(fields.begin(), fields.end(), [&](const Field& field) {
      return SameName(field.name, old_one.name) && field.mode == FieldMode::kRequired;
    });
  }

  void FindNewAndGone() {
    const auto& fields = work_.schema.fields;
    for (size_t i = 0; i < fields.size(); ++i) {
      const auto same = std::find_if(existing_.begin(), existing_.end(), [&](const ExistingColumn& old_one) {
        return SameName(old_one.name, fields[i].name);
      });
      if (same == existing_.end()) {
        added_.push_back(i);
      } else if (same->type != WantedType(fields[i])) {
        retyped_.emplace_back(static_cast<size_t>(same - existing_.begin()), i);
      }
    }
    for (size_t i = 0; i < existing_.size(); ++i) {
      const bool kept = std::any_of(fields.begin(), fields.end(), [&](const Field& field) {
        return SameName(field.name, existing_[i].name);
      });
      if (!kept) gone_.push_back(i);
    }
  }

  const json* Before(const std::string& name) const {
    for (const json& field : before_) {
      if (SameName(field.value("name", ""), name)) return &field;
    }
    return nullptr;
  }

  void FindRenamed() {
    for (auto gone = gone_.begin(); gone != gone_.end();) {
      const json* before = Before(existing_[*gone].name);
      const auto added = std::find_if(added_.begin(), added_.end(), [&](size_t candidate) {
        if (before == nullptr) return false;
        const Field& field = work_.schema.fields[candidate];
        const SourceColumn& column = work_.source.columns[field.source_column];
        return before->value("place", size_t{0}) == field.source_column &&
               before->value("declared", "") == column.declared && existing_[*gone].type == WantedType(field);
      });
      if (added == added_.end()) {
        ++gone;
        continue;
      }
      renamed_.emplace_back(*gone, *added);
      added_.erase(added);
      gone = gone_.erase(gone);
    }
  }

  void Refuse(std::string_view column, std::string_view what, std::string_view hint) {
    problems_.Add(
        WithHint(absl::DataLossError(fmt::format("{}: column `{}` {}", work_.name, column, what)), hint));
  }
  void Note(SchemaChangeKind kind, std::string column, std::string before, std::string after,
            std::string behaviour) {
    result_.changes.push_back(
        {kind, std::move(column), std::move(before), std::move(after), std::move(behaviour)});
  }
  void Alter(const std::string& action) {
    result_.ddl.push_back(fmt::format("ALTER TABLE {} {}", work_.target.Quoted(), action));
  }
  void AddColumn(const Field& field) {
    Alter(fmt::format("ADD COLUMN IF NOT EXISTS {} {}", QuoteField(field.name), WantedType(field)));
  }

  void Added(size_t place) {
    const Field& field = work_.schema.fields[place];
    if (options_.added == AddedColumn::kRefuse) {
      Refuse(field.name, "is new in the source and schema_changes.added is refuse",
             "deliver it with `added: add`");
    } else if (options_.added == AddedColumn::kIgnore) {
      ignored_.push_back(place);
      Note(SchemaChangeKind::kAdded, field.name, "", WantedType(field), "not delivered (added: ignore)");
    } else if (replaces()) {
      AddColumn(field);
      Note(SchemaChangeKind::kAdded, field.name, "", WantedType(field), "new column");
    } else {
      AddColumn(field);
      Note(SchemaChangeKind::kAdded, field.name, "", WantedType(field),
           "new column, NULL in rows already there");
    }
  }

  void Dropped(size_t place) {
    const ExistingColumn& old_one = existing_[place];
    if (options_.dropped == DroppedColumn::kRefuse) {
      Refuse(old_one.name, "is gone from the source and schema_changes.dropped is refuse",
             "`dropped: keep` or `dropped: drop` says what to do with it");
    } else if (replaces()) {
      result_.replaces_schema = true;
      result_.ddl_after.push_back(fmt::format("ALTER TABLE {} DROP COLUMN IF EXISTS {}",
                                              work_.target.Quoted(), QuoteField(old_one.name)));
      Note(SchemaChangeKind::kDropped, old_one.name, old_one.type, "",
           "gone with the version it belonged to");
    } else if (options_.dropped == DroppedColumn::kDrop) {
      Alter(fmt::format("DROP COLUMN IF EXISTS {}", QuoteField(old_one.name)));
      Note(SchemaChangeKind::kDropped, old_one.name, old_one.type, "", "dropped in BigQuery too");
    } else {
      Note(SchemaChangeKind::kDropped, old_one.name, old_one.type, "", "stays, NULL in new rows");
    }
  }

  void Renamed(size_t gone, size_t added) {
    const ExistingColumn& old_one = existing_[gone];
    const Field& field = work_.schema.fields[added];
    if (options_.renamed == RenamedColumn::kRefuse) {
      Refuse(field.name, fmt::format("was `{}` and schema_changes.renamed is refuse", old_one.name),
             "`renamed: rename` or `renamed: add_and_keep` says what to do");
    } else if (replaces()) {
      result_.replaces_schema = true;
      Alter(fmt::format("RENAME COLUMN {} TO {}", QuoteField(old_one.name), QuoteField(field.name)));
      Note(SchemaChangeKind::kRenamed, field.name, old_one.name, field.name,
           "new name; description and policy tags of the old one are kept");
    } else if (options_.renamed == RenamedColumn::kRename) {
      Alter(fmt::format("RENAME COLUMN {} TO {}", QuoteField(old_one.name), QuoteField(field.name)));
      Note(SchemaChangeKind::kRenamed, field.name, old_one.name, field.name, "renamed in BigQuery too");
    } else {
      AddColumn(field);
      Note(SchemaChangeKind::kRenamed, field.name, old_one.name, field.name,
           "new column; the old one stays, NULL in new rows");
    }
  }

  void Retyped(size_t old_place, size_t place) {
    const ExistingColumn& old_one = existing_[old_place];
    const Field& field = work_.schema.fields[place];
    const std::string type = WantedType(field);
    const bool widens = CanWiden(old_one.type, type);
    const SchemaChangeKind kind = widens ? SchemaChangeKind::kWidened : SchemaChangeKind::kRetyped;
    const std::string what = fmt::format("is {} in BigQuery and would become {}", old_one.type, type);
    if (options_.retyped == RetypedColumn::kRefuse) {
      Refuse(field.name, what + ", and schema_changes.retyped is refuse", "say `as:` to keep the type");
    } else if (replaces()) {
      result_.replaces_schema = true;
      if (widens) {
        Alter(fmt::format("ALTER COLUMN {} SET DATA TYPE {}", QuoteField(old_one.name), type));
      } else {
        cannot_alter_.Add(
            WithHint(absl::DataLossError(fmt::format(
                         "{}: column `{}` {}, which BigQuery cannot do in place, and what hangs on "
                         "the table (policies, tags, grants, key) would be lost with a new one",
                         work_.name, field.name, what)),
                     "say `as:` to keep the type, or deliver to another `target:`"));
      }
      Note(kind, field.name, old_one.type, type, "new type");
    } else if (!widens) {
      Refuse(field.name, what + ", which BigQuery cannot do in place",
             "say `as:` to keep the type, or deliver the table once with mode: replace");
    } else {
      Alter(fmt::format("ALTER COLUMN {} SET DATA TYPE {}", QuoteField(old_one.name), type));
      Note(kind, field.name, old_one.type, type, "widened in BigQuery too");
    }
  }

  void RemoveIgnored() {
    std::sort(ignored_.rbegin(), ignored_.rend());
    for (const size_t place : ignored_) {
      const size_t column = work_.schema.fields[place].source_column;
      work_.schema.fields.erase(work_.schema.fields.begin() + static_cast<ptrdiff_t>(place));
      std::erase(work_.columns, column);
      for (size_t& key : work_.schema.key) key -= key > place ? 1 : 0;
    }
  }

  std::vector<ExistingColumn> existing_;
  json before_;
  TableWork& work_;
  const SchemaChangeConfig options_;
  std::vector<size_t> added_;                       // places in the wanted fields
  std::vector<size_t> gone_;                        // places in existing_
  std::vector<std::pair<size_t, size_t>> renamed_;  // gone, added
  std::vector<std::pair<size_t, size_t>> retyped_;  // existing, wanted
  std::vector<size_t> ignored_;
  Problems problems_;
  Problems cannot_alter_;
  SchemaChanges result_;
};

}  // namespace

absl::StatusOr<SchemaChanges> CompareSchemas(std::string_view existing, std::string_view delivered_before,
                                             TableWork* work) {
  HAKOBU_RETURN_IF_ERROR(CheckTargetKind(existing, *work));
  const json table = json::parse(existing, nullptr, false);
  if (table.is_discarded()) return absl::InternalError("BigQuery's table resource is no JSON");
  std::vector<ExistingColumn> fields;
  for (const json& field : table.value("/schema/fields"_json_pointer, json::array())) {
    fields.push_back({field.value("name", ""), StandardType(field), field.value("mode", "") == "REQUIRED"});
  }
  json before = json::parse(delivered_before, nullptr, false);
  if (!before.is_array()) before = json::array();
  return Comparison(std::move(fields), std::move(before), work).Compare();
}

absl::Status CheckPartitioning(std::string_view existing, const TableWork& work) {
  const json table = json::parse(existing, nullptr, false);
  const json wanted = json::parse(PartitionJson(work), nullptr, false);
  const auto describe = [](const json& resource) -> std::string {
    if (resource.contains("timePartitioning")) {
      const json& by = resource["timePartitioning"];
      return fmt::format("{} of {}", by.value("type", "DAY"),
                         absl::AsciiStrToLower(by.value("field", "_PARTITIONTIME")));
    }
    if (resource.contains("rangePartitioning")) {
      const json& by = resource["rangePartitioning"];
      const json range = by.value("range", json::object());
      const auto number = [&](const char* name) {
        return range.contains(name)
                   ? (range[name].is_string() ? range[name].get<std::string>() : range[name].dump())
                   : std::string();
      };
      return fmt::format("{}..{} by {} of {}", number("start"), number("end"), number("interval"),
                         absl::AsciiStrToLower(by.value("field", "")));
    }
    return "none";
  };
  const std::string is = describe(table);
  const std::string should = describe(wanted);
  if (is == should) return absl::OkStatus();
  return WithHint(
      absl::DataLossError(fmt::format("{}: {} is partitioned by: {}; the configuration says: {}", work.name,
                                      work.target.ToString(), is, should)),
      "BigQuery cannot change the partitioning of a table: drop the table, or deliver to another target");
}

}  // namespace hakobu
