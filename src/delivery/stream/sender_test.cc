// The sender against a Storage Write service that fails on demand: every request ends in one acknowledgement,
// whatever happens to the lane meanwhile.
#include "delivery/stream/sender.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "destination/fake_storage_write.h"

namespace hakobu {
namespace {

using Kind = Fault::Kind;

const std::string kDefault = DefaultStream({"p", "d", "t"});
constexpr std::string_view kOwn = "projects/p/datasets/d/tables/t/streams/s";

class Events : public SenderEvents {
 public:
  void OnLaneFailed(size_t, const absl::Status& status) override { lane = status; }
  void OnSenderFailed(const absl::Status& status) override { sender = status; }
  absl::Status lane, sender;
};

// Wire form of one row: field 1, its length, its text.
std::shared_ptr<EncodedRows> OneRow(int number) {
  const std::string text = fmt::format("row{}", number);
  auto rows = std::make_shared<EncodedRows>();
  rows->buffer().Append(fmt::format("\x0a{}{}", static_cast<char>(text.size()), text));
  rows->EndRow();
  return rows;
}

std::string Descriptor() {
  google::protobuf::DescriptorProto descriptor;
  descriptor.set_name("Row");
  return descriptor.SerializeAsString();
}

class SenderTest : public testing::Test {
 protected:
  void Begin(FakeStorageWrite::Plan plan, absl::Duration answer_timeout = absl::Minutes(2)) {
    fake_ = std::make_unique<FakeStorageWrite>(std::move(plan));
    StorageWriteOptions options;
    options.endpoint = fake_->endpoint();
    options.retry.first_delay = absl::Milliseconds(20);
    options.retry.longest_delay = absl::Milliseconds(50);
    storage_ = std::make_unique<StorageWrite>(std::move(options));
    AppendOptions append;
    append.answer_timeout = answer_timeout;
    sender_ = std::make_unique<Sender>(storage_.get(), append, &keeper_, &events_);
  }
  void Push(int number) {
    std::shared_ptr<EncodedRows> rows = OneRow(number);
    uint64_t ticket = 0;
    ASSERT_TRUE(keeper_.Issue(rows->bytes().size(), &ticket));
    sender_->Push(0, std::move(rows), ticket);
  }

  PositionKeeper keeper_{1 << 20};
  Events events_;
  std::unique_ptr<FakeStorageWrite> fake_;
  std::unique_ptr<StorageWrite> storage_;
  std::unique_ptr<Sender> sender_;
};

Fault TryAgain() {
  return {Kind::kInBand, {grpc::StatusCode::ABORTED, "try again"}, std::nullopt, {}};
}

TEST_F(SenderTest, ALaneOpenedAnewAnswersForWhatItWasSentBefore) {
  Begin([](int request) { return request < 5 ? TryAgain() : Fault{}; });
  sender_->Open(0, kDefault, Descriptor());
  Push(1);
  Push(2);
  sender_->Open(0, kDefault, Descriptor());
  Push(3);
  EXPECT_TRUE(keeper_.WaitForAll(absl::Seconds(20)));
  EXPECT_EQ(keeper_.held_bytes(), 0u);
  // Changes carry their own order.
  const std::vector<std::string> rows = fake_->Rows(kDefault);
  EXPECT_THAT(rows, testing::UnorderedElementsAre("row1", "row2", "row3"));
  EXPECT_EQ(rows.back(), "row3");
  sender_.reset();
  EXPECT_TRUE(events_.lane.ok() && events_.sender.ok());
}

TEST_F(SenderTest, AConnectionOfALanesOwnThatStallsIsNoticed) {
  Begin([](int request) { return request == 1 ? Fault{Kind::kStall, {}, std::nullopt, {}} : Fault{}; },
        absl::Milliseconds(300));
  sender_->Open(0, std::string(kOwn), Descriptor());
  for (int i = 1; i <= 3; ++i) Push(i);
  EXPECT_TRUE(keeper_.WaitForAll(absl::Seconds(20)));
  EXPECT_EQ(fake_->Rows(std::string(kOwn)), (std::vector<std::string>{"row1", "row2", "row3"}));
  sender_.reset();
  EXPECT_TRUE(events_.lane.ok() && events_.sender.ok());
}

TEST_F(SenderTest, AFailedLaneIsAnsweredForOnceItIsToldOf) {
  Begin([](int request) {
    Fault fault{Kind::kInBand, {grpc::StatusCode::INVALID_ARGUMENT, "no"}, std::nullopt, {}};
    return request == 1 ? fault : Fault{};
  });
  sender_->Open(0, kDefault, Descriptor());
  for (int i = 1; i <= 3; ++i) Push(i);
  EXPECT_TRUE(keeper_.WaitForAll(absl::Seconds(20)));
  EXPECT_EQ(events_.lane.code(), absl::StatusCode::kInvalidArgument);
  sender_->Open(0, kDefault, Descriptor());
  Push(4);
  EXPECT_TRUE(keeper_.WaitForAll(absl::Seconds(20)));
  sender_.reset();
  EXPECT_EQ(fake_->Rows(kDefault).back(), "row4");
  EXPECT_TRUE(events_.sender.ok());
}

}  // namespace
}  // namespace hakobu
