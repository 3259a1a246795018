// tests/golden/sql/*.txt: statements and their answers, in order, over one fresh warehouse per file.
//   # a comment
//   SELECT 1 AS a
//   ----
//   a INT64
//   1
// An answer ends at an empty line. HAKOBU_UPDATE_GOLDEN=1 writes the answers anew.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/status.h"
#include "localbq/sql/execute.h"
#include "localbq/sql/execute_internal.h"
#include "localbq/sql/lexer.h"
#include "localbq/sql/resolver.h"

namespace hakobu::localbq::sql {
namespace {

class Session {
 public:
  Session() {
    folder_ = std::filesystem::temp_directory_path() / fmt::format("hakobu-sql-{}-{}", getpid(), ++count_);
    absl::StatusOr<std::unique_ptr<Warehouse>> warehouse = Warehouse::Open(folder_.string());
    EXPECT_TRUE(warehouse.ok()) << warehouse.status();
    warehouse_ = *std::move(warehouse);
    absl::StatusOr<std::unique_ptr<Catalog>> catalog = Catalog::Open(warehouse_.get());
    EXPECT_TRUE(catalog.ok()) << catalog.status();
    catalog_ = *std::move(catalog);
    context_.project = "p";
    context_.default_dataset = "d";
    context_.now_us = 1'700'000'000'123'456;
    Dataset dataset;
    dataset.id = {"p", "d"};
    EXPECT_TRUE(catalog_->CreateDataset(dataset).ok());
  }
  ~Session() {
    catalog_.reset();
    warehouse_.reset();
    std::filesystem::remove_all(folder_);
  }

  std::string Run(const std::string& sql) {
    absl::StatusOr<std::string> answer = Answered(sql);
    if (answer.ok()) return *answer;
    return fmt::format("{}: {}", absl::StatusCodeToString(answer.status().code()),
                       View(answer.status().message()));
  }

  Catalog& catalog() { return *catalog_; }
  const Context& context() const { return context_; }

 private:
  absl::StatusOr<std::string> Answered(const std::string& sql) {
    HAKOBU_ASSIGN_OR_RETURN(Answer dry, DryRun(sql, context_, *catalog_));
    if (dry.kind == StatementKind::kSelect && dry.statement_count == 1) return Rows(sql);
    HAKOBU_ASSIGN_OR_RETURN(Answer answer, Execute(sql, context_, *catalog_));
    std::string out(StatementTypeName(answer.kind));
    if (!answer.ddl_operation.empty()) out += " " + answer.ddl_operation;
    if (answer.ddl_operation.empty()) {
      out += fmt::format(" inserted {} updated {} deleted {}", answer.dml.inserted, answer.dml.updated,
                         answer.dml.deleted);
    }
    return out;
  }

  // The rows as text, by the query itself: what each value's CAST to STRING or JSON gives.
  absl::StatusOr<std::string> Rows(const std::string& sql) {
    ExecuteHooks hooks;
    CatalogResolver resolver(*catalog_, hooks, "p");
    Context context = context_;
    context.resolver = &resolver;
    HAKOBU_ASSIGN_OR_RETURN(std::vector<Statement> statements, Translate(sql, context));
    const Statement& statement = statements[0];
    std::string header, list;
    for (size_t i = 0; i < statement.schema.size(); ++i) {
      const Column& column = statement.schema[i];
      header += fmt::format("{}{} {}{}", i > 0 ? ", " : "", column.name, SqlTypeText(column),
                            column.mode == Mode::kRequired ? " NOT NULL" : "");
      std::string name = fmt::format("\"_{}\"", i);
      bool big = column.type == Type::kBigNumeric && column.mode != Mode::kRepeated;
      bool plain = column.mode != Mode::kRepeated && column.type == Type::kTimestamp;
      list += fmt::format("{}{}", i > 0 ? ", " : "",
                          big     ? fmt::format("bq_bignumeric_text({})", name)
                          : plain ? fmt::format("bq_datetime_text({} AT TIME ZONE 'UTC') || '+00'", name)
                          : column.type == Type::kJson ? fmt::format("CAST({} AS VARCHAR)", name)
                                                       : fmt::format("CAST({} AS VARCHAR)", name));
    }
    std::string aliases;
    for (size_t i = 0; i < statement.schema.size(); ++i)
      aliases += fmt::format("{}\"_{}\"", i > 0 ? ", " : "", i);
    HAKOBU_ASSIGN_OR_RETURN(Warehouse::Lease lease, warehouse_->Connect());
    if (std::getenv("HAKOBU_SHOW_SQL") != nullptr) fmt::print("{}\n  => {}\n", sql, statement.duckdb);
    absl::StatusOr<Result> result =
        lease->Query(fmt::format("SELECT {} FROM ({}) AS r({})", list, statement.duckdb, aliases));
    if (!result.ok()) return QueryFailure(result.status());
    std::string out = header;
    while (std::optional<Chunk> chunk = result->Next()) {
      for (idx_t row = 0; row < chunk->rows(); ++row) {
        for (idx_t i = 0; i < chunk->columns(); ++i) {
          uint64_t* validity = duckdb_vector_get_validity(chunk->column(i));
          bool null = validity != nullptr && !duckdb_validity_row_is_valid(validity, row);
          auto* text = static_cast<duckdb_string_t*>(duckdb_vector_get_data(chunk->column(i))) + row;
          out += i == 0 ? "\n" : " | ";
          out += null ? "NULL" : std::string(duckdb_string_t_data(text), duckdb_string_t_length(*text));
        }
      }
    }
    return out;
  }

  static inline int count_ = 0;
  std::filesystem::path folder_;
  std::unique_ptr<Warehouse> warehouse_;
  std::unique_ptr<Catalog> catalog_;
  Context context_;
};

struct Case {
  std::string comment, sql, answer;
};

std::vector<Case> ReadCases(const std::filesystem::path& path) {
  std::vector<Case> cases;
  std::ifstream file(path);
  Case current;
  bool answering = false;
  for (std::string line; std::getline(file, line);) {
    if (answering && line.empty()) {
      cases.push_back(std::move(current));
      current = Case();
      answering = false;
    } else if (answering) {
      current.answer += (current.answer.empty() ? "" : "\n") + line;
    } else if (line == "----") {
      answering = true;
    } else if (current.sql.empty() && (line.empty() || line.starts_with("# "))) {
      current.comment += line + "\n";
    } else {
      current.sql += (current.sql.empty() ? "" : "\n") + line;
    }
  }
  if (answering) cases.push_back(std::move(current));
  return cases;
}

TEST(GoldenSql, Transcripts) {
  const char* update = std::getenv("HAKOBU_UPDATE_GOLDEN");
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator("tests/golden/sql")) {
    if (entry.path().extension() == ".txt") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  ASSERT_FALSE(paths.empty());
  for (const std::filesystem::path& path : paths) {
    SCOPED_TRACE(path.string());
    Session session;
    std::vector<Case> cases = ReadCases(path);
    ASSERT_FALSE(cases.empty());
    std::string text;
    for (const Case& each : cases) {
      std::string answer = session.Run(each.sql);
      if (update == nullptr) {
        EXPECT_EQ(answer, each.answer) << each.sql;
      }
      text += each.comment + each.sql + "\n----\n" + answer + "\n\n";
    }
    if (update != nullptr) std::ofstream(path) << text.substr(0, text.size() - 1);
  }
}

}  // namespace
}  // namespace hakobu::localbq::sql
