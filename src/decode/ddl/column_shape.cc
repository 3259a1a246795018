#include "decode/ddl/column_shape.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "decode/binlog/native_text.h"
#include "decode/charset/charset.h"
#include "decode/ddl/collation.h"
#include "row/column_type.h"

namespace hakobu::ddl {
namespace {

constexpr uint64_t kVarcharBytes = 65535;

struct IntegerWidth {
  std::string_view type;
  uint64_t with_sign, without;
};
constexpr IntegerWidth kIntegers[] = {
    {"tinyint", 4, 3}, {"smallint", 6, 5}, {"mediumint", 9, 8}, {"int", 11, 10}, {"bigint", 20, 20},
};

struct TextSize {
  std::string_view prefix;
  uint64_t bytes;
};
constexpr TextSize kTextSizes[] = {
    {"tiny", 255},
    {"", 65535},
    {"medium", 16777215},
    {"long", 4294967295},
};

bool IsMariaDb(const DdlContext& context) {
  return context.dialect == Dialect::kMariaDb;
}

// MySQL stopped showing display widths and year's digits in 8.0.19.
bool ShowsWidths(const DdlContext& context) {
  return IsMariaDb(context) || context.version < 80019;
}

bool IsTextOrBlob(std::string_view type) {
  return type.ends_with("text") || type.ends_with("blob");
}

bool HasCharset(std::string_view type) {
  return type == "char" || type == "varchar" || type.ends_with("text") || type == "enum" || type == "set";
}

std::string SmallestText(uint64_t bytes, std::string_view kind) {
  for (const TextSize& size : kTextSizes) {
    if (bytes <= size.bytes) return fmt::format("{}{}", size.prefix, kind);
  }
  return fmt::format("long{}", kind);
}

uint64_t BytesOfText(std::string_view type) {
  for (const TextSize& size : kTextSizes) {
    if (type.size() == size.prefix.size() + 4 && type.starts_with(size.prefix)) return size.bytes;
  }
  return 0;
}

std::string BinaryForm(std::string_view type) {
  if (type == "char") return "binary";
  if (type == "varchar") return "varbinary";
  return fmt::format("{}blob", type.substr(0, type.size() - 4));
}

// As COLUMN_TYPE writes labels.
std::string Quoted(std::string_view label) {
  std::string quoted = "'";
  for (const char c : label) {
    switch (c) {
      case '\'':
        quoted += "''";
        break;
      case '\\':
        quoted += "\\\\";
        break;
      case '\n':
        quoted += "\\n";
        break;
      case '\r':
        quoted += "\\r";
        break;
      case '\0':
        quoted += "\\0";
        break;
      default:
        quoted += c;
    }
  }
  return quoted + "'";
}

size_t Characters(std::string_view utf8) {
  return static_cast<size_t>(std::count_if(utf8.begin(), utf8.end(),
                                           [](char c) { return (static_cast<uint8_t>(c) & 0xC0) != 0x80; }));
}

// One column on its way from definition to shape.
class Shaper {
 public:
  Shaper(const ColumnDefinition& definition, std::string_view table_collation, const DdlContext& context)
      : definition_(definition), table_collation_(table_collation), context_(context) {}

  absl::StatusOr<SourceColumn> Shape();

 private:
  absl::Status ChooseType();
  absl::Status ChooseCollation();
  void ChooseTextSize();
  void Declare();
  std::string Integer() const;
  std::string Real() const;
  std::string Attributes() const;
  void Measure();
  void SetLabels();

