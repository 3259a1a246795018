// The destination against the local BigQuery's Storage Write API, over a socket: two readings of one
// contract. The rows are counted and summed by SQL in the warehouse, not by either of them.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "absl/random/random.h"
#include "destination/destination.h"
#include "destination/write_stream.h"
#include "google/protobuf/descriptor.pb.h"
#include "localbq/catalog/catalog.h"
#include "localbq/catalog/warehouse.h"
#include "localbq/storage_api/storage_api.h"

namespace hakobu {
namespace {

using google::protobuf::FieldDescriptorProto;

class StorageWriteContract : public testing::Test {
 protected:
  void SetUp() override {
    absl::BitGen random;
    folder_ = std::filesystem::temp_directory_path() /
              fmt::format("hakobu-storage-write-{}", absl::Uniform<uint64_t>(random));
    warehouse_ = *localbq::Warehouse::Open(folder_);
    catalog_ = *localbq::Catalog::Open(warehouse_.get());
    localbq::Dataset dataset;
    dataset.id = {"p", "d"};
    ASSERT_TRUE(catalog_->CreateDataset(dataset).ok());
    MakeTable("t");
    StartApi();
    StorageWriteOptions options;
    options.endpoint = Endpoint::Local(0, port_);
    options.retry.first_delay = absl::Milliseconds(20);
    options.retry.longest_delay = absl::Milliseconds(500);
    service_ = std::make_unique<StorageWrite>(options);
  }
  void TearDown() override {
    service_ = nullptr;
    api_ = nullptr;
    catalog_ = nullptr;
    warehouse_ = nullptr;
    std::filesystem::remove_all(folder_);
  }
  void MakeTable(const std::string& name) {
    localbq::Table table;
    table.id = {"p", "d", name};
    localbq::Column id, text;
    id.name = "id";
    id.type = localbq::Type::kInt64;
    id.mode = localbq::Mode::kRequired;
    text.name = "name";
    text.type = localbq::Type::kString;
    table.schema = {id, text};
    const auto made = catalog_->CreateTable(table);
    ASSERT_TRUE(made.ok()) << made.status();
  }
  void StartApi() {
    localbq::StorageApiOptions options;
    options.port = port_;
    auto api = localbq::StorageApi::Start(catalog_.get(), options);
    ASSERT_TRUE(api.ok()) << api.status();
    api_ = *std::move(api);
    port_ = api_->port();
  }
  std::string Sql(const std::string& sql) {
    auto connection = *warehouse_->Connect();
    auto result = connection->Query(sql);
    EXPECT_TRUE(result.ok()) << result.status();
    return result.ok() ? result->FirstText().value_or("NULL") : "";
  }
  // "rows / distinct ids / sum of ids"
  std::string Summary(const std::string& table = "t") {
    return Sql(
        fmt::format("SELECT count(*) || ' / ' || count(DISTINCT id) || ' / ' || coalesce(sum(id), 0) "
                    "FROM \"p:d\".\"{}\"",
                    table));
  }
  static std::string SummaryOf(int64_t rows) {
    return fmt::format("{0} / {0} / {1}", rows, rows * (rows - 1) / 2);
  }

  static std::string Descriptor() {
    google::protobuf::DescriptorProto message;
    message.set_name("Row");
    for (const auto& [number, name, type] : {std::tuple(1, "id", FieldDescriptorProto::TYPE_INT64),
                                             std::tuple(2, "name", FieldDescriptorProto::TYPE_STRING)}) {
      auto* field = message.add_field();
      field->set_number(number);
      field->set_name(name);
      field->set_type(type);
      field->set_label(FieldDescriptorProto::LABEL_OPTIONAL);
    }
    return message.SerializeAsString();
  }
  static RowBytes Rows(int64_t first, int count, std::string_view name = "name of a member, 日本語") {
    std::string bytes;
    auto varint = [](std::string& out, uint64_t value) {
      for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
      out += static_cast<char>(value);
    };
    for (int i = 0; i < count; ++i) {
      std::string row = "\x08";
      varint(row, static_cast<uint64_t>(first + i));
      row += "\x12";
      varint(row, name.size());
      row += name;
      bytes += "\x0a";
      varint(bytes, row.size());
      bytes += row;
    }
    return OwnedRows(std::move(bytes), static_cast<uint64_t>(count));
  }
  std::string NewStream(StreamType type) {
    const auto stream = service_->CreateStream(kTable, type);
    EXPECT_TRUE(stream.ok()) << stream.status();
    return stream.ok() ? stream->name : "";
  }

