#include "decode/binlog/row_image.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hakobu::binlog {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using std::string_literals::operator""s;

LogColumn Column(LogType type, uint16_t length = 0) {
  LogColumn column;
  column.type = type;
  column.length = length;
  column.is_unsigned = false;
  return column;
}

RowsEvent Event(RowChange change, std::string_view before, std::string_view after, std::string_view rows,
                bool partial_json = false) {
  RowsEvent event;
  event.change = change;
  event.columns = 2;
  event.partial_json = partial_json;
  event.present_before = before;
  event.present_after = after;
  event.rows = rows;
  return event;
}

// id INT, row_end TIMESTAMP(6)
TableMap Versioned() {
  TableMap map;
  map.database = "d";
  map.table = "t";
  map.columns = {Column(LogType::kLong), Column(LogType::kTimestamp2)};
  map.columns[1].scale = 6;
  return map;
}
const std::string kPresent = "\x7f\xff\xff\xff\x0f\x42\x3f"s, kPast = "\x60\x00\x00\x00\x00\x00\x01"s;
std::string Row(char id, const std::string& row_end) {
  return "\x00"s + id + "\x00\x00\x00"s + row_end;
}
std::string Decoded(RowChange change, const std::string& rows) {
  auto decoder = RowImageDecoder::Create(Versioned(), nullptr, UnknownColumns::kAssume);
  EXPECT_TRUE(decoder.ok()) << decoder.status();
  decoder->LeaveOutHistory(1);
  Batch batch(2);
  EXPECT_TRUE(decoder->Decode(Event(change, "\x03", "\x03", rows), &batch).ok());
  std::string text;
  EXPECT_EQ(batch.operations.size(), batch.rows());
  for (size_t row = 0; row < batch.rows(); ++row) {
    text += "ibad"[static_cast<int>(batch.operations[row])] + std::to_string(batch.Row(row)[0].integer) + " ";
  }
  return text;
}

TEST(RowImageDecoder, RowsOfThePastAreNoRowsOfAVersionedTable) {
  EXPECT_EQ(Decoded(RowChange::kInsert, Row(1, kPresent) + Row(2, kPast) + Row(3, kPresent)), "i1 i3 ");
  EXPECT_EQ(Decoded(RowChange::kDelete, Row(1, kPast) + Row(2, kPresent)), "d2 ");
}

TEST(RowImageDecoder, AnUpdateThatEndsARowsTimeIsItsDelete) {
  const std::string ends = Row(1, kPresent) + Row(1, kPast), stays = Row(2, kPresent) + Row(3, kPresent);
  const std::string past = Row(4, kPast) + Row(5, kPast), begins = Row(6, kPast) + Row(7, kPresent);
  EXPECT_EQ(Decoded(RowChange::kUpdate, ends + stays + past + begins), "d1 b2 a3 i7 ");
}

// id INT, j JSON
TableMap WithJson() {
  TableMap map = Versioned();
  map.columns[1] = Column(LogType::kJson, 4);
  return map;
}

TEST(RowImageDecoder, AJsonDiffIsNeverAppliedToAnotherRowsDocument) {
  const std::string document = "\x05\x00\x00\x00\x07\x01\x00\x00\x00"s;  // the integer 1
  auto decoder = RowImageDecoder::Create(WithJson(), nullptr, UnknownColumns::kAssume);
  ASSERT_TRUE(decoder.ok()) << decoder.status();
  Batch batch(2);
  // A whole row, before and after, of row 1.
  const std::string whole = "\x00"s + "\x01\x00\x00\x00"s + document;
  ASSERT_TRUE(
      decoder->Decode(Event(RowChange::kUpdate, "\x03", "\x03", whole + "\x00"s + whole, true), &batch).ok());
  // Then row 2, whose before image has no document: its change is one to what nobody knows.
  const std::string diff = "\x05\x00\x00\x00\x00\x01$\x01\x00"s;
  const std::string partial = "\x00\x02\x00\x00\x00"s + "\x01\x01"s + "\x00\x02\x00\x00\x00"s + diff;
  const absl::Status status =
      decoder->Decode(Event(RowChange::kUpdate, "\x01", "\x03", partial, true), &batch);
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), HasSubstr("before image lacks"));
}

}  // namespace
}  // namespace hakobu::binlog
