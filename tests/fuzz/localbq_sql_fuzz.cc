// Any text as GoogleSQL: the lexer, the parser and the translator end with an answer or an error, never a
// crash; what translates is a whole statement of DuckDB text without NUL bytes.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "localbq/sql/sql.h"

namespace {

using hakobu::localbq::Column;
using hakobu::localbq::Mode;
using hakobu::localbq::Type;
namespace sql = hakobu::localbq::sql;

class AnyTable : public sql::Resolver {
 public:
  absl::StatusOr<sql::TableInfo> FindTable(const sql::TableName&) override {
    sql::TableInfo info;
    for (Type type :
         {Type::kInt64, Type::kString, Type::kNumeric, Type::kTimestamp, Type::kDate, Type::kJson}) {
      Column column;
      column.name = std::string(1, static_cast<char>('a' + info.schema.size()));
      column.type = type;
      column.mode = type == Type::kDate ? Mode::kRepeated : Mode::kNullable;
      info.schema.push_back(column);
    }
    info.source = info.target = "\"t\"";
    return info;
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 4096) return 0;
  AnyTable tables;
  sql::Context context;
  context.project = "p";
  context.default_dataset = "d";
  context.resolver = &tables;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  absl::StatusOr<std::vector<sql::Statement>> statements = sql::Translate(text, context);
  (void)sql::SplitScript(text);
  if (!statements.ok()) return 0;
  for (const sql::Statement& statement : *statements) {
    if (statement.duckdb.find('\0') != std::string::npos) std::abort();
  }
  return 0;
}
