#include "delivery/stream/spool.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <random>
#include <thread>

#include "base/status.h"

namespace hakobu {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

void Put(std::string* out, uint64_t value, size_t bytes) {
  for (size_t i = 0; i < bytes; ++i) out->push_back(static_cast<char>(value >> (8 * i)));
}

// An event of no known type, whose body tells its number; `next` as the log would have it.
std::string Event(uint64_t number, size_t body, uint64_t* offset, uint8_t type = 29) {
  std::string event;
  const size_t size = 19 + 8 + body;
  *offset += size;
  Put(&event, 1'700'000'000, 4);
  Put(&event, type, 1);
  Put(&event, 1, 4);
  Put(&event, size, 4);
  Put(&event, *offset, 4);
  Put(&event, 0, 2);
  Put(&event, number, 8);
  std::minstd_rand random(static_cast<unsigned>(number));
  for (size_t i = 0; i < body; ++i)
    event.push_back(static_cast<char>(random() % (number % 3 == 0 ? 256 : 4)));
  return event;
}

std::string Rotate(const std::string& file, uint64_t position) {
  std::string event;
  Put(&event, 0, 4);
  Put(&event, 4, 1);
  Put(&event, 1, 4);
  Put(&event, 19 + 8 + file.size(), 4);
  Put(&event, 0, 4);
  Put(&event, 0x20, 2);
  Put(&event, position, 8);
  return event + file;
}

std::string FormatDescription() {
  std::string body;
  Put(&body, 4, 2);
  std::string version = "9.7.0";
  version.resize(50);
  body += version;
  Put(&body, 0, 4);
  Put(&body, 19, 1);
  body.append(41, '\0');
  Put(&body, 0, 1);  // no checksums
  Put(&body, 0, 4);
  std::string event;
  Put(&event, 1'700'000'000, 4);
  Put(&event, 15, 1);
  Put(&event, 1, 4);
  Put(&event, 19 + body.size(), 4);
  Put(&event, 0, 4);
  Put(&event, 0, 2);
  return event + body;
}

class SpoolTest : public ::testing::Test {
 protected:
  SpoolTest() {
    char folder[] = "/tmp/hakobu-spool-XXXXXX";
    options_.folder = std::string(mkdtemp(folder)) + "/spool";
    options_.max_bytes = 1 << 20;
    options_.segment_bytes = 64 << 10;
    options_.frame_bytes = 8 << 10;
  }
  ~SpoolTest() override { fs::remove_all(fs::path(options_.folder).parent_path()); }

  std::unique_ptr<Spool> Open() {
    auto spool = Spool::Open(options_);
    EXPECT_TRUE(spool.ok()) << spool.status();
    return spool.ok() ? *std::move(spool) : nullptr;
  }
  // The start of a stream, as a server sends it.
  void Begin(Spool* spool) {
    ASSERT_TRUE(spool->Append(Rotate("binlog.000007", 4), absl::ZeroDuration()).ok());
    ASSERT_TRUE(spool->Append(FormatDescription(), absl::ZeroDuration()).ok());
    offset_ = 4;
  }
  absl::Status Append(Spool* spool, uint64_t number, size_t body = 500) {
    uint64_t offset = offset_;
    const absl::Status appended = spool->Append(Event(number, body, &offset), absl::Milliseconds(50));
    if (appended.ok()) offset_ = offset;
    return appended;
  }
  std::vector<std::string> Files() const {
    std::vector<std::string> files;
    for (const auto& entry : fs::directory_iterator(options_.folder)) {
      if (entry.path().extension() == ".spool") files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    return files;
  }

  SpoolOptions options_;
  uint64_t offset_ = 0;
};

// Events are rows, of masked columns too: the disk has them only as who has the key can read them.
TEST_F(SpoolTest, ASealedSpoolIsReadByItsKeyOnly) {
  uint64_t offset = 4;
  std::string event = Event(0, 0, &offset);
  const std::string secret = "tanaka@example.com";
  event[9] = static_cast<char>(event.size() + secret.size());
  event += secret;
  const auto on_disk = [&] {
    std::string bytes;
    for (const std::string& path : Files()) {
      std::ifstream file(path, std::ios::binary);
      bytes.append(std::istreambuf_iterator<char>(file), {});
    }
    return bytes;
  };
  options_.compression_level = -100;  // leaves short texts as they are
  for (const bool sealed : {false, true}) {
    fs::remove_all(options_.folder);
    if (sealed) options_.sealer = Sealer::Derive("secret", "salt", "spool");
    auto spool = Open();
    Begin(spool.get());
    ASSERT_TRUE(spool->Append(event, absl::ZeroDuration()).ok());
    ASSERT_TRUE(spool->Sync().ok());
    EXPECT_EQ(on_disk().find(secret) == std::string::npos, sealed);
    spool.reset();
    spool = Open();  // the same key
    const auto reader = spool->ReadFrom(3);
    ASSERT_TRUE(reader.ok()) << reader.status();
    EXPECT_EQ((*(*reader)->Next(absl::ZeroDuration()))->bytes, event);
  }
  // Without its key nothing of it is taken for an event: what cannot be read is cut off as a torn end.
  options_.sealer = Sealer::Random();
  EXPECT_TRUE(Open()->empty());
}

TEST_F(SpoolTest, WhatGoesInComesOutInOrder) {
  const auto spool = Open();
  Begin(spool.get());
  std::vector<std::string> events;
  for (uint64_t i = 0; i < 200; ++i) {
    uint64_t offset = offset_;
    events.push_back(Event(i, i * 7 % 3000, &offset));
    ASSERT_TRUE(Append(spool.get(), i, i * 7 % 3000).ok());
  }
  auto reader = spool->ReadFrom(3);
  ASSERT_TRUE(reader.ok()) << reader.status();
  EXPECT_EQ((*reader)->start().file, "binlog.000007");
  EXPECT_EQ((*reader)->start().offset, 4u);
  EXPECT_EQ((*reader)->format_event(), FormatDescription());
  for (uint64_t i = 0; i < 200; ++i) {
    const auto event = (*reader)->Next(absl::ZeroDuration());
    ASSERT_TRUE(event.ok() && *event) << i << " " << event.status();
    EXPECT_EQ((*event)->sequence, i + 3);
    EXPECT_EQ((*event)->bytes.substr(19, 8), std::string_view(events[i]).substr(19, 8));
    EXPECT_EQ((*event)->bytes.size(), events[i].size());
  }
  EXPECT_FALSE((*(*reader)->Next(absl::ZeroDuration())).has_value());
  EXPECT_EQ(spool->end().offset, offset_);
  EXPECT_EQ(spool->end().sequence, 203u);
  EXPECT_GE(Files().size(), 2u);
}

TEST_F(SpoolTest, APlaceInTheSourcesLogIsFoundAgain) {
  auto spool = Open();
  Begin(spool.get());
  std::vector<uint64_t> offsets;
  for (uint64_t i = 0; i < 100; ++i) {
    offsets.push_back(offset_);
    ASSERT_TRUE(Append(spool.get(), i, 2000).ok());
  }
  ASSERT_TRUE(spool->Append(Rotate("binlog.000008", 4), absl::ZeroDuration()).ok());
  offset_ = 4;
  ASSERT_TRUE(Append(spool.get(), 100).ok());
  ASSERT_TRUE(spool->Sync().ok());
  spool.reset();
  spool = Open();
  EXPECT_EQ(spool->end().file, "binlog.000008");
  EXPECT_EQ(spool->end().offset, offset_);
  for (const uint64_t number : {0u, 1u, 57u, 99u}) {
    auto reader = spool->ReadFrom("binlog.000007", offsets[number]);
    ASSERT_TRUE(reader.ok()) << reader.status();
    auto event = (*reader)->Next(absl::ZeroDuration());
    // Before the first event stand the ROTATE and FORMAT_DESCRIPTION of the stream's start.
    while (event.ok() && *event && static_cast<uint8_t>((*event)->bytes[4]) != 29)
      event = (*reader)->Next(absl::ZeroDuration());
    ASSERT_TRUE(event.ok() && *event);
    EXPECT_EQ(static_cast<uint8_t>((*event)->bytes[19]), number);
  }
  auto next_file = spool->ReadFrom("binlog.000008", 4);
  ASSERT_TRUE(next_file.ok());
  EXPECT_EQ(static_cast<uint8_t>((**(*next_file)->Next(absl::ZeroDuration())).bytes[19]), 100);
  auto end = spool->ReadFrom("binlog.000008", offset_);
  ASSERT_TRUE(end.ok());
  EXPECT_FALSE((*(*end)->Next(absl::ZeroDuration())).has_value());
  EXPECT_TRUE(absl::IsNotFound(spool->ReadFrom("binlog.000008", 77).status()));
  EXPECT_TRUE(absl::IsOutOfRange(spool->ReadFrom(5000).status()));
}

TEST_F(SpoolTest, FullBlocksUntilAcknowledged) {
  const auto spool = Open();
  Begin(spool.get());
  uint64_t number = 0;
  absl::Status status;
  while ((status = Append(spool.get(), number * 3, 5000)).ok()) ++number;  // times 3: does not compress
  EXPECT_TRUE(absl::IsDeadlineExceeded(status)) << status;
  EXPECT_LE(spool->disk_bytes(), options_.max_bytes);
  EXPECT_GT(spool->disk_bytes(), options_.max_bytes / 2);
  std::thread acknowledger([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    EXPECT_TRUE(spool->Acknowledge(number / 2).ok());
  });
  uint64_t offset = offset_;
  EXPECT_TRUE(spool->Append(Event(number, 5000, &offset), absl::Seconds(10)).ok());
  acknowledger.join();
  EXPECT_LE(spool->begin().sequence, number / 2);
  EXPECT_GT(spool->begin().sequence, number / 4);
  // All of it, to the last: a spool that is done with has room again.
  EXPECT_TRUE(spool->Acknowledge(spool->end().sequence).ok());
  EXPECT_TRUE(spool->empty());
  EXPECT_LT(spool->disk_bytes(), options_.segment_bytes);
  EXPECT_TRUE(absl::IsResourceExhausted(Append(spool.get(), 1, 700'000)));
}

TEST_F(SpoolTest, AReaderFollowsAWriterAtOnce) {
  const auto spool = Open();
  Begin(spool.get());
  auto reader = spool->ReadFrom(1);
  ASSERT_TRUE(reader.ok());
  constexpr uint64_t kEvents = 3000;
  std::thread writer([&] {
    for (uint64_t i = 0; i < kEvents; ++i) {
      uint64_t offset = offset_;
      ASSERT_TRUE(spool->Append(Event(i, i % 900, &offset), absl::Seconds(20)).ok());
      offset_ = offset;
    }
  });
  for (uint64_t expected = 1; expected <= kEvents + 2;) {
    const auto event = (*reader)->Next(absl::Seconds(20));
    ASSERT_TRUE(event.ok() && *event) << event.status();
    ASSERT_EQ((*event)->sequence, expected++);
    if (expected % 100 == 0) {
      ASSERT_TRUE(spool->Acknowledge(expected).ok());
    }
  }
  writer.join();
  EXPECT_LT(Files().size(), 8u);
}

TEST_F(SpoolTest, ATornEndIsCutOff) {
  auto spool = Open();
  Begin(spool.get());
  for (uint64_t i = 0; i < 60; ++i) ASSERT_TRUE(Append(spool.get(), i * 3, 900).ok());
  ASSERT_TRUE(spool->Sync().ok());
  const uint64_t whole_end = spool->end().sequence;
  spool.reset();
  ASSERT_EQ(Files().size(), 1u);
  const std::string path = Files()[0];
  const uint64_t size = fs::file_size(path);

  // Whatever its length, what is left is a beginning of what was written.
  std::minstd_rand random(7);
  uint64_t before = whole_end;
  for (uint64_t cut = size - 1; cut > 700; cut -= 1 + random() % 4000) {
    fs::resize_file(path, cut);
    spool = Open();
    ASSERT_NE(spool, nullptr);
    EXPECT_LE(spool->end().sequence, before);
    before = spool->end().sequence;
    auto reader = spool->ReadFrom(1);
    uint64_t read = 0;
    for (auto event = (*reader)->Next(absl::ZeroDuration()); event.ok() && *event;
         event = (*reader)->Next(absl::ZeroDuration())) {
      ++read;
    }
    EXPECT_EQ(read + 1, before);
    spool.reset();
  }
}

TEST_F(SpoolTest, ADamagedMiddleIsNeverPassedOver) {
  auto spool = Open();
  Begin(spool.get());
  for (uint64_t i = 0; i < 60; ++i) ASSERT_TRUE(Append(spool.get(), i * 3, 900).ok());
  ASSERT_TRUE(spool->Sync().ok());
  spool.reset();
  const std::string path = Files()[0];
  const uint64_t size = fs::file_size(path);
  std::minstd_rand random(11);
  for (int i = 0; i < 30; ++i) {
    const uint64_t place = random() % (size / 2);
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<long>(place));
    char byte = 0;
    file.get(byte);
    const auto flip = [&](char value) {
      file.seekp(static_cast<long>(place));
      file.put(value);
      file.flush();
    };
    flip(static_cast<char>(byte ^ 0x40));
    const auto opened = Spool::Open(options_);
    EXPECT_TRUE(absl::IsDataLoss(opened.status())) << "byte " << place << ": " << opened.status();
    EXPECT_THAT(std::string(View(opened.status().message())),
                ::testing::ContainsRegex("spool: at [0-9]+: .*hint: "));
    flip(byte);
  }
  EXPECT_NE(Open(), nullptr);
}

TEST_F(SpoolTest, FilesArePrivateAndTheFolderHasOneOwner) {
  const auto spool = Open();
  Begin(spool.get());
  ASSERT_TRUE(spool->Sync().ok());
  struct stat found{};
  ASSERT_EQ(stat(options_.folder.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0700u);
  ASSERT_EQ(stat(Files()[0].c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0600u);
  const auto second = Spool::Open(options_);
  EXPECT_TRUE(absl::IsFailedPrecondition(second.status())) << second.status();
  EXPECT_FALSE(spool->Append("not an event", absl::ZeroDuration()).ok());
  EXPECT_TRUE(spool->Clear().ok());
  EXPECT_TRUE(spool->empty());
  EXPECT_EQ(spool->end().sequence, 3u);
  EXPECT_EQ(spool->end().file, "");
}

// A child appends, syncs and acknowledges, and is killed at any moment: what it had synced is there, whole
// and in order, and nothing else than what it appended.
TEST_F(SpoolTest, AKillLosesNothingThatWasSynced) {
  auto* const synced = static_cast<std::atomic<uint64_t>*>(
      mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  const auto seed = static_cast<unsigned>(std::random_device()());
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::minstd_rand random(seed);
  {
    const auto spool = Open();
    Begin(spool.get());
    ASSERT_TRUE(spool->Sync().ok());
  }
  *synced = 3;
  for (int round = 0; round < 25; ++round) {
    const pid_t child = fork();
    if (child == 0) {
      auto spool = Spool::Open(options_);
      if (!spool.ok()) _exit(3);
      uint64_t offset = (*spool)->end().offset;
      for (uint64_t i = (*spool)->end().sequence;; ++i) {
        if (!(*spool)->Append(Event(i, i * 13 % 2500, &offset), absl::Seconds(5)).ok()) _exit(4);
        if (i % 7 == 0) {
          if (!(*spool)->Sync().ok()) _exit(5);
          *synced = i + 1;
        }
        if (i % 50 == 0 && !(*spool)->Acknowledge(i - 40).ok()) _exit(6);
      }
    }
    usleep(2000 + random() % 60000);
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << WEXITSTATUS(status);
    const auto spool = Open();
    ASSERT_NE(spool, nullptr);
    EXPECT_GE(spool->end().sequence, synced->load());
    auto reader = spool->ReadFrom(spool->begin().sequence);
    ASSERT_TRUE(reader.ok()) << reader.status();
    uint64_t expected = spool->begin().sequence;
    while (true) {
      const auto event = (*reader)->Next(absl::ZeroDuration());
      ASSERT_TRUE(event.ok()) << event.status();
      if (!*event) break;
      ASSERT_EQ((*event)->sequence, expected);
      uint64_t offset = 0;
      if (expected > 2) {
        ASSERT_EQ((*event)->bytes.substr(19),
                  std::string_view(Event(expected, expected * 13 % 2500, &offset)).substr(19));
      }
      ++expected;
    }
    EXPECT_EQ(expected, spool->end().sequence);
  }
  munmap(synced, 4096);
}

}  // namespace
}  // namespace hakobu
