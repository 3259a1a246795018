// The translator's pure side: parameters, positions in errors, splitting, DDL as structured actions.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "localbq/sql/lexer.h"
#include "localbq/sql/sql.h"

namespace hakobu::localbq::sql {
namespace {

class OneTable : public Resolver {
 public:
  absl::StatusOr<TableInfo> FindTable(const TableName& name) override {
    if (name.table != "t") return absl::NotFoundError("Not found: Table");
    TableInfo info;
    Column id, big;
    id.name = "id";
    id.type = Type::kInt64;
    big.name = "amount";
    big.type = Type::kBigNumeric;
    info.schema = {id, big};
    info.source = info.target = "\"t\"";
    info.bytes = 1000;
    info.dml_refusal = refusal;
    return info;
  }
  std::string refusal;
};

class TranslateTest : public testing::Test {
 protected:
  TranslateTest() {
    context_.project = "p";
    context_.default_dataset = "d";
    context_.resolver = &resolver_;
  }
  Statement Only(std::string_view sql) {
    absl::StatusOr<std::vector<Statement>> statements = Translate(sql, context_);
    EXPECT_TRUE(statements.ok()) << sql << ": " << statements.status();
    return statements.ok() && !statements->empty() ? (*statements)[0] : Statement();
  }
  std::string Refusal(std::string_view sql) {
    return std::string(Translate(sql, context_).status().message());
  }
  void Add(std::string name, Type type, std::string text, Mode mode = Mode::kNullable) {
    Parameter parameter;
    parameter.name = std::move(name);
    parameter.type.type = type;
    parameter.type.mode = mode;
    parameter.value.scalar = std::move(text);
    context_.parameters.push_back(std::move(parameter));
  }

