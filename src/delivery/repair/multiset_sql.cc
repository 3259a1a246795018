#include "delivery/repair/multiset_sql.h"

#include <fmt/format.h>

#include <string_view>

#include "delivery/merge_sql.h"

namespace hakobu {
namespace {

// Types that JSON's text of a STRUCT does not have a form of its own for.
std::string Valued(const Field& field) {
  const std::string column = QuoteField(field.name);
  if (field.mode == FieldMode::kRepeated) return fmt::format("TO_JSON_STRING({})", column);
  if (field.type == FieldType::kGeography) return fmt::format("ST_ASTEXT({})", column);
  if (field.type == FieldType::kJson) return fmt::format("TO_JSON_STRING({})", column);
  if (field.type == FieldType::kInterval) return fmt::format("CAST({} AS STRING)", column);
  return column;
}

std::string TextOf(const std::vector<const Field*>& fields) {
  std::string members;
  for (const Field* field : fields) {
    members +=
        fmt::format("{}{} AS {}", members.empty() ? "" : ", ", Valued(*field), QuoteField(field->name));
  }
  return fmt::format("TO_JSON_STRING(STRUCT({}))", members);
}

}  // namespace

std::string MultisetSql(const MultisetQuestion& question) {
  const std::string key = question.keys.empty() ? "''" : TextOf(question.keys);
  const std::string row = fmt::format("FARM_FINGERPRINT({})", TextOf(question.fields));
  const std::string sign = question.sign.empty() ? "1" : QuoteField(question.sign);
  // n: how often the source has the row more than the target.
  const std::string rows = fmt::format(
      "SELECT k, f, SUM(n) AS n FROM (SELECT {0} AS k, {1} AS f, 1 AS n FROM {2} UNION ALL SELECT {0}, {1}, "
      "-{4} "
      "FROM {3}) GROUP BY k, f HAVING SUM(n) != 0",
      key, row, question.source, question.target, sign);
  const std::string keys =
      fmt::format("SELECT k, SUM(GREATEST(n, 0)) AS m, SUM(GREATEST(-n, 0)) AS e FROM ({}) GROUP BY k{}",
                  rows, question.keys.empty() ? ", f" : "");
  return fmt::format(
      "SELECT IFNULL(SUM(GREATEST(m - e, 0)), 0), IFNULL(SUM(LEAST(m, e)), 0), IFNULL(SUM(GREATEST(e - m, "
      "0)), 0), "
      "STRING_AGG({}, '; ' ORDER BY k LIMIT 10) FROM ({})",
      question.extra_keys ? "k" : "IF(m > 0, k, NULL)", keys);
}

}  // namespace hakobu
