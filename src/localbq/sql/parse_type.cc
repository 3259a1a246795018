// Type names and their parameters.
#include <fmt/format.h>

#include <charconv>

#include "localbq/sql/parser.h"

namespace hakobu::localbq::sql {
namespace {

struct TypeWord {
  std::string_view name;
  Type type;
};
constexpr TypeWord kTypeWords[] = {
    {"INT64", Type::kInt64},
    {"INT", Type::kInt64},
    {"SMALLINT", Type::kInt64},
    {"INTEGER", Type::kInt64},
    {"BIGINT", Type::kInt64},
    {"TINYINT", Type::kInt64},
    {"BYTEINT", Type::kInt64},
    {"FLOAT64", Type::kFloat64},
    {"BOOL", Type::kBool},
    {"BOOLEAN", Type::kBool},
    {"STRING", Type::kString},
    {"BYTES", Type::kBytes},
    {"NUMERIC", Type::kNumeric},
    {"DECIMAL", Type::kNumeric},
    {"BIGNUMERIC", Type::kBigNumeric},
    {"BIGDECIMAL", Type::kBigNumeric},
    {"DATE", Type::kDate},
    {"DATETIME", Type::kDateTime},
    {"TIME", Type::kTime},
    {"TIMESTAMP", Type::kTimestamp},
    {"JSON", Type::kJson},
    {"GEOGRAPHY", Type::kGeography},
    {"INTERVAL", Type::kInterval},
    {"RANGE", Type::kRange},
};

int64_t SmallInteger(std::string_view text) {
  int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace

Column Parser::TypeName() {
  Depth depth(*this);
  Column column;
  size_t at = Now().begin;
  if (TakeWord("ARRAY")) {
    ExpectSymbol("<");
    column = TypeName();
    if (column.mode == Mode::kRepeated) Fail(at, "Array of array types are not supported");
    column.mode = Mode::kRepeated;
    CloseAngle();
    return column;
  }
  if (TakeWord("STRUCT")) {
    column.type = Type::kRecord;
    ExpectSymbol("<");
    while (!AtEnd() && !IsSymbol(">") && !IsSymbol(">>")) {
      std::string name;
      bool named = Ahead(1).kind == TokenKind::kIdentifier;
      if (named) name = Name();
      Column field = TypeName();
      if (TakeWords({"NOT", "NULL"})) field.mode = Mode::kRequired;
      field.name = named ? name : fmt::format("_field_{}", column.fields.size() + 1);
      if (TakeWord("OPTIONS")) {
        --cursor_;
        for (ParsedOption& option : Options()) {
          if (option.name == "description" && option.value->kind == ExpressionKind::kString) {
            field.description = option.value->text;
          }
        }
      }
      column.fields.push_back(std::move(field));
      if (!TakeSymbol(",")) break;
    }
    CloseAngle();
    return column;
  }
  for (const TypeWord& word : kTypeWords) {
    if ((!IsWord(word.name) &&
         !(Now().kind == TokenKind::kQuotedIdentifier && Upper(Now().text) == word.name)))
      continue;
    ++cursor_;
    column.type = word.type;
    if (column.type == Type::kRange && IsSymbol("<")) {
      ++cursor_;
      column.range_element = TypeName().type;
      CloseAngle();
    }
    TypeParameters(column);
    return column;
  }
  if (AtName()) {
    Fail(Now().begin, fmt::format("Type not found: {}", Now().text));
  } else {
    Unexpected();
  }
  return column;
}

void Parser::TypeParameters(Column& column) {
  if (!IsSymbol("(")) return;
  size_t at = Now().begin;
  ++cursor_;
  std::vector<int64_t> values;
  do {
    if (TakeWord("MAX")) {
      values.push_back(0);
    } else if (Now().kind == TokenKind::kInteger) {
      values.push_back(SmallInteger(tokens_[cursor_++].text));
    } else {
      Unexpected();
    }
  } while (TakeSymbol(","));
  ExpectSymbol(")");
  if (Failed()) return;
  bool decimal = column.type == Type::kNumeric || column.type == Type::kBigNumeric;
  bool length = column.type == Type::kString || column.type == Type::kBytes;
  if ((!decimal && !length) || values.size() > (decimal ? 2U : 1U)) {
    return Fail(at, fmt::format("{} does not support type parameters", SqlTypeName(column.type)));
  }
  if (length) {
    column.max_length = values[0];
    return;
  }
  column.precision = static_cast<int32_t>(values[0]);
  column.scale = values.size() > 1 ? static_cast<int32_t>(values[1]) : 0;
  int32_t whole = column.type == Type::kNumeric ? 29 : 38, fraction = column.type == Type::kNumeric ? 9 : 38;
  if (column.scale > fraction || column.precision < std::max(1, column.scale) ||
      column.precision - column.scale > whole) {
    Fail(at, fmt::format("In {}(P, S), P must be between max(S,1) and S+{} and S at most {}",
                         SqlTypeName(column.type), whole, fraction));
  }
}

}  // namespace hakobu::localbq::sql