  const TableName kTable = {"p", "d", "t"};
  std::string folder_;
  int port_ = 0;
  std::unique_ptr<localbq::Warehouse> warehouse_;
  std::unique_ptr<localbq::Catalog> catalog_;
  std::unique_ptr<localbq::StorageApi> api_;
  std::unique_ptr<StorageWrite> service_;
};

TEST_F(StorageWriteContract, PendingStreamsAppearTogetherAndOnce) {
  std::vector<std::string> names;
  for (int s = 0; s < 2; ++s) {
    names.push_back(NewStream(StreamType::kPending));
    WriteStream stream(*service_, {names.back(), Descriptor(), 0});
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(stream.Append(Rows(s * 20'000 + i * 1000, 1000)).ok());
    const absl::Status flushed = stream.Flush();
    ASSERT_TRUE(flushed.ok()) << flushed;
    EXPECT_EQ(stream.AcknowledgedRows(), 20'000u);
    EXPECT_EQ(stream.counters().resent_requests, 0u);
    const auto rows = service_->Finalize(names.back());
    ASSERT_TRUE(rows.ok()) << rows.status();
    EXPECT_EQ(*rows, 20'000);
  }
  EXPECT_EQ(Summary(), SummaryOf(0));
  const absl::Status committed = service_->BatchCommit(kTable, names);
  ASSERT_TRUE(committed.ok()) << committed;
  EXPECT_EQ(Summary(), SummaryOf(40'000));
  // As after a lost answer.
  const absl::Status again = service_->BatchCommit(kTable, names);
  EXPECT_TRUE(again.ok()) << again;
  EXPECT_EQ(Summary(), SummaryOf(40'000));
  EXPECT_TRUE(service_->GetStream(names[0])->committed);
}

TEST_F(StorageWriteContract, CommitOfAnOpenStreamIsRefused) {
  const std::string open = NewStream(StreamType::kPending);
  const absl::Status status = service_->BatchCommit(kTable, {open});
  EXPECT_EQ(StorageCode(status), StorageErrorCode::kInvalidStreamState) << status;
}

TEST_F(StorageWriteContract, SecondWriterContinuesWhereTheFirstStopped) {
  const std::string name = NewStream(StreamType::kCommitted);
  {
    WriteStream first(*service_, {name, Descriptor(), 0});
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(first.Append(Rows(i * 100, 100)).ok());
    ASSERT_TRUE(first.Flush().ok());
  }
  // It does not know that the third append arrived.
  WriteStream second(*service_, {name, Descriptor(), 200});
  ASSERT_TRUE(second.Append(Rows(200, 100)).ok());
  ASSERT_TRUE(second.Append(Rows(300, 100)).ok());
  const absl::Status flushed = second.Flush();
  ASSERT_TRUE(flushed.ok()) << flushed;
  EXPECT_EQ(Summary(), SummaryOf(400));
}

TEST_F(StorageWriteContract, RowsHalfWrittenAreNotTakenForDone) {
  const std::string name = NewStream(StreamType::kCommitted);
  WriteStream first(*service_, {name, Descriptor(), 0});
  ASSERT_TRUE(first.Append(Rows(0, 150)).ok());
  ASSERT_TRUE(first.Flush().ok());
  WriteStream second(*service_, {name, Descriptor(), 100});
  ASSERT_TRUE(second.Append(Rows(100, 100)).ok());
  EXPECT_EQ(second.Flush().code(), absl::StatusCode::kDataLoss);
}

TEST_F(StorageWriteContract, BadRowsAreNamed) {
  const std::string name = NewStream(StreamType::kPending);
  WriteStream stream(*service_, {name, Descriptor(), 0});
  ASSERT_TRUE(stream.Append(Rows(0, 10)).ok());
  std::string bytes(Rows(10, 2).bytes);
  bytes += std::string("\x0a\x03\x12\x01x", 5);  // no id, which is REQUIRED
  ASSERT_TRUE(stream.Append(OwnedRows(bytes, 3)).ok());
  const absl::Status status = stream.Flush();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  const std::vector<RowError> errors = RowErrors(status);
  ASSERT_EQ(errors.size(), 1u) << status;
  EXPECT_EQ(errors[0].row, 12);
  EXPECT_EQ(stream.AcknowledgedRows(), 10u);
}

TEST_F(StorageWriteContract, UnknownColumnsAndTablesAreTyped) {
  google::protobuf::DescriptorProto extra;
  ASSERT_TRUE(extra.ParseFromString(Descriptor()));
  extra.mutable_field(1)->set_name("nobody_knows_it");
  WriteStream stream(*service_, {NewStream(StreamType::kPending), extra.SerializeAsString(), 0});
  (void)stream.Append(Rows(0, 1));
  const absl::Status status = stream.Flush();
  EXPECT_EQ(StorageCode(status), StorageErrorCode::kSchemaMismatchExtraFields) << status;
  EXPECT_TRUE(absl::IsNotFound(
      service_->CreateStream({"p", "d", "none"}, StreamType::kPending, absl::ZeroDuration()).status()));
}

TEST_F(StorageWriteContract, TablesShareAConnection) {
  MakeTable("u");
  AppendConnection connection(*service_, {});
  const auto t = connection.AddTarget({DefaultStream(kTable), Descriptor(), 0});
  const auto u = connection.AddTarget({DefaultStream({"p", "d", "u"}), Descriptor(), 0});
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(connection.Append(t, Rows(i * 10, 10)).ok());
    ASSERT_TRUE(connection.Append(u, Rows(i * 20, 20)).ok());
  }
  const absl::Status flushed = connection.FlushAll();
  ASSERT_TRUE(flushed.ok()) << flushed;
  EXPECT_EQ(connection.counters().connections, 1u);
  EXPECT_EQ(Summary("t"), SummaryOf(500));
  EXPECT_EQ(Summary("u"), SummaryOf(1000));
}

TEST_F(StorageWriteContract, RestartsOfTheServiceLoseAndRepeatNothing) {
  const std::string name = NewStream(StreamType::kPending);
  std::atomic<bool> done{false};
  std::thread restarts([&] {
    for (int i = 0; i < 3 && !done; ++i) {
      absl::SleepFor(absl::Milliseconds(150));
      api_ = nullptr;
      absl::SleepFor(absl::Milliseconds(50));
      StartApi();
    }
  });
  uint64_t connections = 0;
  {
    WriteStream stream(*service_, {name, Descriptor(), 0});
    for (int i = 0; i < 300; ++i) {
      const absl::Status status = stream.Append(Rows(i * 100, 100));
      ASSERT_TRUE(status.ok()) << status;
      absl::SleepFor(absl::Milliseconds(2));
    }
    const absl::Status flushed = stream.Flush();
    ASSERT_TRUE(flushed.ok()) << flushed;
    connections = stream.counters().connections;
  }
  done = true;
  restarts.join();
  EXPECT_GE(connections, 2u);
  const auto rows = service_->Finalize(name);
  ASSERT_TRUE(rows.ok()) << rows.status();
  EXPECT_EQ(*rows, 30'000);
  ASSERT_TRUE(service_->BatchCommit(kTable, {name}).ok());
  EXPECT_EQ(Summary(), SummaryOf(30'000));
}

}  // namespace
}  // namespace hakobu
