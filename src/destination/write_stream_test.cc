#include "destination/write_stream.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "destination/write_stream_fixture.h"

namespace hakobu {
namespace {

using Kind = Fault::Kind;
using ::testing::HasSubstr;

// Appends `requests` requests of 10 rows and returns how it ended.
absl::Status AppendAll(WriteStream& stream, int requests) {
  for (int i = 0; i < requests; ++i) {
    if (absl::Status status = stream.Append(MakeRows(i * 10, 10)); !status.ok()) return status;
  }
  return stream.Flush();
}

TEST(WriteStream, SendsHeadersOnceAndOffsetsAlways) {
  FakeStorageWrite fake;
  StorageWrite service(Fast(fake));
  WriteStream stream(service, Target());
  ASSERT_TRUE(AppendAll(stream, 3).ok());
  EXPECT_EQ(fake.Rows(std::string(kStream)), ExpectedRows(30));
  EXPECT_EQ(stream.AcknowledgedRows(), 30u);
  const std::vector<SeenRequest> seen = fake.Seen();
  ASSERT_EQ(seen.size(), 3u);
  EXPECT_EQ(seen[0].write_stream, kStream);
  EXPECT_TRUE(seen[0].has_schema);
  EXPECT_THAT(seen[0].trace_id, HasSubstr("hakobu:"));
  EXPECT_EQ(seen[1].write_stream, "");
  EXPECT_FALSE(seen[1].has_schema);
  EXPECT_EQ(seen[2].offset, 20);
  EXPECT_EQ(fake.Routing(), "write_stream=" + std::string(kStream));  // not percent-encoded
}

TEST(WriteStream, TablesOfAnyNameAreRouted) {
  FakeStorageWrite fake;
  StorageWrite service(Fast(fake));
  const std::string name = "projects/p/datasets/d/tables/予約 履歴/streams/s";
  WriteStream stream(service, Target(name));
  ASSERT_TRUE(AppendAll(stream, 1).ok());
  EXPECT_EQ(fake.Rows(name), ExpectedRows(10));
  EXPECT_EQ(fake.Routing(),
            "write_stream=projects/p/datasets/d/tables/%E4%BA%88%E7%B4%84%20%E5%B1%A5%E6%AD%B4/streams/s");
}

TEST(WriteStream, LargeRequestsArriveWhole) {
  FakeStorageWrite fake;
  StorageWrite service(Fast(fake));
  WriteStream stream(service, Target());
  ASSERT_TRUE(stream.Append(MakeRows(0, 19, 1'000'000)).ok());
  ASSERT_TRUE(stream.Flush().ok());
  EXPECT_EQ(fake.Rows(std::string(kStream)), ExpectedRows(19, 1'000'000));
  const absl::Status status = stream.Append(MakeRows(0, 20, 1'000'000));
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
}

TEST(WriteStream, BytesInFlightAreBounded) {
  std::atomic<bool> stall{true};
  FakeStorageWrite fake([&](int) {
    while (stall) absl::SleepFor(absl::Milliseconds(1));
    return Fault{};
  });
  StorageWriteOptions options = Fast(fake);
  Cancellation cancellation;
  options.context.cancellation = &cancellation;
  StorageWrite service(options);
  AppendOptions append;
  append.max_bytes_in_flight = 3000;
  WriteStream stream(service, Target(), append);
  std::atomic<int> taken{0};
  std::thread writer([&] {
    for (int i = 0; i < 10; ++i) {
      if (stream.Append(MakeRows(i * 10, 10, 98)).ok()) ++taken;  // 1,000 bytes each
    }
    EXPECT_TRUE(stream.Flush().ok());
  });
  absl::SleepFor(absl::Milliseconds(300));
  EXPECT_EQ(taken, 3);
  stall = false;
  writer.join();
  EXPECT_EQ(taken, 10);
  EXPECT_EQ(fake.Rows(std::string(kStream)), ExpectedRows(100, 98));
}

TEST(WriteStream, InBandAbortedIsSentAgainFromItsOffset) {
  FakeStorageWrite fake(
      [](int request) { return request == 2 ? InBand(grpc::StatusCode::ABORTED, "try again") : Fault{}; });
  StorageWrite service(Fast(fake));
  WriteStream stream(service, Target());
  ASSERT_TRUE(AppendAll(stream, 8).ok());
  EXPECT_EQ(fake.Rows(std::string(kStream)), ExpectedRows(80));
  EXPECT_EQ(stream.counters().connections, 1u);
  EXPECT_GE(stream.counters().resent_requests, 1u);
}

TEST(WriteStream, EndedCallsReconnectAndSendAgain) {
  FakeStorageWrite fake([](int request) {
    if (request == 1)
      return Fault{Kind::kEndBefore, {grpc::StatusCode::UNAVAILABLE, "gone"}, std::nullopt, {}};
    if (request == 5) {  // written, but the answer is lost: the next try is told ALREADY_EXISTS
      return Fault{Kind::kEndAfter, {grpc::StatusCode::ABORTED, "server is restarted"}, std::nullopt, {}};
    }
    if (request == 9) return Fault{Kind::kEndAfter, grpc::Status::OK, std::nullopt, {}};
    return Fault{};
  });
  StorageWrite service(Fast(fake));
  WriteStream stream(service, Target());
  ASSERT_TRUE(AppendAll(stream, 12).ok());
  EXPECT_EQ(fake.Rows(std::string(kStream)), ExpectedRows(120));
  EXPECT_GE(stream.counters().connections, 3u);
}

TEST(WriteStream, StalledServiceIsNoticed) {
  FakeStorageWrite fake(
      [](int request) { return request == 1 ? Fault{Kind::kStall, {}, std::nullopt, {}} : Fault{}; });
  StorageWrite service(Fast(fake));
  AppendOptions append;
  append.answer_timeout = absl::Milliseconds(300);
  WriteStream stream(service, Target(), append);
  ASSERT_TRUE(AppendAll(stream, 4).ok());
  EXPECT_EQ(fake.Rows(std::string(kStream)), ExpectedRows(40));
}

TEST(WriteStream, RowErrorsAreTypedAndFinal) {
  FakeStorageWrite fake([](int request) {
    Fault fault = InBand(grpc::StatusCode::INVALID_ARGUMENT, "Errors found while processing rows.");
    fault.row_errors = {{3, "value out of range"}, {7, "bad date"}};
    return request == 2 ? fault : Fault{};
  });
  StorageWrite service(Fast(fake));
  WriteStream stream(service, Target());
  const absl::Status status = AppendAll(stream, 5);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  const std::vector<RowError> errors = RowErrors(status);
  ASSERT_EQ(errors.size(), 2u);
  EXPECT_EQ(errors[0].row, 23);
  EXPECT_EQ(errors[1].message, "bad date");
  EXPECT_EQ(stream.AcknowledgedRows(), 20u);
  EXPECT_FALSE(stream.Append(MakeRows(0, 1)).ok());
}

TEST(WriteStream, PermanentErrorsCarryTheStorageCode) {
  FakeStorageWrite fake([](int) {
    Fault fault = InBand(grpc::StatusCode::INVALID_ARGUMENT, "Input schema has more fields");
    fault.storage_code = 7;
    return fault;
  });
  StorageWrite service(Fast(fake));
  WriteStream stream(service, Target());
  const absl::Status status = AppendAll(stream, 1);
  EXPECT_EQ(StorageCode(status), StorageErrorCode::kSchemaMismatchExtraFields);
  EXPECT_EQ(fake.Seen().size(), 1u);
}

TEST(WriteStream, ExtraFieldsPassWithPatience) {
  FakeStorageWrite fake([](int request) {
    Fault fault = InBand(grpc::StatusCode::INVALID_ARGUMENT, "Input schema has more fields");
    fault.storage_code = 7;
    return request < 3 ? fault : Fault{};
  });
  StorageWrite service(Fast(fake));
  AppendOptions append;
  append.schema_patience = absl::Seconds(10);
  WriteStream stream(service, Target(), append);
  EXPECT_TRUE(AppendAll(stream, 1).ok());
}

TEST(WriteStream, ATableJustMadeIsWaitedForByAppends) {
  for (const grpc::StatusCode code : {grpc::StatusCode::PERMISSION_DENIED, grpc::StatusCode::NOT_FOUND}) {
    FakeStorageWrite fake([code](int request) {
      return request < 3 ? InBand(code, "Permission 'TABLES_GET' denied (or it may not exist)") : Fault{};
    });
    StorageWrite service(Knowing(fake, absl::Seconds(5)));
    AppendConnection connection(service, {});
    const auto target = connection.AddTarget(Target(DefaultStream({"p", "d", "t"})));
    ASSERT_TRUE(connection.Append(target, MakeRows(0, 10)).ok());
    while (connection.Parked(target).ok()) ASSERT_TRUE(connection.Poll(absl::Milliseconds(5)).ok());
    EXPECT_TRUE(connection.Flush(target).ok());
    EXPECT_TRUE(connection.Parked(target).ok());
    EXPECT_EQ(fake.Rows(DefaultStream({"p", "d", "t"})), ExpectedRows(10));
  }
}

TEST(WriteStream, ADenialOfAnOldTableFails) {
  FakeStorageWrite fake([](int) { return InBand(grpc::StatusCode::PERMISSION_DENIED, "denied"); });
  StorageWrite service(Knowing(fake, absl::Hours(1)));
  WriteStream stream(service, Target(DefaultStream({"p", "d", "t"})));
  const absl::Status status = AppendAll(stream, 1);
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(std::string(status.message()), HasSubstr("bigquery.tables.updateData"));
}

// Who has written to it before may have lost what was acknowledged; who begins afterwards has not.
TEST(WriteStream, ATableReplacedUnderItsWriterFailsAndOthersWait) {
  for (const char* words : {"Table p:d.t is truncated.", "Table p:d.t is re-created."}) {
    for (const int first : {0, 1}) {
      FakeStorageWrite fake([&](int request) {
        return request >= first && request < 3 ? InBand(grpc::StatusCode::NOT_FOUND, words) : Fault{};
      });
      StorageWrite service(Knowing(fake, absl::Hours(1)));
      AppendConnection connection(service, {});
      const auto target = connection.AddTarget(Target(DefaultStream({"p", "d", "t"})));
      ASSERT_TRUE(connection.Append(target, MakeRows(0, 10)).ok());
      const absl::Status begun = connection.Flush(target);
      EXPECT_TRUE(begun.ok()) << begun;
      const absl::Status next = connection.Append(target, MakeRows(10, 10));
      const absl::Status last = next.ok() ? connection.Flush(target) : next;
      if (first == 0) {
        EXPECT_TRUE(last.ok()) << last;
        continue;
      }
      EXPECT_EQ(last.code(), absl::StatusCode::kFailedPrecondition);
      EXPECT_THAT(std::string(last.message()), HasSubstr("may be lost"));
    }
  }
}

TEST(WriteStream, AParkedTableLeavesTheOthersAlone) {
  const std::string slow = DefaultStream({"p", "d", "slow"}), quick = DefaultStream({"p", "d", "quick"});
  FakeStorageWrite fake([](int request) {
    return request > 0 ? Fault{} : InBand(grpc::StatusCode::INVALID_ARGUMENT, "extra proto fields: new");
  });
  StorageWriteOptions options = Knowing(fake, absl::Hours(1), R"({"schema":{"fields":[]}})");
  options.retry.first_delay = absl::Milliseconds(300);
  options.retry.longest_delay = absl::Milliseconds(300);
  StorageWrite service(options);
  AppendOptions append;
  append.schema_patience = absl::Hours(1);
  AppendConnection connection(service, append);
  const auto to_slow = connection.AddTarget(Target(slow)), to_quick = connection.AddTarget(Target(quick));
  ASSERT_TRUE(connection.Append(to_slow, MakeRows(0, 10)).ok());
  while (connection.Parked(to_slow).ok()) ASSERT_TRUE(connection.Poll(absl::Milliseconds(5)).ok());
  ASSERT_TRUE(connection.Append(to_quick, MakeRows(0, 10)).ok());
  EXPECT_TRUE(connection.Flush(to_quick).ok());
  EXPECT_TRUE(connection.Flush(to_slow).ok());
  EXPECT_EQ(fake.Rows(slow), ExpectedRows(10));
}

// A COMMITTED stream that the service has ended, after `written` requests.
class EndedStream : public ::testing::TestWithParam<int> {};

TEST_P(EndedStream, IsFollowedByANewOneAndNothingComesTwice) {
  const int written = GetParam();
  FakeStorageWrite fake([&](int request) {
    Fault ended = InBand(grpc::StatusCode::INVALID_ARGUMENT, "Stream has been finalized");
    ended.storage_code = static_cast<int>(StorageErrorCode::kStreamFinalized);
    if (request == written) {  // written, and the answer is lost with the call
      Fault lost = ended;
      lost.kind = Kind::kEndAfter;
      lost.error = {grpc::StatusCode::UNAVAILABLE, "connection lost"};
      return lost;
    }
    return request == written + 1 ? ended : Fault{};
  });
  StorageWrite service(Fast(fake));
  std::vector<uint64_t> held;
  AppendTarget target = Target();
  target.next_stream = [&](uint64_t rows) -> absl::StatusOr<std::string> {
    held.push_back(rows);
    return std::string("projects/p/datasets/d/tables/t/streams/next");
  };
  AppendConnection connection(service, {});
  const auto id = connection.AddTarget(target);
  for (int i = 0; i < 6; ++i) {
    ASSERT_TRUE(connection.Append(id, MakeRows(i * 10, 10)).ok());
    ASSERT_TRUE(connection.Flush(id).ok());
  }
  EXPECT_EQ(connection.AcknowledgedRows(id), 60u);
  std::vector<std::string> rows = fake.Rows(std::string(kStream));
  const std::vector<std::string> rest = fake.Rows("projects/p/datasets/d/tables/t/streams/next");
  ASSERT_EQ(held.size(), 1u);
  EXPECT_EQ(held[0], rows.size());
  rows.insert(rows.end(), rest.begin(), rest.end());
  EXPECT_EQ(rows, ExpectedRows(60));
}
INSTANTIATE_TEST_SUITE_P(WriteStream, EndedStream, ::testing::Values(0, 1, 3));

TEST(WriteStream, AStreamThatTheServiceHasForgottenIsFollowedToo) {
  FakeStorageWrite fake([](int request) {
    return request == 1 ? InBand(grpc::StatusCode::NOT_FOUND, "Requested entity was not found.") : Fault{};
  });
  StorageWrite service(Knowing(fake, absl::Hours(1)));
  AppendTarget target = Target();
  target.next_stream = [](uint64_t rows) -> absl::StatusOr<std::string> {
    EXPECT_EQ(rows, 10u);
    return std::string("projects/p/datasets/d/tables/t/streams/next");
  };
  AppendConnection connection(service, {});
  const auto id = connection.AddTarget(target);
  ASSERT_TRUE(connection.Append(id, MakeRows(0, 10)).ok());
  ASSERT_TRUE(connection.Flush(id).ok());
  fake.ForgetStreams();
  ASSERT_TRUE(connection.Append(id, MakeRows(10, 10)).ok());
  ASSERT_TRUE(connection.Flush(id).ok());
  EXPECT_EQ(fake.Rows("projects/p/datasets/d/tables/t/streams/next").size(), 10u);
}

TEST(WriteStream, AnEndedStreamWithoutASuccessorIsAFailure) {
  FakeStorageWrite fake([](int) {
    Fault ended = InBand(grpc::StatusCode::INVALID_ARGUMENT, "Stream has been finalized");
    ended.storage_code = static_cast<int>(StorageErrorCode::kStreamFinalized);
    return ended;
  });
  StorageWrite service(Fast(fake));
  WriteStream stream(service, Target());
  EXPECT_EQ(StorageCode(AppendAll(stream, 1)), StorageErrorCode::kStreamFinalized);
  EXPECT_EQ(fake.Seen().size(), 1u);
}

TEST(WriteStream, RowErrorsUnderACodeThatPassesSayNothing) {
  FakeStorageWrite fake([](int request) {
    Fault fault = InBand(grpc::StatusCode::INTERNAL, "try again");
    fault.row_errors = {{3, "odd"}};
    return request < 2 ? fault : Fault{};
  });
  StorageWrite service(Fast(fake));
  WriteStream stream(service, Target());
  EXPECT_TRUE(AppendAll(stream, 1).ok());
}

TEST(WriteStream, ForgottenRowsAreDataLoss) {
  FakeStorageWrite fake([](int request) {
    return request == 2 ? InBand(grpc::StatusCode::OUT_OF_RANGE,
                                 "The offset is beyond stream, expected offset 10, received 20")
                        : Fault{};
  });
  StorageWrite service(Fast(fake));
  WriteStream stream(service, Target());
  ASSERT_TRUE(AppendAll(stream, 2).ok());
  ASSERT_EQ(stream.AcknowledgedRows(), 20u);
  EXPECT_TRUE(stream.Append(MakeRows(20, 10)).ok());
  EXPECT_EQ(stream.Flush().code(), absl::StatusCode::kDataLoss);
}

TEST(WriteStream, RetriesEndWithTheReasonAndTheTries) {
  FakeStorageWrite fake([](int) { return InBand(grpc::StatusCode::INTERNAL, "the reason"); });
  StorageWriteOptions options = Fast(fake);
  options.retry.max_tries = 4;
  StorageWrite service(options);
  WriteStream stream(service, Target());
  const absl::Status status = AppendAll(stream, 1);
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(status.message()), HasSubstr("after 4 tries"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("the reason"));
}

TEST(WriteStream, CancellationEndsAWait) {
  FakeStorageWrite fake([](int) { return Fault{Kind::kStall, {}, std::nullopt, {}}; });
  Cancellation cancellation;
  StorageWriteOptions options = Fast(fake);
  options.context.cancellation = &cancellation;
  StorageWrite service(options);
  WriteStream stream(service, Target());
  ASSERT_TRUE(stream.Append(MakeRows(0, 1)).ok());
  std::thread other([&] {
    absl::SleepFor(absl::Milliseconds(100));
    cancellation.Cancel();
  });
  EXPECT_EQ(stream.Flush().code(), absl::StatusCode::kCancelled);
  other.join();
}

// Random faults, from a seed that a failure prints: whatever happens, rows arrive once and in order.
TEST(WriteStream, RowsArriveOnceUnderRandomFaults) {
  const uint32_t seed = std::random_device{}();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  for (uint32_t round = 0; round < 20; ++round) {
    std::mt19937 random(seed + round);
    FakeStorageWrite fake([&random](int) {
      switch (random() % 12) {
        case 0:
          return InBand(grpc::StatusCode::UNAVAILABLE, "busy");
        case 1:
          return Fault{Kind::kEndBefore, {grpc::StatusCode::INTERNAL, "x"}, std::nullopt, {}};
        case 2:
          return Fault{Kind::kEndAfter, {grpc::StatusCode::ABORTED, "x"}, std::nullopt, {}};
        default:
          return Fault{};
      }
    });
    StorageWrite service(Fast(fake));
    WriteStream stream(service, Target());
    const absl::Status status = AppendAll(stream, 30);
    ASSERT_TRUE(status.ok()) << status;
    ASSERT_EQ(fake.Rows(std::string(kStream)), ExpectedRows(300));
  }
}

TEST(AppendConnection, DefaultStreamsShareAConnection) {
  FakeStorageWrite fake;
  StorageWrite service(Fast(fake));
  AppendOptions append;
  append.location = "asia-northeast1";
  AppendConnection connection(service, append);
  const TableName a{"p", "d", "a"}, b{"p", "d", "b"};
  const auto to_a = connection.AddTarget({DefaultStream(a), Descriptor("A"), 0});
  const auto to_b = connection.AddTarget({DefaultStream(b), Descriptor("B"), 0});
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(connection.Append(i % 2 == 0 ? to_a : to_b, MakeRows(i / 2 * 10, 10)).ok());
  }
  connection.ChangeDescriptor(to_b, Descriptor("B2"));
  ASSERT_TRUE(connection.Append(to_b, MakeRows(20, 10)).ok());
  ASSERT_TRUE(connection.FlushAll().ok());
  EXPECT_EQ(fake.Rows(DefaultStream(a)), ExpectedRows(20));
  EXPECT_EQ(fake.Rows(DefaultStream(b)), ExpectedRows(30));
  EXPECT_EQ(fake.Routing(), "write_location=projects/p/locations/asia-northeast1");
  const std::vector<SeenRequest> seen = fake.Seen();
  ASSERT_EQ(seen.size(), 5u);
  for (const SeenRequest& request : seen) {
    EXPECT_EQ(request.connection, 0);
    EXPECT_NE(request.write_stream, "");
    EXPECT_TRUE(request.has_schema);
    EXPECT_FALSE(request.offset.has_value());
  }
  EXPECT_EQ(connection.AcknowledgedAppends(to_b), 3u);
}

TEST(AppendConnection, WhatIsOpenedAgainIsWrittenToOverANewCall) {
  FakeStorageWrite fake;
  StorageWrite service(Fast(fake));
  AppendConnection connection(service, {});
  const std::string again = DefaultStream({"p", "d", "again"}), other = DefaultStream({"p", "d", "other"});
  const auto before = connection.AddTarget(Target(again)), to_other = connection.AddTarget(Target(other));
  ASSERT_TRUE(connection.Append(before, MakeRows(0, 10)).ok());
  ASSERT_TRUE(connection.Append(to_other, MakeRows(0, 10)).ok());
  const auto after = connection.AddTarget(Target(again));
  ASSERT_TRUE(connection.Append(after, MakeRows(10, 10)).ok());
  ASSERT_TRUE(connection.Append(to_other, MakeRows(10, 10)).ok());
  ASSERT_TRUE(connection.FlushAll().ok());
  EXPECT_EQ(fake.Rows(again), ExpectedRows(20));
  EXPECT_EQ(fake.Rows(other), ExpectedRows(20));
  std::vector<int> connections;
  for (const SeenRequest& request : fake.Seen()) connections.push_back(request.connection);
  EXPECT_EQ(connections, (std::vector<int>{0, 0, 1, 1}));
}

TEST(AppendConnection, OneTablesErrorLeavesTheOthersAlone) {
  FakeStorageWrite fake(
      [](int request) { return request == 1 ? InBand(grpc::StatusCode::PERMISSION_DENIED, "no") : Fault{}; });
  StorageWrite service(Knowing(fake, absl::Hours(1)));
  AppendConnection connection(service, {});
  const auto to_a = connection.AddTarget(Target(DefaultStream({"p", "d", "a"})));
  const auto to_b = connection.AddTarget(Target(DefaultStream({"p", "d", "b"})));
  ASSERT_TRUE(connection.Append(to_a, MakeRows(0, 10)).ok());
  ASSERT_TRUE(connection.Append(to_b, MakeRows(0, 10)).ok());
  ASSERT_TRUE(connection.Append(to_a, MakeRows(10, 10)).ok());
  EXPECT_TRUE(connection.Flush(to_a).ok());
  EXPECT_EQ(connection.Flush(to_b).code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(fake.Rows(DefaultStream({"p", "d", "a"})), ExpectedRows(20));
}

TEST(StorageWrite, CommitWhoseAnswerWasLostIsASuccess) {
  FakeStorageWrite fake;
  fake.LoseFirstCommit();
  StorageWrite service(Fast(fake));
  EXPECT_TRUE(service.BatchCommit({"p", "d", "t"}, {"s1", "s2"}).ok());
}

TEST(StorageWrite, CommitOfAMixtureIsAnError) {
  FakeStorageWrite fake;
  fake.CommitAlready("s1");
  StorageWrite service(Fast(fake));
  const absl::Status status = service.BatchCommit({"p", "d", "t"}, {"s1", "s2"});
  EXPECT_EQ(StorageCode(status), StorageErrorCode::kStreamAlreadyCommitted);
}

TEST(StorageWrite, TableMadeAMomentAgoIsWaitedFor) {
  FakeStorageWrite fake;
  fake.MissTable(4);
  StorageWrite service(Fast(fake));
  auto stream = service.CreateStream({"p", "d", "t"}, StreamType::kPending, absl::Minutes(5));
  ASSERT_TRUE(stream.ok()) << stream.status();
  fake.MissTable(1000);
  stream = service.CreateStream({"p", "d", "t"}, StreamType::kPending, absl::ZeroDuration());
  EXPECT_EQ(stream.status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace hakobu
