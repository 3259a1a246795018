// Syntax tree -> DuckDB SQL with every expression's BigQuery type known. The parts: translate_expression.cc,
// translate_query.cc, translate_from.cc, translate_dml.cc, translate_ddl.cc, coerce.cc, literal.cc,
// call_*.cc.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "localbq/sql/ast.h"
#include "localbq/sql/lexer.h"
#include "localbq/sql/sql.h"

namespace hakobu::localbq::sql {

// A translated expression. `sql` stands alone in any context (parenthesised where needed).
struct Value {
  std::string sql;
  Column type;
  bool null_literal = false;  // untyped NULL: fits every type
  bool empty_array = false;   // untyped []
  bool literal = false;       // coerces more freely; `text` is its text
  bool parameter = false;
  std::string text;
  std::vector<Value> elements;  // of a literal array or struct
};
using ValueOr = absl::StatusOr<Value>;

// A DuckDB expression as a value of a type, whatever column the type came from.
Value Of(std::string sql, Type type);
Value Of(std::string sql, Column type);

// Types. A Column without a name is a type; mode kRepeated is ARRAY.
Column ScalarType(Type type);
Column ArrayOf(Column element);
Column ElementOf(Column array);
bool SameType(const Column& a, const Column& b);
// ORDER BY's keys for one expression. NaN comes before every other number, as in BigQuery; DuckDB has it
// last. `one_key`: where DuckDB takes only the expression itself (DISTINCT, RANGE frames), NaN stays last.
std::string OrderKey(const std::string& sql, const Column& type, const OrderItem& item, bool one_key);
std::string TypeText(const Column& type);  // INT64, ARRAY<STRUCT<a STRING>>
bool IsArray(const Column& type);
bool IsScalar(const Column& type, Type scalar);
bool IsNumber(const Column& type);  // INT64, NUMERIC, BIGNUMERIC, FLOAT64

// What may be taken for what without a CAST, and how; nullopt: it may not.
std::optional<Value> Coerce(const Value& value, const Column& target);
std::optional<Column> Supertype(const std::vector<Value>& values);

// A literal of a type from BigQuery's text form; nullopt: the text does not fit.
std::optional<Value> TypedLiteral(const Column& type, std::string_view text);
Value IntegerValue(int64_t value);
Value TextValue(std::string_view text);
Value NullValue(const Column& type);

// "1.5e3" as an integer of value * 10^scale, rounded half away from zero; nullopt: no number.
std::optional<std::string> ScaledDecimal(std::string_view text, int scale);

struct ScopeColumn {
  std::string name;
  Column type;
  std::string sql;
  int table_use = -1;  // index into the translator's list, for bytes
};

// What one FROM entry makes visible.
struct RangeVariable {
  std::string name;
  std::vector<ScopeColumn> columns;
  std::optional<Value> value;  // of an UNNEST: the element itself
  bool hidden_in_star = false;
};

struct CommonTableInfo {
  std::string sql_name;
  std::vector<Column> columns;
  std::vector<std::string> sql_columns;
  bool counts_rounds = false;  // while its recursive term is translated
  bool is_endless = false;     // the same, where rounds cannot be counted
};

struct Scope {
  const Scope* outer = nullptr;
  std::vector<RangeVariable> ranges;
  std::vector<ScopeColumn> merged;              // USING columns
  std::map<std::string, Value> select_aliases;  // lower case; looked at first when `aliases_first`, else last
  bool aliases_first = false;
  const std::vector<std::pair<std::string, Window>>* windows = nullptr;
};

// A translated query and its columns: BigQuery's (name may be empty) and their names in DuckDB.
struct QueryResult {
  std::string sql;
  std::vector<Column> columns;
  std::vector<std::string> sql_names;
  bool as_value = false;   // SELECT AS STRUCT/VALUE: rows are the first column
  bool has_round = false;  // behind the columns, kRoundColumn
};

// Of a recursive common table: in which round of the recursion its row was made.
inline constexpr std::string_view kRoundColumn = "\"~round\"";

// Aggregate functions by their name in upper case.
bool IsAggregate(const std::string& name);

class Translator {
 public:
  Translator(std::string_view sql, const Context& context) : sql_(sql), context_(context) {}

  absl::StatusOr<Statement> Run(const ParsedStatement& parsed);
  ValueOr Expr(const Expression& expression, const Scope& scope);
  ValueOr ExprAs(const Expression& expression, const Scope& scope, const Column& target,
                 std::string_view what);
  // A condition that says which rows are read; its columns count as filtered by.
  ValueOr Filter(const Expression& expression, const Scope& scope, std::string_view what);
  absl::Status Error(size_t at, std::string_view message) const { return ErrorAt(sql_, at, message); }

 private:
  friend struct CallHandlers;
  // requirePartitionFilter: the tables that have it, and the columns that conditions name.
  void RequireFilter(const TableName& name, const TableInfo& table);
  absl::Status CheckFilters() const;
  std::vector<std::pair<TableName, std::string>> required_filters_;
  std::set<std::string> filtered_;
  bool in_filter_ = false;

