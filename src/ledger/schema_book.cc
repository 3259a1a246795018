#include "ledger/schema_book.h"

#include "base/status.h"

namespace hakobu {
namespace {

const RecordTable<SchemaVersion>& SchemaVersions() {
  using R = SchemaVersion;
  static const auto* const table =
      new RecordTable<R>("schema_versions", {}, 2,
                         {ColumnOf<&R::target>("target"), ColumnOf<&R::version>("version"),
                          ColumnOf<&R::run_id>("run_id"), ColumnOf<&R::schema_json>("schema_json")});
  return *table;
}

constexpr char kNewest[] = "WHERE target = ? ORDER BY version DESC LIMIT 1";

}  // namespace

absl::StatusOr<std::optional<SchemaVersion>> SchemaBook::NewestSchema(const std::string& target) {
  return Session(file_).ReadFirst(SchemaVersions(), kNewest, target);
}

absl::StatusOr<int64_t> SchemaBook::RecordSchema(const std::string& target, const std::string& run_id,
                                                 const std::string& schema_json) {
  Session session(file_);
  HAKOBU_RETURN_IF_ERROR(session.Begin());
  HAKOBU_ASSIGN_OR_RETURN(const std::optional<SchemaVersion> newest,
                          session.ReadFirst(SchemaVersions(), kNewest, target));
  if (newest.has_value() && newest->schema_json == schema_json) return newest->version;
  const SchemaVersion next{.target = target,
                           .version = newest.has_value() ? newest->version + 1 : 1,
                           .run_id = run_id,
                           .schema_json = schema_json};
  HAKOBU_RETURN_IF_ERROR(session.Insert(SchemaVersions(), next));
  HAKOBU_RETURN_IF_ERROR(session.Commit());
  return next.version;
}

}  // namespace hakobu