  const ColumnDefinition& definition_;
  std::string_view table_collation_;
  const DdlContext& context_;
  std::string type_;
  std::optional<uint64_t> length_;
  SourceColumn column_;
};

absl::Status Shaper::ChooseType() {
  type_ = definition_.type;
  length_ = definition_.length;
  if (type_ == "nchar") type_ = "char";
  if (type_ == "nvarchar") type_ = "varchar";
  if (type_ == "json" && IsMariaDb(context_)) type_ = "longtext";
  if (type_ == "geomcollection" && (IsMariaDb(context_) || context_.version < 80000)) {
    type_ = "geometrycollection";
  }
  if (type_ == "float" && length_ && !definition_.scale) {
    if (*length_ > 24) type_ = "double";
    length_.reset();
  }
  if (type_ == "tinytext" || type_ == "mediumtext" || type_ == "longtext") length_.reset();
  if ((type_ == "char" || type_ == "binary" || type_ == "bit") && length_.value_or(0) == 0) {
    // CHAR(0) exists; BIT(0) means BIT(1).
    if (!length_ || type_ == "bit") length_ = 1;
  }
  return absl::OkStatus();
}

absl::Status Shaper::ChooseCollation() {
  if (!HasCharset(type_)) return absl::OkStatus();
  std::string charset = definition_.charset;
  const bool national = definition_.type == "nchar" || definition_.type == "nvarchar";
  if (national) charset = "utf8mb3";
  if (definition_.type == "json") {
    column_.collation = "utf8mb4_bin";
  } else if (!charset.empty() || !definition_.collation.empty()) {
    column_.collation = ResolveCollationWithin(table_collation_, charset, definition_.collation, context_);
  } else {
    column_.collation = table_collation_;
  }
  if (column_.collation.empty()) {
    return absl::FailedPreconditionError(
        fmt::format("{}: its character set is the table's, which is not known", definition_.name));
  }
  if (definition_.binary_collation && definition_.collation.empty()) {
    column_.collation = BinaryCollation(CharsetOf(column_.collation));
  }
  column_.charset = CharsetOf(column_.collation);
  return absl::OkStatus();
}

void Shaper::ChooseTextSize() {
  const uint64_t most = BytesPerCharacter(column_.charset).most;
  if ((type_ == "text" || type_ == "blob") && length_ && *length_ > 0) {
    type_ = SmallestText(*length_ * most, type_);
  }
  // Where the sql_mode is not strict a VARCHAR that is too long becomes a TEXT.
  const bool varying = type_ == "varchar" || type_ == "varbinary";
  if (varying && length_.value_or(0) * most > kVarcharBytes) {
    type_ = SmallestText(*length_ * most, type_ == "varchar" ? "text" : "blob");
  }
  const bool as_bytes = column_.charset == "binary";
  if (as_bytes && type_ != "enum" && type_ != "set") type_ = BinaryForm(type_);
  if (as_bytes && (!IsMariaDb(context_) || !HasCharset(type_))) {
    column_.charset.clear();
    column_.collation.clear();
  }
}

std::string Shaper::Attributes() const {
  return fmt::format("{}{}", definition_.is_unsigned ? " unsigned" : "",
                     definition_.zerofill ? " zerofill" : "");
}

std::string Shaper::Integer() const {
  const auto* width = std::find_if(std::begin(kIntegers), std::end(kIntegers),
                                   [&](const IntegerWidth& integer) { return integer.type == type_; });
  const bool flag = type_ == "tinyint" && length_ == 1u && !definition_.is_unsigned;
  if (!ShowsWidths(context_) && !definition_.zerofill && !flag) return type_ + Attributes();
  const uint64_t standard = definition_.is_unsigned ? width->without : width->with_sign;
  const uint64_t shown = length_.value_or(0) == 0 ? standard : *length_;
  return fmt::format("{}({}){}", type_, shown, Attributes());
}

std::string Shaper::Real() const {
  if (!length_ || !definition_.scale) return type_ + Attributes();
  return fmt::format("{}({},{}){}", type_, *length_, *definition_.scale, Attributes());
}

void Shaper::Declare() {
  std::string& declared = column_.declared;
  const auto* integer = std::find_if(std::begin(kIntegers), std::end(kIntegers),
                                     [&](const IntegerWidth& width) { return width.type == type_; });
  if (integer != std::end(kIntegers)) {
    declared = Integer();
  } else if (type_ == "decimal") {
    column_.precision = static_cast<uint32_t>(length_.value_or(0) == 0 ? 10 : *length_);
    column_.scale = static_cast<uint32_t>(definition_.scale.value_or(0));
    declared = fmt::format("decimal({},{}){}", column_.precision, column_.scale, Attributes());
  } else if (type_ == "float" || type_ == "double") {
    declared = Real();
  } else if (type_ == "enum" || type_ == "set") {
    std::string list;
    for (const std::string& label : column_.labels) list += (list.empty() ? "" : ",") + Quoted(label);
    declared = fmt::format("{}({})", type_, list);
  } else if (type_ == "year") {
    declared = ShowsWidths(context_) ? "year(4)" : "year";
  } else if (type_ == "datetime" || type_ == "timestamp" || type_ == "time") {
    column_.fraction = static_cast<uint32_t>(length_.value_or(0));
    declared = column_.fraction == 0 ? type_ : fmt::format("{}({})", type_, column_.fraction);
  } else if (type_ == "vector") {
    declared = fmt::format("vector({})", length_.value_or(2048));
  } else if (type_ == "char" || type_ == "varchar" || type_ == "binary" || type_ == "varbinary" ||
             type_ == "bit") {
    declared = fmt::format("{}({})", type_, length_.value_or(1));
  } else {
    declared = type_;
  }
  if (definition_.compressed) declared += " /*M!100301 COMPRESSED*/";
}

// CHARACTER_MAXIMUM_LENGTH.
void Shaper::Measure() {
  if (type_ == "char" || type_ == "varchar" || type_ == "binary" || type_ == "varbinary") {
    column_.length = length_.value_or(1);
  } else if (IsTextOrBlob(type_)) {
    column_.length = BytesOfText(type_) / BytesPerCharacter(column_.charset).least;
  } else if (type_ == "bit") {
    column_.precision = static_cast<uint32_t>(*length_);  // where ReadType looks for it
  } else if (type_ == "vector") {
    column_.length = length_.value_or(2048) * 4;
  } else if (type_ == "enum" || type_ == "set") {
    for (const std::string& label : column_.labels) {
      const uint64_t characters = Characters(label);
      if (type_ == "set") {
        column_.length += characters + (column_.length == 0 ? 0 : 1);
      } else {
        column_.length = std::max(column_.length, characters);
      }
    }
  }
}

// The servers drop trailing spaces of labels, and keep '?' for what the column's character set lacks.
void Shaper::SetLabels() {
  column_.labels = definition_.labels;
  if (column_.charset == "binary") return;
  const Charset* const charset = Charset::Find(column_.charset);
  for (std::string& label : column_.labels) {
    label.erase(label.find_last_not_of(' ') + 1);
    if (charset != nullptr) label = AsKept(label, *charset);
  }
}

absl::StatusOr<SourceColumn> Shaper::Shape() {
  column_.name = definition_.name;
  if (absl::Status chosen = ChooseType(); !chosen.ok()) return chosen;
  if (absl::Status chosen = ChooseCollation(); !chosen.ok()) return chosen;
  if (type_ == "enum" || type_ == "set") SetLabels();
  ChooseTextSize();
  Declare();
  Measure();
  const bool bad_timestamp = type_ == "timestamp" && !context_.explicit_timestamps;
  column_.nullable = definition_.nullable == Tristate::kYes ||
                     (definition_.nullable == Tristate::kUnstated && !bad_timestamp);
  const bool may_be_null =
      !IsMariaDb(context_) && definition_.serial && definition_.nullable == Tristate::kYes;
  if (definition_.primary || (definition_.auto_increment && !may_be_null)) column_.nullable = false;
  const std::vector<std::string> labels = std::move(column_.labels);
  if (!ReadType(type_, &column_)) {
    return absl::UnimplementedError(fmt::format("{}: type {} is not known", column_.name, type_));
  }
  column_.labels = labels;
  if (definition_.generated)
    column_.generated = definition_.stored ? Generated::kStored : Generated::kVirtual;
  column_.invisible = definition_.visible == Tristate::kNo;
  column_.srid = definition_.srid;
  if (IsMariaDb(context_) && column_.srid == 0u) column_.srid.reset();
  column_.comment = definition_.comment;
  const bool json = definition_.type == "json" || definition_.json_check;
  if (json && IsMariaDb(context_) && column_.type == SourceType::kText) column_.type = SourceType::kJson;
  return column_;
}

bool IsConvertible(const SourceColumn& column) {
  return !column.charset.empty() && column.charset != "binary" && binlog::NativeBytes(column.declared) == 0;
}

}  // namespace

absl::StatusOr<SourceColumn> ShapeColumn(const ColumnDefinition& definition, std::string_view table_collation,
                                         const DdlContext& context) {
  return Shaper(definition, table_collation, context).Shape();
}

void ConvertColumn(std::string_view collation, const DdlContext& context, SourceColumn* column) {
  if (!IsConvertible(*column)) return;
  const std::string from = column->charset;
  column->collation = collation;
  column->charset = CharsetOf(collation);
  const std::string declared = column->declared.substr(0, column->declared.find_first_of("( "));
  const bool text = declared.ends_with("text");
  std::string type = declared;
  if (text && BytesPerCharacter(column->charset).most > BytesPerCharacter(from).most) {
    // As many characters as the old one could hold.
    const uint64_t characters = BytesOfText(declared) / BytesPerCharacter(from).least;
    type = SmallestText(characters * BytesPerCharacter(column->charset).most, "text");
  }
  const uint64_t varchar_bytes = column->length * BytesPerCharacter(column->charset).most;
  if (declared == "varchar" && varchar_bytes > kVarcharBytes) {
    column->type = SourceType::kText;
    type = SmallestText(varchar_bytes, "text");
    column->declared = declared;  // without the length
  }
  const bool as_bytes = column->charset == "binary" && declared != "enum" && declared != "set";
  if (as_bytes) type = BinaryForm(type);
  if (type.ends_with("text") || type.ends_with("blob"))
    column->length = BytesOfText(type) / BytesPerCharacter(column->charset).least;
  column->declared.replace(0, declared.size(), type);
  if (as_bytes) {
    column->type = type == "binary"      ? SourceType::kBinary
                   : type == "varbinary" ? SourceType::kVarbinary
                                         : SourceType::kBlob;
  }
  if (column->charset == "binary" && (as_bytes || context.dialect == Dialect::kMySql)) {
    column->charset.clear();
    column->collation.clear();
  }
}

}  // namespace hakobu::ddl