  struct TableUse {
    TableName name;
    int64_t bytes = 0;
    std::map<std::string, int64_t> column_bytes;  // lower case; empty: `bytes` spread evenly
    size_t columns = 0;
    std::set<std::string> used;
  };

  // expressions
  ValueOr ExprInner(const Expression& expression, const Scope& scope);
  ValueOr PathValue(const Expression& expression, const Scope& scope);
  std::optional<Value> LookUp(const std::string& name, const Scope& scope, absl::Status& error, size_t at);
  std::optional<Value> LookUpRange(const Scope& scope, const std::string& name);
  ValueOr FieldOf(Value base, const std::string& field, size_t at);
  ValueOr IndexOf(const Expression& expression, const Scope& scope);
  ValueOr Operator(const Expression& expression, const Scope& scope);
  ValueOr UnaryOperator(const Expression& expression, const Scope& scope);
  ValueOr Arithmetic(const std::string& op, Value left, Value right, size_t at);
  ValueOr DateArithmetic(const std::string& op, Value left, Value right, size_t at);
  ValueOr Concat(std::vector<Value> parts, size_t at);
  ValueOr Compare(const std::string& op, Value left, Value right, size_t at);
  ValueOr In(const Expression& expression, const Scope& scope);
  ValueOr Case(const Expression& expression, const Scope& scope);
  ValueOr StructValue(const Expression& expression, const Scope& scope);
  ValueOr ArrayValue(const Expression& expression, const Scope& scope);
  ValueOr SubqueryValue(const Expression& expression, const Scope& scope);
  ValueOr IntervalValue(const Expression& expression, const Scope& scope);
  ValueOr ParameterOf(const Expression& expression);
  absl::StatusOr<Value> ParameterLiteral(const Column& type, const ParameterValue& value);
  ValueOr Extract(const Expression& expression, const Scope& scope);
  ValueOr CastTo(const Value& value, const Column& target, bool safe, size_t at);
  absl::StatusOr<std::string> WindowSql(const Window& window, const Scope& scope);
  absl::StatusOr<std::string> OrderSql(const std::vector<OrderItem>& items, const Scope& scope, bool one_key);
  std::string RowStruct(const RangeVariable& range, Column& type);
  absl::Status NoSignature(std::string_view function, const std::vector<Value>& arguments, size_t at) const;
  void Use(const ScopeColumn& column);

  // calls
  ValueOr Call(const Expression& expression, const Scope& scope);
  ValueOr CallNamed(const std::string& name, const Expression& expression, const Scope& scope);
  ValueOr CallSimple(const std::string& name, std::vector<Value>& arguments, size_t at, bool& found);
  ValueOr Aggregate(const std::string& name, const Expression& expression, const Scope& scope, bool& found);
  ValueOr AggregateOver(const std::string& name, const Expression& expression, const Scope& scope,
                        std::vector<Value> arguments, const std::string& suffix);
  ValueOr ApproximateAggregate(const std::string& name, const Expression& expression,
                               const std::vector<Value>& arguments);
  ValueOr OrderedAggregate(const std::string& name, const Expression& expression, const Scope& scope,
                           const std::vector<Value>& arguments, const std::string& over);
  ValueOr WindowCall(const std::string& name, const Expression& expression, const Scope& scope, bool& found);
  ValueOr SpecialCall(const std::string& name, const Expression& expression, const Scope& scope,
                      std::vector<Value>& arguments, bool& found);
  ValueOr TimeCall(const std::string& name, const Expression& expression, const Scope& scope, bool& found);
  ValueOr TimeConstructor(Type type, const Expression& expression, const Scope& scope);
  ValueOr TimeShift(Type type, const std::string& name, const Expression& expression, const Scope& scope);
  ValueOr TimeDifference(Type type, const std::string& name, const Expression& expression,
                         const Scope& scope);
  ValueOr TimeTruncate(Type type, const std::string& name, const Expression& expression, const Scope& scope);
  ValueOr TimeFormat(Type type, const std::string& name, const Expression& expression, const Scope& scope);
  ValueOr TimeArray(const std::string& name, const Expression& expression, const Scope& scope);
  ValueOr TimeNow(Type type, const Expression& expression, const Scope& scope);
  absl::StatusOr<std::string> ZoneSql(const Expression* expression, const Scope& scope);
  std::string TruncateSql(const std::string& sql, const std::string& part, bool date);
  std::string DifferenceSql(const std::string& to, const std::string& from, const std::string& part,
                            bool date);
  ValueOr JsonCall(const std::string& name, const Expression& expression, std::vector<Value>& arguments,
                   bool& found);
  ValueOr FormatCall(std::vector<Value>& arguments, size_t at);
  absl::StatusOr<std::string> ToJsonSql(const Value& value, size_t at);
  std::string Now() const;

