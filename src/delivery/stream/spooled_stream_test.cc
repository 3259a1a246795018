#include "delivery/stream/spooled_stream.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <deque>
#include <filesystem>

#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"

namespace hakobu {
namespace {

std::string Event(uint32_t number, size_t body) {
  std::string event(19, '\0');
  event[4] = 29;
  const auto put = [&](size_t at, uint64_t value) {
    for (size_t i = 0; i < 4; ++i) event[at + i] = static_cast<char>(value >> (8 * i));
  };
  put(0, number);
  put(9, 19 + body);
  return event + std::string(body, static_cast<char>('a' + number % 26));
}

// Gives `events` as fast as they are taken, then `end`.
class FakeStream : public LogStream {
 public:
  FakeStream(uint32_t events, absl::Status end, std::atomic<uint32_t>* given)
      : events_(events), end_(std::move(end)), given_(given) {}
  absl::StatusOr<std::optional<std::string_view>> Next(absl::Duration timeout) override {
    if (interrupted_) return absl::CancelledError("stopped on request");
    if (*given_ == events_) {
      if (!end_.ok()) return end_;
      waited_at_ = absl::Now();
      absl::SleepFor(std::min(timeout, absl::Milliseconds(5)));
      return std::optional<std::string_view>();
    }
    event_ = Event((*given_)++, 1000);
    return std::optional<std::string_view>(event_);
  }
  bool at_end() const override { return false; }
  void Interrupt() override { interrupted_ = true; }
  ServerFlavor flavor() const override { return ServerFlavor::kMySql; }
  uint32_t server_id() const override { return 7; }
  const std::string& replica_uuid() const override { return uuid_; }
  uint64_t bytes_read() const override { return uint64_t{*given_} * 1019; }
  absl::Time last_heard() const override { return absl::UnixEpoch(); }
  absl::Time waited_at() const override { return waited_at_; }

 private:
  uint32_t events_;
  absl::Status end_;
  std::atomic<uint32_t>* given_;
  std::atomic<bool> interrupted_{false};
  absl::Time waited_at_ = absl::InfinitePast();
  std::string event_, uuid_ = "uuid";
};

class SpooledStreamTest : public ::testing::Test {
 protected:
  SpooledStreamTest() {
    char folder[] = "/tmp/hakobu-spooled-XXXXXX";
    folder_ = mkdtemp(folder);
    auto spool = OpenEmptySpool(folder_ + "/spool", 4 << 20);
    EXPECT_TRUE(spool.ok()) << spool.status();
    spool_ = *std::move(spool);
  }
  ~SpooledStreamTest() override {
    spool_.reset();
    std::filesystem::remove_all(folder_);
  }
  std::unique_ptr<LogStream> Read(uint32_t events, absl::Status end) {
    given_ = 0;
    auto stream =
        ReadThroughSpool(std::make_unique<FakeStream>(events, std::move(end), &given_), spool_.get());
    EXPECT_TRUE(stream.ok()) << stream.status();
    return *std::move(stream);
  }
  void WaitUntilGiven(uint32_t events) {
    for (int i = 0; i < 2000 && given_ < events; ++i) absl::SleepFor(absl::Milliseconds(5));
    EXPECT_GE(given_, events);
  }

  std::string folder_;
  std::unique_ptr<Spool> spool_;
  std::atomic<uint32_t> given_{0};
};

TEST_F(SpooledStreamTest, TheSourceIsReadThoughNobodyTakesAndTheErrorComesLast) {
  const auto stream = Read(1500, absl::UnavailableError("lost"));
  WaitUntilGiven(1500);
  for (uint32_t i = 0; i < 1500; ++i) {
    const auto event = stream->Next(absl::Seconds(5));
    ASSERT_TRUE(event.ok() && *event) << i << " " << event.status();
    ASSERT_EQ(**event, Event(i, 1000)) << i;
  }
  EXPECT_TRUE(absl::IsUnavailable(stream->Next(absl::Seconds(5)).status()));
}

TEST_F(SpooledStreamTest, AFullSpoolIsWaitedForAndNothingIsLost) {
  // Larger than the spool even when compressed: the reader sets the pace.
  const uint32_t kEvents = 30'000;
  const auto stream = Read(kEvents, absl::OkStatus());
  for (uint32_t i = 0; i < kEvents; ++i) {
    const auto event = stream->Next(absl::Seconds(10));
    ASSERT_TRUE(event.ok() && *event) << i << " " << event.status();
    ASSERT_EQ((**event).substr(0, 19), Event(i, 1000).substr(0, 19));
  }
  EXPECT_LE(spool_->disk_bytes(), 4u << 20);
}

TEST_F(SpooledStreamTest, WhatLiesInTheSpoolProvesNothingOfNow) {
  const auto stream = Read(300, absl::OkStatus());
  WaitUntilGiven(300);
  absl::SleepFor(absl::Milliseconds(50));
  for (int i = 0; i < 300; ++i) {
    ASSERT_TRUE((*stream->Next(absl::Seconds(5))).has_value());
    EXPECT_EQ(stream->waited_at(), absl::InfinitePast());
  }
  const absl::Time before = absl::Now();
  absl::SleepFor(absl::Milliseconds(400));
  EXPECT_FALSE((*stream->Next(absl::Milliseconds(10))).has_value());
  EXPECT_GE(stream->waited_at(), before);
}

TEST_F(SpooledStreamTest, AStopIsSeenAtOnce) {
  const auto stream = Read(10, absl::OkStatus());
  WaitUntilGiven(10);
  stream->Interrupt();
  EXPECT_TRUE(absl::IsCancelled(stream->Next(absl::Seconds(60)).status()));
}

TEST_F(SpooledStreamTest, LeftoversAndDamageOfAnEarlierProcessAreThrownAway) {
  ASSERT_TRUE(spool_->Append(Event(1, 1000), absl::ZeroDuration()).ok());
  ASSERT_TRUE(spool_->Sync().ok());
  spool_.reset();
  for (const auto& entry : std::filesystem::directory_iterator(folder_ + "/spool")) {
    if (entry.path().extension() == ".spool") std::filesystem::resize_file(entry.path(), 11);
  }
  auto again = OpenEmptySpool(folder_ + "/spool", 4 << 20);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE((*again)->empty());
}

}  // namespace
}  // namespace hakobu
