// The source's tables as they are at the place of the log that is being read.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "decode/binlog/log_decoder.h"
#include "decode/ddl/ddl.h"
#include "source/source.h"

namespace hakobu {

// What a change of a table's columns asks for beside the change itself. Pure.
struct AlterNeeds {
  bool columns_differ = false;  // BigQuery's table may have to change
  bool rows_differ = false;     // rows that were there hold other values now, with no row event to say so
  bool keys_differ = false;     // so do what tells rows apart: old keys would stay beside the new ones
};
AlterNeeds NeedsOf(const SourceTable& before, const SourceTable& after, const ddl::TableEffect& effect);

// Used by the log's thread alone.
class SchemaFollower {
 public:
  // Begins with what information_schema says now of all tables in `databases`; or, with `stored` (ToJson),
  // with what was stored, and what it lacks from information_schema.
  static absl::StatusOr<std::unique_ptr<SchemaFollower>> Open(Connection* source,
                                                              const std::set<std::string>& databases,
                                                              std::string_view stored);

  // Databases that come to be, and hold tables that are wanted, are followed too.
  void FollowAlso(std::function<bool(std::string_view database)> wanted) { wanted_ = std::move(wanted); }
  // What the statement did, in order. Statements of other databases have no effects.
  std::vector<ddl::TableEffect> Follow(const binlog::LogStatement& statement);
  std::optional<ddl::SavepointStatement> ReadSavepoint(const binlog::LogStatement& statement) const;
  // Null: not known (any more).
  const SourceTable* Find(std::string_view database, std::string_view table) const {
    return history_.Find(database, table);
  }
  const TableDefinition* FindDefinition(std::string_view database, std::string_view table) const {
    return history_.FindDefinition(database, table);
  }
  // Whether the table was not there yet at this place: the log will tell of it.
  bool IsYetToCome(std::string_view database, std::string_view table) const {
    return followed_before_.contains(database) &&
           history_.KnowledgeOf(database, table) == ddl::Knowledge::kUnknownTable;
  }
  // The log's own metadata is believed from here on.
  void Replace(SourceTable table) { history_.AddTable(std::move(table)); }
  // What the server said of it holds from here on.
  void Replace(TableDefinition table) { history_.AddTable(std::move(table)); }
  bool IsThere(const ddl::TableName& name) const {
    return history_.KnowledgeOf(name.database, name.table) != ddl::Knowledge::kUnknownTable;
  }
  std::vector<ddl::TableName> Tables() const { return history_.Tables(); }
  ddl::Dialect dialect() const { return dialect_; }
  std::string ToJson() const;
  // The same without what the server estimates (rows, bytes), which differs each time it is asked.
  std::string Shape() const;

 private:
  absl::Status Load(std::string_view stored);
  absl::Status ReadDatabase(Connection* source, const std::string& database,
                            const std::vector<std::string>& names);
  bool Concerns(const std::string& database);
  SchemaFollower(ddl::Dialect dialect, uint32_t version, bool lower_case_names)
      : dialect_(dialect),
        version_(version),
        lower_case_names_(lower_case_names),
        history_(dialect, lower_case_names) {}

  ddl::Dialect dialect_;
  uint32_t version_;
  bool lower_case_names_;
  std::set<std::string, std::less<>> databases_;
  std::set<std::string, std::less<>>
      followed_before_;  // of them: their tables were known at the stored place
  std::function<bool(std::string_view)> wanted_;
  ddl::SchemaHistory history_;
};

}  // namespace hakobu
