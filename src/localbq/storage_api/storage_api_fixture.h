// A local BigQuery's gRPC side in a private folder, and small writers for its tests.
#pragma once

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/random/random.h"
#include "google/cloud/bigquery/storage/v1/storage.grpc.pb.h"
#include "localbq/catalog/catalog.h"
#include "localbq/catalog/warehouse.h"
#include "localbq/storage_api/storage_api.h"

namespace hakobu::localbq {

namespace v1 = google::cloud::bigquery::storage::v1;

class StorageApiFixture : public testing::Test {
 protected:
  void SetUp() override {
    absl::BitGen random;
    folder_ = std::filesystem::temp_directory_path() /
              ("hakobu-storage-api-" + std::to_string(absl::Uniform<uint64_t>(random)));
    Open();
    Dataset dataset;
    dataset.id = {"p", "d"};
    ASSERT_TRUE(catalog_->CreateDataset(dataset).ok());
  }
  void TearDown() override {
    Close();
    std::filesystem::remove_all(folder_);
  }
  void Open() {
    warehouse_ = *Warehouse::Open(folder_);
    catalog_ = *Catalog::Open(warehouse_.get());
    api_ = *StorageApi::Start(catalog_.get(), StorageApiOptions{});
    channel_ =
        grpc::CreateChannel("127.0.0.1:" + std::to_string(api_->port()), grpc::InsecureChannelCredentials());
    write_ = v1::BigQueryWrite::NewStub(channel_);
    read_ = v1::BigQueryRead::NewStub(channel_);
  }
  void Close() {
    write_ = nullptr;
    read_ = nullptr;
    channel_ = nullptr;
    api_ = nullptr;
    catalog_ = nullptr;
    warehouse_ = nullptr;
  }
  void CreateTable(const std::string& name, Schema schema, std::vector<std::string> key = {}) {
    Table table;
    table.id = {"p", "d", name};
    table.schema = std::move(schema);
    table.primary_key = std::move(key);
    const auto created = catalog_->CreateTable(table);
    ASSERT_TRUE(created.ok()) << created.status();
  }
  std::string Parent(const std::string& table) { return "projects/p/datasets/d/tables/" + table; }
  v1::WriteStream CreateStream(const std::string& table, v1::WriteStream::Type type) {
    grpc::ClientContext context;
    v1::CreateWriteStreamRequest request;
    request.set_parent(Parent(table));
    request.mutable_write_stream()->set_type(type);
    v1::WriteStream stream;
    const grpc::Status status = write_->CreateWriteStream(&context, request, &stream);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return stream;
  }
  std::string Text(const std::string& sql) {
    auto connection = *warehouse_->Connect();
    auto result = connection->Query(sql);
    EXPECT_TRUE(result.ok()) << result.status();
    return result.ok() ? result->FirstText().value_or("NULL") : "";
  }
  void Run(const std::string& sql) {
    const absl::Status status = (*warehouse_->Connect())->Run(sql);
    EXPECT_TRUE(status.ok()) << status;
  }
  // The table's rows, one text, in the order of its first column.
  std::string Rows(const std::string& table) {
    return Text("SELECT coalesce(string_agg(t::VARCHAR, ' ' ORDER BY t), '') FROM \"p:d\".\"" + table +
                "\" t");
  }

  // A message with these proto2 optional fields: "name type" with type as in TYPE_INT64 without the prefix.
  static google::protobuf::DescriptorProto Descriptor(
      const std::vector<std::pair<std::string, google::protobuf::FieldDescriptorProto::Type>>& fields) {
    google::protobuf::DescriptorProto message;
    message.set_name("Row");
    for (size_t i = 0; i < fields.size(); ++i) {
      auto* field = message.add_field();
      field->set_name(fields[i].first);
      field->set_number(static_cast<int>(i) + 1);
      field->set_label(google::protobuf::FieldDescriptorProto::LABEL_OPTIONAL);
      field->set_type(fields[i].second);
    }
    return message;
  }
  static void PutVarint(std::string* row, uint64_t value) {
    for (; value >= 0x80; value >>= 7) *row += static_cast<char>(value | 0x80);
    *row += static_cast<char>(value);
  }
  static std::string Integer(int number, int64_t value) {
    std::string row;
    PutVarint(&row, static_cast<uint64_t>(number) << 3);
    PutVarint(&row, static_cast<uint64_t>(value));
    return row;
  }
  static std::string Bytes(int number, std::string_view value) {
    std::string row;
    PutVarint(&row, static_cast<uint64_t>(number) << 3 | 2);
    PutVarint(&row, value.size());
    return row.append(value);
  }

  std::string folder_;
  std::unique_ptr<Warehouse> warehouse_;
  std::unique_ptr<Catalog> catalog_;
  std::unique_ptr<StorageApi> api_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::BigQueryWrite::Stub> write_;
  std::unique_ptr<v1::BigQueryRead::Stub> read_;
};

// One AppendRows connection.
class AppendClient {
 public:
  explicit AppendClient(v1::BigQueryWrite::Stub* stub) : stream_(stub->AppendRows(&context_)) {}
  ~AppendClient() {
    if (!is_finished_) {
      context_.TryCancel();
      v1::AppendRowsResponse response;
      while (stream_->Read(&response)) {
      }
      (void)stream_->Finish();
    }
  }
  v1::AppendRowsRequest Request(const std::string& name, const google::protobuf::DescriptorProto& descriptor,
                                const std::vector<std::string>& rows) {
    v1::AppendRowsRequest request;
    request.set_write_stream(name);
    *request.mutable_proto_rows()->mutable_writer_schema()->mutable_proto_descriptor() = descriptor;
    for (const std::string& row : rows)
      request.mutable_proto_rows()->mutable_rows()->add_serialized_rows(row);
    return request;
  }
  void Write(const v1::AppendRowsRequest& request) { EXPECT_TRUE(stream_->Write(request)); }
  bool Read(v1::AppendRowsResponse* response) { return stream_->Read(response); }
  v1::AppendRowsResponse Send(const v1::AppendRowsRequest& request) {
    v1::AppendRowsResponse response;
    EXPECT_TRUE(stream_->Write(request));
    EXPECT_TRUE(stream_->Read(&response));
    return response;
  }
  grpc::Status Finish() {
    is_finished_ = true;
    stream_->WritesDone();
    v1::AppendRowsResponse response;
    while (stream_->Read(&response)) {
    }
    return stream_->Finish();
  }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::AppendRowsRequest, v1::AppendRowsResponse>> stream_;
  bool is_finished_ = false;
};

inline Column MakeColumn(std::string name, Type type, Mode mode = Mode::kNullable) {
  Column column;
  column.name = std::move(name);
  column.type = type;
  column.mode = mode;
  return column;
}

}  // namespace hakobu::localbq