  // queries
  absl::StatusOr<QueryResult> TranslateQuery(const Query& query, const Scope* outer);
  absl::StatusOr<QueryResult> QueryBody(const Query& query, const Scope* outer);
  absl::StatusOr<QueryResult> SetOperation(const Query& query, const Scope* outer);
  absl::StatusOr<QueryResult> SelectQuery(const Query& query, const Select& select, const Scope* outer);
  absl::StatusOr<std::string> CommonTables(const Query& query, const Scope* outer);
  absl::StatusOr<QueryResult> RecursiveSchema(const Query& query, const Scope* outer);
  absl::StatusOr<std::string> LimitSql(const Query& query, const Scope& scope);
  // Names for the columns of a statement's own query: none twice, and none missing where a table is made of
  // them.
  absl::Status NameTopColumns(const ParsedStatement& parsed, QueryResult& query) const;
  struct Item {
    Value value;
    std::string name;
  };
  absl::Status SelectItems(const Select& select, const Scope& scope, std::vector<Item>& items);
  absl::Status StarItems(const SelectItem& item, const Scope& scope, std::vector<Item>& items);
  absl::StatusOr<std::string> GroupSql(const Select& select, const Scope& scope,
                                       const std::vector<Item>& items);
  absl::StatusOr<std::string> OrderItems(const Query& query, const Scope& scope,
                                         const std::vector<Item>& items, bool distinct);
  static void PackStruct(std::vector<Item>& items);
  // What follows SELECT. Arrays of a top query have no null elements in BigQuery.
  static std::string SelectList(const std::vector<Item>& items, const QueryResult& result, bool is_top);
  absl::StatusOr<QueryResult> SubquerySchema(QueryResult result);

  // FROM
  absl::StatusOr<std::string> FromSql(const FromItem& item, Scope& scope);
  absl::StatusOr<std::string> JoinSql(const FromItem& item, Scope& scope);
  absl::StatusOr<std::string> TableSql(const FromItem& item, Scope& scope);
  // Puts a view's query in place of its source, and its columns in place of its schema. `sql_names`: what the
  // query calls them.
  absl::Status ExpandView(const TableName& full, size_t at, TableInfo& table,
                          std::vector<std::string>& sql_names);
  absl::StatusOr<std::string> UnnestSql(const FromItem& item, Scope& scope, const Value& array);
  absl::Status AddRange(RangeVariable range, Scope& scope, size_t at);
  absl::StatusOr<TableName> FullName(const std::vector<std::string>& path, size_t at) const;
  absl::StatusOr<TableInfo> Find(const TableName& name, size_t at);

  // statements
  absl::Status Dml(const ParsedStatement& parsed, Statement& out);
  absl::Status InsertSql(const ParsedStatement& parsed, const TableInfo& table, Statement& out);
  absl::Status UpdateSql(const ParsedStatement& parsed, const TableInfo& table, Statement& out);
  absl::Status DeleteSql(const ParsedStatement& parsed, const TableInfo& table, Statement& out);
  absl::Status MergeSql(const ParsedStatement& parsed, const TableInfo& table, Statement& out);
  absl::StatusOr<std::string> MergeInsert(const MergeClause& clause, const TableInfo& table,
                                          const Scope& source, const std::string& guard);
  absl::StatusOr<std::string> SetSql(
      const std::vector<std::pair<std::vector<std::string>, ExpressionPtr>>& set, const TableInfo& table,
      const std::string& alias, const Scope& scope, size_t at, const std::string& guard);
  RangeVariable TargetRange(const TableInfo& table, const std::string& alias) const;
  absl::StatusOr<std::string> Assigned(const Value& value, const Column& column, size_t at);
  absl::StatusOr<std::string> DefaultSql(const Column& column);
  absl::Status Ddl(const ParsedStatement& parsed, Statement& out);
  absl::Status CreateTableDdl(const ParsedStatement& parsed, Statement& out);
  absl::Status ClusterBy(const ParsedStatement& parsed, TableDefinition& table);
  absl::Status AlterDdl(const ParsedStatement& parsed, Statement& out);
  absl::StatusOr<Partitioning> PartitionOf(const Expression& expression, const Schema& schema);
  absl::StatusOr<std::vector<Option>> OptionValues(const std::vector<ParsedOption>& options);
  absl::StatusOr<Option> OptionValue(const ParsedOption& option);
  absl::StatusOr<ForeignKey> Foreign(ForeignKey key, const std::vector<std::string>& path, size_t at);
  std::vector<ReferencedTable> Referenced() const;

  std::string_view sql_;
  const Context& context_;
  std::vector<std::map<std::string, CommonTableInfo>> common_tables_;
  std::vector<TableUse> uses_;
  int counter_ = 0;
  int view_depth_ = 0;
  int aggregates_ = 0;                      // translated so far
  const Select* recursive_term_ = nullptr;  // of the common table that is being translated
  std::string rounds_of_;                   // how that term calls the table itself
  bool qualified_only_ = false;             // in a view's definition no default dataset counts
  const Select* top_select_ = nullptr;      // of the statement itself: its arrays may hold no NULL
};

}  // namespace hakobu::localbq::sql
