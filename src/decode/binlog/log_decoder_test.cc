#include "decode/binlog/log_decoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hakobu::binlog {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using std::string_literals::operator""s;

std::string Number(uint64_t value, size_t bytes) {
  std::string text;
  for (size_t i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i));
  return text;
}

class LogDecoderTest : public ::testing::Test, public LogVisitor {
 protected:
  LogDecoderTest() : decoder_(this) { decoder_.SetPosition("binlog.000001", 4); }

  absl::Status Feed(EventType type, const std::string& body, uint16_t flags = 0) {
    const size_t size = kHeaderBytes + body.size();
    at_ += size;
    return decoder_.Feed(Number(0, 4) + static_cast<char>(type) + Number(1, 4) + Number(size, 4) +
                         Number(at_, 4) + Number(flags, 2) + body);
  }
  absl::Status Query(const std::string& text) {
    return Feed(EventType::kQuery, Number(0, 8) + "\x01"s + Number(0, 4) + "d"s + "\0"s + text);
  }
  absl::Status Gtid() { return Feed(EventType::kGtid, std::string(17, '\1') + Number(7, 8)); }
  absl::Status TableMapOf(char id, const std::string& table) {
    return Feed(EventType::kTableMap, id + std::string(5, '\0') + Number(1, 2) + "\x01"s + "d\0"s +
                                          static_cast<char>(table.size()) + table + "\0\x01\x03\0\x00"s);
  }

  absl::Status OnBegin(const LogContext&) override { return Note("begin"); }
  absl::Status OnRows(const LogContext&, const TableMap& map, const RowsEvent&) override {
    return Note(map.table);
  }
  absl::Status OnStatement(const LogContext&, const LogStatement& statement) override {
    return Note(statement.database + ": " + statement.text);
  }
  absl::Status OnEnd(const LogContext&, TransactionEnd end) override {
    return Note(end == TransactionEnd::kCommit ? "commit" : "rollback");
  }
  absl::Status OnUnreadable(const LogContext&, const std::vector<TableMap>& tables,
                            const absl::Status& problem) override {
    if (!survives_) return LogVisitor::OnUnreadable({}, tables, problem);
    std::string names = "unreadable";
    for (const TableMap& map : tables) names += " " + map.table;
    return Note(names);
  }
  absl::Status Note(std::string what) {
    seen_.push_back(std::move(what));
    return absl::OkStatus();
  }

  LogDecoder decoder_;
  uint64_t at_ = 4;
  bool survives_ = true;
  std::vector<std::string> seen_;
};

TEST_F(LogDecoderTest, StatementFormatLoadDataIsAStatementAndItsFileIsPassedOver) {
  ASSERT_TRUE(Query("BEGIN").ok());
  ASSERT_TRUE(Feed(EventType::kBeginLoadQuery, Number(1, 4) + "1,a\n").ok());
  ASSERT_TRUE(Feed(EventType::kAppendBlock, Number(1, 4) + "2,b\n").ok());
  const std::string load = "LOAD DATA INFILE 'x' INTO TABLE t";
  ASSERT_TRUE(Feed(EventType::kExecuteLoadQuery, Number(0, 8) + "\x01"s + Number(0, 4) + Number(1, 4) +
                                                     Number(9, 4) + Number(14, 4) + "\x00"s + "d"s + "\0"s +
                                                     load)
                  .ok());
  ASSERT_TRUE(Feed(EventType::kXid, Number(1, 8)).ok());
  EXPECT_THAT(seen_, ElementsAre("begin", "d: " + load, "commit"));
  EXPECT_FALSE(Feed(EventType::kExecuteLoadQuery, "short").ok());
}

TEST_F(LogDecoderTest, WhatCannotBeReadConcernsTheTablesOfItsStatement) {
  const auto strange = static_cast<EventType>(99);
  ASSERT_TRUE(Query("BEGIN").ok());
  ASSERT_TRUE(TableMapOf(1, "a").ok());
  ASSERT_TRUE(Feed(strange, "?").ok());
  ASSERT_TRUE(Feed(EventType::kXid, Number(1, 8)).ok());
  ASSERT_TRUE(Feed(EventType::kIncident, Number(1, 2)).ok());
  ASSERT_TRUE(Feed(strange, "?", kFlagIgnorable).ok());
  EXPECT_THAT(seen_, ElementsAre("begin", "unreadable a", "commit", "unreadable"));
  survives_ = false;
  EXPECT_EQ(Feed(strange, "?").code(), absl::StatusCode::kUnimplemented);
  EXPECT_EQ(Feed(EventType::kIncident, Number(1, 2)).code(), absl::StatusCode::kDataLoss);
}

TEST_F(LogDecoderTest, ATransactionIsUnderWayFromItsGtidOn) {
  EXPECT_FALSE(decoder_.in_transaction());
  const uint64_t begins = at_;
  ASSERT_TRUE(Gtid().ok());
  EXPECT_TRUE(decoder_.in_transaction());
  ASSERT_TRUE(Query("BEGIN").ok());
  ASSERT_TRUE(TableMapOf(1, "a").ok());
  EXPECT_TRUE(decoder_.in_transaction());
  EXPECT_EQ(decoder_.transaction_position(), begins);
  ASSERT_TRUE(Feed(EventType::kXid, Number(1, 8)).ok());
  EXPECT_FALSE(decoder_.in_transaction());
  ASSERT_TRUE(Gtid().ok());
  ASSERT_TRUE(Query("CREATE TABLE t (id INT)").ok());
  EXPECT_FALSE(decoder_.in_transaction());
}

}  // namespace
}  // namespace hakobu::binlog
