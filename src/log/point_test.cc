#include "log/point.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hakobu {
namespace {

using ::testing::HasSubstr;

DeliveredPoint Delivered(int64_t epoch, std::string_view file, uint64_t offset) {
  DeliveredPoint point;
  point.epoch = epoch;
  point.file = file;
  point.offset = offset;
  return point;
}

TEST(LogPoint, IsReadBackFromItsText) {
  for (const LogPoint& point : {LogPoint::At("binlog.000003", 157), LogPoint::At("a:b.000003", 4),
                                LogPoint::At("binlog.000003", ~uint64_t{0})}) {
    const auto read = LogPoint::Parse(point.Text());
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_EQ(read->file, point.file);
    EXPECT_EQ(read->offset, point.offset);
  }
}

TEST(LogPoint, OfAFileAloneBeginsAtItsFirstEvent) {
  const auto read = LogPoint::Parse("binlog.000003");
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->Text(), "binlog.000003:4");
}

TEST(LogPoint, IsNotReadFromOtherTexts) {
  for (const std::string_view text :
       {"", ":", ":157", "binlog.000003:", "binlog.000003:x", "binlog.000003:15x", "binlog.000003:-1",
        "binlog.000003: 1", "binlog.000003:18446744073709551616"}) {
    const auto read = LogPoint::Parse(text);
    EXPECT_EQ(read.status().code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(std::string(read.status().message()), HasSubstr("expected FILE or FILE:OFFSET")) << text;
  }
}

TEST(LogPoint, SaysNothingThatItDoesNotKnow) {
  EXPECT_EQ(LogPoint().Text(), "");
  EXPECT_EQ((LogPoint{.gtid_set = "u:1-7"}).TextWithGtids(), "");
  EXPECT_EQ((LogPoint{.file = "b.1", .offset = 4}).TextWithGtids(), "b.1:4");
  EXPECT_EQ((LogPoint{.file = "b.1", .offset = 4, .gtid_set = "u:1-7"}).TextWithGtids(), "b.1:4 gtid=u:1-7");
}

TEST(LogPoint, IsOrderedByTheFilesNumberThenTheOffset) {
  const LogPoint place = LogPoint::At("binlog.000009", 500);
  EXPECT_TRUE(OrderInLog(place, LogPoint::At("binlog.000009", 501)) < 0);
  EXPECT_TRUE(OrderInLog(place, LogPoint::At("binlog.000009", 499)) > 0);
  EXPECT_TRUE(OrderInLog(place, LogPoint::At("binlog.000010", 4)) < 0);
  EXPECT_TRUE(OrderInLog(place, LogPoint::At("other.9", 500)) == 0) << "the log may have been renamed";
  // As texts the seventh digit would come before.
  EXPECT_TRUE(OrderInLog(LogPoint::At("binlog.999999", 4), LogPoint::At("binlog.1000000", 4)) < 0);
  EXPECT_TRUE(OrderInLog(LogPoint(), LogPoint::At("binlog.000001", 4)) < 0);
}

TEST(LogPoint, FilesHaveNumbers) {
  EXPECT_EQ(LogFileNumber("binlog.000041"), 41U);
  EXPECT_EQ(LogFileNumber("mysql-bin-changelog.1234567"), 1234567U);
  for (const std::string_view name : {"", "binlog", "binlog.", "binlog.x1", "binlog.1x", "binlog.-1"})
    EXPECT_EQ(LogFileNumber(name), std::nullopt) << name;
}

TEST(LogPoint, ServersAreToldApartByTheirUuidOrElseTheirId) {
  const LogPoint one{.server_uuid = "u1", .server_id = 1};
  EXPECT_TRUE(OfOneServer(one, {.server_uuid = "u1", .server_id = 2})) << "an id can be changed";
  EXPECT_FALSE(OfOneServer(one, {.server_uuid = "u2", .server_id = 1}));
  EXPECT_FALSE(OfOneServer(one, {.server_id = 1})) << "a server with and one without a UUID";
  const LogPoint maria{.flavor = ServerFlavor::kMariaDb, .server_id = 1};
  EXPECT_TRUE(OfOneServer(maria, {.flavor = ServerFlavor::kMariaDb, .server_id = 1}));
  EXPECT_FALSE(OfOneServer(maria, {.flavor = ServerFlavor::kMariaDb, .server_id = 2}));
  EXPECT_FALSE(OfOneServer(maria, {.server_id = 1}));
}

TEST(DeliveredPoint, ANewerEpochIsBehindEveryPlaceOfAnOlderOne) {
  const DeliveredPoint point = Delivered(2, "binlog.000001", 4);
  EXPECT_TRUE(OrderOfDelivery(Delivered(1, "binlog.000099", 900), point) < 0);
  EXPECT_TRUE(OrderOfDelivery(point, Delivered(2, "binlog.000001", 5)) < 0);
  EXPECT_TRUE(OrderOfDelivery(point, point) == 0);
}

TEST(DeliveredPoint, HasPassedAPlaceOnceItIsThere) {
  const DeliveredPoint point = Delivered(2, "binlog.000007", 500);
  EXPECT_TRUE(HasPassed(point, 2, LogPoint::At("binlog.000007", 500)));
  EXPECT_FALSE(HasPassed(point, 2, LogPoint::At("binlog.000007", 501)));
  EXPECT_TRUE(HasPassed(point, 1, LogPoint::At("binlog.000099", 4)));
  EXPECT_FALSE(HasPassed(point, 3, LogPoint::At("binlog.000001", 4)));
}

TEST(LogFileIdentity, IsReadBackFromItsText) {
  const LogFileIdentity identity{1'700'000'000, 7, "11.8.3-MariaDB/x"};
  EXPECT_EQ(LogFileIdentity::Parse(identity.Text()), identity);
  EXPECT_EQ(LogFileIdentity().Text(), "");
  for (const std::string_view text : {"", "1", "1/2", "x/1/9.7.0", "1/x/9.7.0", "4294967296/1/9.7.0"})
    EXPECT_FALSE(LogFileIdentity::Parse(text).known()) << text;
}

}  // namespace
}  // namespace hakobu
