#include "localbq/auth/row_filter.h"

#include <fmt/format.h>

#include "base/status.h"
#include "localbq/sql/sql.h"

namespace hakobu::localbq::auth {

absl::StatusOr<std::string> RowCondition(const Authority& authority, std::string_view member,
                                         const Table& table) {
  const RowAccess rows = authority.RowsFor(member, table);
  if (!rows.is_filtered || rows.is_full) return std::string();
  sql::Context context;
  context.project = table.id.project;
  context.session_user = EmailOf(member);
  std::string condition;
  for (const std::string& predicate : rows.predicates) {
    HAKOBU_ASSIGN_OR_RETURN(const std::string translated,
                            sql::TranslateFilter(predicate, table.schema, context));
    condition += fmt::format("{}({})", condition.empty() ? "" : " OR ", translated);
  }
  return condition.empty() ? "FALSE" : condition;
}

}  // namespace hakobu::localbq::auth