  OneTable resolver_;
  Context context_;
};

TEST_F(TranslateTest, ParametersBecomeLiterals) {
  Add("x", Type::kInt64, "5");
  Add("s", Type::kString, "it's");
  Add("", Type::kTimestamp, "2024-01-01 00:00:00+09:00");
  EXPECT_EQ(Only("SELECT @x, @S").duckdb, "SELECT 5::BIGINT AS \"_c0\", 'it''s' AS \"_c1\"");
  EXPECT_EQ(Only("SELECT ? AS at_time").duckdb, "SELECT TIMESTAMPTZ '2023-12-31 15:00:00+00' AS \"at_time\"");
  EXPECT_EQ(Refusal("SELECT @y"), "Query parameter 'y' not found at [1:8]");
  EXPECT_EQ(Refusal("SELECT ?, ?"), "Query parameter number is out of range at [1:11]");
}

TEST_F(TranslateTest, ParameterOfTheWrongFormIsRefused) {
  Add("x", Type::kInt64, "5 OR 1=1");
  EXPECT_EQ(Refusal("SELECT @x"), "Invalid value for type: 5 OR 1=1 is not a valid value of INT64");
}

TEST_F(TranslateTest, ArrayParameter) {
  Add("a", Type::kInt64, "", Mode::kRepeated);
  context_.parameters[0].value.elements = {{false, "1", {}}, {false, "2", {}}};
  EXPECT_EQ(Only("SELECT id FROM t WHERE id IN UNNEST(@a)").schema.size(), 1u);
}

TEST_F(TranslateTest, BytesFollowTheColumnsRead) {
  EXPECT_EQ(Only("SELECT COUNT(*) FROM t").referenced.at(0).bytes, 0);
  EXPECT_EQ(Only("SELECT id FROM t").referenced.at(0).bytes, 500);
  EXPECT_EQ(Only("SELECT * FROM t").referenced.at(0).bytes, 1000);
}

TEST_F(TranslateTest, DmlOnActiveCdcTablesIsRefused) {
  resolver_.refusal = "no";
  EXPECT_EQ(Refusal("DELETE FROM t WHERE TRUE"), "no");
  EXPECT_EQ(Refusal("MERGE t USING (SELECT 1 AS id) s ON t.id = s.id WHEN MATCHED THEN DELETE"), "no");
  EXPECT_EQ(Only("INSERT t (id) VALUES (1)").kind, StatementKind::kInsert);
}

TEST_F(TranslateTest, CreateTableIsStructured) {
  Statement statement = Only(
      "CREATE OR REPLACE TABLE `q.e.x` (id INT64 NOT NULL PRIMARY KEY NOT ENFORCED, at_time TIMESTAMP "
      "OPTIONS "
      "(description='when'), o ARRAY<STRUCT<a STRING(5), b NUMERIC(10, 2)>>, FOREIGN KEY (id) REFERENCES d.t "
      "(id) NOT "
      "ENFORCED) PARTITION BY TIMESTAMP_TRUNC(at_time, HOUR) CLUSTER BY id OPTIONS (expiration_timestamp = "
      "TIMESTAMP "
      "'2030-01-01 00:00:00 UTC', labels = [('a', 'b')])");
  const TableDefinition& table = statement.definition;
  EXPECT_EQ(statement.target, (TableName{"q", "e", "x"}));
  EXPECT_TRUE(table.or_replace);
  EXPECT_EQ(table.primary_key, std::vector<std::string>{"id"});
  EXPECT_EQ(table.schema[0].mode, Mode::kRequired);
  EXPECT_EQ(table.schema[1].description, "when");
  EXPECT_EQ(table.schema[2].mode, Mode::kRepeated);
  EXPECT_EQ(table.schema[2].fields[1].scale, 2);
  EXPECT_EQ(table.partitioning->type, "HOUR");
  EXPECT_EQ(table.partitioning->column, "at_time");
  EXPECT_EQ(table.foreign_keys[0].referenced_table, (TableName{"p", "d", "t"}));
  EXPECT_EQ(table.options[0].text, "2030-01-01T00:00:00Z");
  EXPECT_EQ(table.options[1].pairs[0].second, "b");
}

TEST_F(TranslateTest, PlacesCountCharactersAndLines) {
  EXPECT_EQ(Refusal("SELECT 'あ', nope"), "Unrecognized name: nope at [1:13]");
  EXPECT_EQ(Refusal("SELECT\n  id,\n  nope\nFROM t"), "Unrecognized name: nope at [3:3]");
}

TEST_F(TranslateTest, DeepNestingIsRefused) {
  std::string sql = "SELECT " + std::string(5000, '(') + "1" + std::string(5000, ')');
  EXPECT_NE(Refusal(sql).find("Too much nesting"), std::string::npos);
}

TEST_F(TranslateTest, FilterOverColumns) {
  Column column;
  column.name = "a b";
  column.type = Type::kDate;
  absl::StatusOr<std::string> filter =
      TranslateFilter("`a b` >= '2024-01-01' AND `a b` IS NOT NULL", {column}, context_);
  ASSERT_TRUE(filter.ok()) << filter.status();
  EXPECT_EQ(*filter, "((\"a b\" >= DATE '2024-01-01') AND (\"a b\" IS NOT NULL))");
  EXPECT_FALSE(TranslateFilter("zzz = 1", {column}, context_).ok());
}

TEST(SplitScriptTest, SemicolonsInTextDoNotSplit) {
  absl::StatusOr<std::vector<std::string>> texts =
      SplitScript("SELECT ';' -- a;b\n; /* ; */ SELECT \"\"\";\"\"\" ;; # end;\n");
  ASSERT_TRUE(texts.ok());
  ASSERT_EQ(texts->size(), 2u);
  EXPECT_EQ((*texts)[1], "SELECT \"\"\";\"\"\" ");
}

TEST(LexerTest, Literals) {
  absl::StatusOr<std::vector<Token>> tokens = Tokenize("r'\\n' b'\\xff' '''a'b''' 1.5e-3 .5 0xAf `x``");
  EXPECT_FALSE(tokens.ok());
  tokens = Tokenize("r'\\n' b'\\xff' '''a'b''' 1.5e-3 .5 0xAf `x` @p @@v");
  ASSERT_TRUE(tokens.ok()) << tokens.status();
  std::vector<std::string> texts;
  for (const Token& token : *tokens) texts.push_back(token.text);
  EXPECT_EQ(texts,
            (std::vector<std::string>{"\\n", "\xff", "a'b", "1.5e-3", ".5", "0xAf", "x", "p", "v", ""}));
}

}  // namespace
}  // namespace hakobu::localbq::sql
