// What the parser makes of GoogleSQL. Positions are byte offsets into the source text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "localbq/catalog/schema.h"
#include "localbq/sql/sql.h"

namespace hakobu::localbq::sql {

struct Expression;
struct Query;
struct FromItem;
using ExpressionPtr = std::unique_ptr<Expression>;
using QueryPtr = std::unique_ptr<Query>;
using FromPtr = std::unique_ptr<FromItem>;

enum class ExpressionKind : uint8_t {
  kInteger,
  kFloat,
  kString,
  kBytes,
  kBool,
  kNull,       // text
  kTyped,      // DATE '…': type, text
  kInterval,   // INTERVAL arguments[0] text [TO text2]
  kParameter,  // text (lower case), or position
  kPath,       // names
  kField,      // arguments[0].text
  kIndex,      // arguments[0][text(arguments[1])], text: OFFSET, ORDINAL, SAFE_OFFSET, SAFE_ORDINAL or empty
  kUnary,
  kBinary,  // text: operator
  kBetween,
  kIn,
  kInUnnest,
  kInQuery,
  kLike,
  kIsNull,
  kIsTrue,
  kIsFalse,
  kIsDistinct,  // negated
  kCase,        // [operand] (when then)* [else]
  kCast,        // type; safe
  kCall,        // names: function
  kStruct,      // aliases; type when STRUCT<…>
  kArray,       // type when ARRAY<…>
  kArrayQuery,
  kScalarQuery,
  kExists,   // query
  kExtract,  // text: part; arguments[0]; [arguments[1]: zone]
  kStar,     // COUNT(*)
};

struct OrderItem {
  ExpressionPtr expression;
  bool descending = false;
  std::optional<bool> nulls_first;
};

struct FrameBound {
  enum class Kind : uint8_t {
    kUnboundedPreceding,
    kPreceding,
    kCurrentRow,
    kFollowing,
    kUnboundedFollowing
  } kind;
  ExpressionPtr value;
};

struct Window {
  std::string base;  // a named window
  std::vector<ExpressionPtr> partition;
  std::vector<OrderItem> order;
  std::string frame;  // "", ROWS or RANGE
  std::optional<FrameBound> from, to;
};

struct Expression {
  ExpressionKind kind;
  size_t at = 0, end = 0;
  std::string text, text2;
  std::vector<std::string> names;
  std::vector<ExpressionPtr> arguments;
  std::vector<std::string> aliases;
  bool negated = false, safe = false, has_operand = false, has_else = false, has_type = false, quoted = false;
  int position = 0;
  Column type;
  QueryPtr query;
  // calls
  bool distinct = false, ignore_nulls = false, respect_nulls = false;
  std::vector<OrderItem> order;
  ExpressionPtr limit;
  ExpressionPtr having;  // HAVING MAX/MIN; text2 says which
  std::unique_ptr<Window> over;
};

struct SelectItem {
  ExpressionPtr expression;  // of a star: what stands before ".*", or null
  std::string alias;
  size_t at = 0;
  bool star = false;
  std::vector<std::string> except;
  std::vector<std::pair<ExpressionPtr, std::string>> replace;
};

enum class FromKind : uint8_t { kTable, kQuery, kUnnest, kJoin };
enum class JoinKind : uint8_t { kInner, kLeft, kRight, kFull, kCross, kComma };

struct FromItem {
  FromKind kind = FromKind::kTable;
  size_t at = 0;
  std::vector<std::string> path;
  std::string alias;
  QueryPtr query;
  ExpressionPtr array;
  bool with_offset = false;
  std::string offset_alias;
  JoinKind join = JoinKind::kInner;
  FromPtr left, right;
  ExpressionPtr on;
  std::vector<std::string> using_columns;
};

enum class GroupKind : uint8_t { kNone, kExpressions, kRollup, kCube, kSets, kAll };

struct Select {
  size_t at = 0;
  bool distinct = false, as_struct = false, as_value = false;
  std::vector<SelectItem> items;
  FromPtr from;
  ExpressionPtr where, having, qualify;
  GroupKind group = GroupKind::kNone;
  std::vector<ExpressionPtr> group_by;
  std::vector<std::vector<size_t>> group_sets;  // of kSets: indices into group_by
  std::vector<std::pair<std::string, Window>> windows;
};

struct CommonTable {
  std::string name;
  QueryPtr query;
  size_t at = 0;
};

// Exactly one of select, nested, left+right.
struct Query {
  size_t at = 0;
  bool recursive = false;
  std::vector<CommonTable> with;
  std::unique_ptr<Select> select;
  QueryPtr nested;
  std::string set_operator;  // UNION ALL, UNION, INTERSECT, EXCEPT
  QueryPtr left, right;
  std::vector<OrderItem> order;
  ExpressionPtr limit, offset;
};

struct MergeClause {
  enum class When : uint8_t { kMatched, kNotMatchedByTarget, kNotMatchedBySource } when;
  enum class Action : uint8_t { kUpdate, kDelete, kInsert, kInsertRow } action;
  ExpressionPtr condition;
  std::vector<std::pair<std::vector<std::string>, ExpressionPtr>> set;
  std::vector<std::string> columns;
  std::vector<ExpressionPtr> values;  // null: DEFAULT
  size_t at = 0;
};

struct ParsedOption {
  std::string name;
  ExpressionPtr value;
};

struct ParsedColumn {
  Column column;
  ExpressionPtr default_value;
  std::vector<ParsedOption> options;
  bool primary_key = false;
  size_t at = 0;
};

struct ParsedAlter {
  AlterAction action;
  ParsedColumn column;
  std::vector<ParsedOption> options;
  ExpressionPtr default_value;
};

struct ParsedStatement {
  StatementKind kind = StatementKind::kSelect;
  size_t at = 0, end = 0;
  QueryPtr query;  // SELECT, INSERT … SELECT, CREATE … AS
  // DML and DDL
  std::vector<std::string> target;
  size_t target_at = 0;
  std::string alias;
  std::vector<std::string> columns;
  std::vector<std::vector<ExpressionPtr>> rows;  // INSERT … VALUES; null: DEFAULT
  std::vector<std::pair<std::vector<std::string>, ExpressionPtr>> set;
  FromPtr from;
  ExpressionPtr where;
  std::vector<MergeClause> clauses;
  // DDL
  std::vector<ParsedColumn> definitions;
  bool has_definitions = false;
  std::vector<std::string> primary_key;
  std::vector<ForeignKey> foreign_keys;
  std::vector<std::vector<std::string>> foreign_paths;
  ExpressionPtr partition;
  std::vector<std::string> clustering;
  std::vector<ParsedOption> options;
  std::vector<std::string> like;
  bool copy = false;
  std::vector<ParsedAlter> alters;
  size_t query_begin = 0, query_end = 0;
  bool or_replace = false, if_exists = false, if_not_exists = false, cascade = false;
};

}  // namespace hakobu::localbq::sql
