#include "row/type_map.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <charconv>
#include <fstream>
#include <stdexcept>

#include "row/column_type.h"
#include "row/type_choices.h"

namespace hakobu {
namespace {

using ::testing::HasSubstr;

constexpr std::array kProfiles = {TypeProfile::kExact, TypeProfile::kDatastream, TypeProfile::kEmbulk};

// A column from how a server declares it: "decimal(10,2)", "bigint unsigned", "point srid 4326".
SourceColumn Declared(std::string_view declared) {
  SourceColumn column;
  column.name = "c";
  column.declared = declared;
  const std::string_view word = declared.substr(0, declared.find_first_of("( "));
  if (!ReadType(word, &column)) throw std::invalid_argument(std::string(declared));
  column.length = column.type == SourceType::kText || column.type == SourceType::kBlob ? 65'535 : 0;
  if (const size_t open = declared.find('('); open != std::string_view::npos) {
    std::from_chars(declared.data() + open + 1, declared.data() + declared.size(), column.length);
    column.precision = static_cast<uint32_t>(column.length);
    if (const size_t comma = declared.find(','); comma != std::string_view::npos) {
      std::from_chars(declared.data() + comma + 1, declared.data() + declared.size(), column.scale);
    }
  }
  if (declared.ends_with(" srid 4326")) column.srid = 4326;
  return column;
}

SourceTable TableOf(SourceColumn column, bool key = false) {
  SourceTable table;
  table.database = "shop";
  table.name = "items";
  table.columns = {std::move(column)};
  if (key) table.key = SourceKey{"PRIMARY", {0}, true};
  return table;
}

absl::StatusOr<Field> Mapped(const SourceTable& table, std::string as = "",
                             TypeProfile profile = TypeProfile::kExact,
                             InvalidPolicy invalid = InvalidPolicy::kNull) {
  ColumnChoice choice;
  choice.as = std::move(as);
  TypeChoices choices;
  choices.profile = profile;
  choices.invalid = invalid;
  return MapColumn(table, 0, choices, choice);
}

std::string Written(const Field& field) {
  std::string text(FieldTypeName(field.type));
  if (field.mode == FieldMode::kRepeated) text = "ARRAY<" + text + ">";
  if (field.conversion == Conversion::kHex) text += " (hex)";
  if (field.conversion == Conversion::kAlwaysNull) text += " (always NULL)";
  return text;
}

std::vector<std::string> Cells(std::string_view line) {
  std::vector<std::string> cells;
  line.remove_prefix(1);
  for (size_t bar = line.find('|'); bar != std::string_view::npos; bar = line.find('|')) {
    std::string_view cell = line.substr(0, bar);
    while (cell.starts_with(' ') || cell.starts_with('`')) cell.remove_prefix(1);
    while (cell.ends_with(' ') || cell.ends_with('`')) cell.remove_suffix(1);
    cells.emplace_back(cell);
    line.remove_prefix(bar + 1);
  }
  return cells;
}

TEST(TypeMap, IsAsItsPageSays) {
  std::ifstream page("docs/formats/types.md");
  ASSERT_TRUE(page.good()) << "run from the project's root";
  std::string line;
  int compared = 0;
  while (std::getline(page, line) && !line.starts_with("## ")) {
    if (!line.starts_with("| `") || line.find("`types:") != std::string::npos) continue;
    const std::vector<std::string> cells = Cells(line);
    ASSERT_EQ(cells.size(), 5u) << line;
    SCOPED_TRACE(line);
    ++compared;
    const SourceTable table = TableOf(Declared(cells[0]));
    for (size_t profile = 0; profile < kProfiles.size(); ++profile) {
      const absl::StatusOr<Field> field = Mapped(table, "", kProfiles[profile]);
      ASSERT_TRUE(field.ok()) << field.status();
      EXPECT_EQ(Written(*field), cells[profile + 1]);
    }
    std::string others;
    for (const TypeChoice& choice : AllowedChoices(table.columns[0], false)) {
      const std::string written =
          std::string(choice.as) + (choice.zone == ZoneArgument::kNeeded ? "(zone)" : "");
      const std::string as =
          std::string(choice.as) + (choice.zone == ZoneArgument::kNeeded ? "(Asia/Tokyo)" : "");
      EXPECT_TRUE(Mapped(table, as).ok()) << as;
      if (written != cells[1]) others += (others.empty() ? "" : ", ") + written;
    }
    EXPECT_EQ(others, cells[4]);
  }
  EXPECT_GE(compared, 35);
}

TEST(TypeMap, RefusesAChoiceWithWhatIsAllowed) {
  EXPECT_EQ(
      Mapped(TableOf(Declared("datetime")), "BOOL").status().message(),
      "column shop.items.c (datetime): expected as: one of DATETIME, TIMESTAMP(zone), STRING, found 'BOOL'");
  EXPECT_EQ(Mapped(TableOf(Declared("varbinary(9)"), true), "BYTES").status().message(),
            "column shop.items.c (varbinary(9)): expected as: one of STRING, STRING(HEX), STRING(BASE64) "
            "(the column is "
            "part of the key), found 'BYTES'");
  EXPECT_THAT(
      std::string(Mapped(TableOf(Declared("datetime")), "TIMESTAMP").status().message()),
      HasSubstr(
          "as: TIMESTAMP needs the zone that the values are in; hint: write as: TIMESTAMP(Asia/Tokyo)"));
  EXPECT_THAT(std::string(Mapped(TableOf(Declared("datetime")), "TIMESTAMP(Asia/Osaka)").status().message()),
              HasSubstr("expected a zone of the IANA database, found 'Asia/Osaka'"));
  SourceColumn mercator = Declared("point");
  mercator.srid = 3857;
  EXPECT_THAT(std::string(Mapped(TableOf(mercator), "GEOGRAPHY").status().message()),
              HasSubstr("STRING, BYTES, found"));
}

TEST(TypeMap, ChoicesKeepTheirArguments) {
  const absl::StatusOr<Field> field = Mapped(TableOf(Declared("datetime")), "timestamp(Asia/Tokyo)");
  ASSERT_TRUE(field.ok());
  EXPECT_EQ(field->type, FieldType::kTimestamp);
  EXPECT_EQ(field->conversion, Conversion::kZoned);
  EXPECT_EQ(field->zone, "Asia/Tokyo");
  EXPECT_EQ(Mapped(TableOf(Declared("binary(16)")), "string(uuid)")->conversion, Conversion::kUuid);
}

TEST(TypeMap, KeysAreNeverBytes) {
  const absl::StatusOr<Field> field = Mapped(TableOf(Declared("binary(16)"), true));
  EXPECT_EQ(field->type, FieldType::kString);
  EXPECT_EQ(field->conversion, Conversion::kHex);
}

FieldMode ModeOf(std::string_view declared, std::string as = "", InvalidPolicy invalid = InvalidPolicy::kNull,
                 std::string charset = "utf8mb4") {
  SourceColumn column = Declared(declared);
  column.nullable = false;
  column.charset = std::move(charset);
  return Mapped(TableOf(column), std::move(as), TypeProfile::kExact, invalid)->mode;
}

TEST(TypeMap, RequiredOnlyWhereNothingCanBecomeNull) {
  for (const char* declared :
       {"int", "bigint unsigned", "decimal(10,2)", "decimal(65,0)", "double", "varchar(9)", "text",
        "enum('a')", "time", "year", "bit(64)", "varbinary(9)", "blob"}) {
    EXPECT_EQ(ModeOf(declared), FieldMode::kRequired) << declared;
    EXPECT_EQ(Mapped(TableOf(Declared(declared)))->mode, FieldMode::kNullable) << declared;
  }
  for (const char* declared : {"date", "datetime", "timestamp", "json", "geometry", "point srid 4326"}) {
    EXPECT_EQ(ModeOf(declared), FieldMode::kNullable) << declared;
    EXPECT_EQ(ModeOf(declared, "", InvalidPolicy::kError), FieldMode::kRequired) << declared;
  }
  EXPECT_EQ(ModeOf("varchar(9)", "", InvalidPolicy::kNull, "cp932"), FieldMode::kNullable);
  EXPECT_EQ(ModeOf("varchar(9)", "", InvalidPolicy::kNull, "latin1"), FieldMode::kRequired);
  EXPECT_EQ(ModeOf("bigint unsigned", "INT64"), FieldMode::kNullable);
  EXPECT_EQ(ModeOf("decimal(38,0)", "NUMERIC"), FieldMode::kNullable);
  EXPECT_EQ(ModeOf("tinyint(1)", "BOOL"), FieldMode::kNullable);
  EXPECT_EQ(ModeOf("bit(1)", "BOOL"), FieldMode::kRequired);
  EXPECT_EQ(ModeOf("date", "STRING"), FieldMode::kRequired);
  EXPECT_EQ(ModeOf("vector(3)"), FieldMode::kRepeated);
  SourceColumn huge = Declared("text");
  huge.length = 4'294'967'295;
  huge.nullable = false;
  EXPECT_EQ(Mapped(TableOf(huge))->mode, FieldMode::kNullable);
}

TEST(TypeMap, InvalidStringMakesTheColumnAString) {
  EXPECT_EQ(Mapped(TableOf(Declared("date")), "", TypeProfile::kExact, InvalidPolicy::kString)->type,
            FieldType::kString);
  EXPECT_EQ(Mapped(TableOf(Declared("int")), "", TypeProfile::kExact, InvalidPolicy::kString)->type,
            FieldType::kInt64);
  EXPECT_EQ(ModeOf("date", "", InvalidPolicy::kString), FieldMode::kRequired);
  EXPECT_THAT(
      std::string(Mapped(TableOf(Declared("date")), "DATE", TypeProfile::kExact, InvalidPolicy::kString)
                      .status()
                      .message()),
      HasSubstr("invalid: string needs a STRING, and the column becomes DATE"));
}

absl::StatusOr<Field> MaskedBy(std::string_view declared, Mask mask, bool key = false, std::string as = "") {
  ColumnChoice choice;
  choice.mask = mask;
  choice.as = std::move(as);
  SourceColumn column = Declared(declared);
  column.nullable = false;
  return MapColumn(TableOf(column, key), 0, {}, choice);
}

TEST(TypeMap, MasksMakeStringsAndKeepKeysApart) {
  EXPECT_EQ(MaskedBy("int", Mask::kSha256)->type, FieldType::kString);
  EXPECT_EQ(MaskedBy("int", Mask::kSha256)->mode, FieldMode::kRequired);
  EXPECT_EQ(MaskedBy("int", Mask::kNull)->type, FieldType::kInt64);
  EXPECT_EQ(MaskedBy("int", Mask::kNull)->mode, FieldMode::kNullable);
  EXPECT_EQ(MaskedBy("vector(3)", Mask::kSha256)->type, FieldType::kString);
  EXPECT_NE(MaskedBy("vector(3)", Mask::kSha256)->mode, FieldMode::kRepeated);
  EXPECT_TRUE(MaskedBy("int", Mask::kSha256, true).ok());
  EXPECT_THAT(std::string(MaskedBy("int", Mask::kNull, true).status().message()),
              HasSubstr("hint: mask: sha256"));
  EXPECT_THAT(std::string(MaskedBy("int", Mask::kFirstN, true).status().message()),
              HasSubstr("hint: mask: sha256"));
  EXPECT_THAT(std::string(MaskedBy("blob", Mask::kFirstN).status().message()),
              HasSubstr("hint: mask: sha256 or null"));
  EXPECT_THAT(std::string(MaskedBy("date", Mask::kSha256, false, "DATE").status().message()),
              HasSubstr("leave out as:"));
}

TEST(TypeMap, CommentsBecomeDescriptionsCutBetweenCharacters) {
  SourceColumn column = Declared("int");
  for (int i = 0; i < 1030; ++i) column.comment += "説";
  EXPECT_EQ(Mapped(TableOf(column))->description, column.comment.substr(0, 1024 * 3));
}

}  // namespace
}  // namespace hakobu
