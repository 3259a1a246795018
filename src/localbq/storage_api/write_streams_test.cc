#include "localbq/storage_api/storage_api_fixture.h"

namespace hakobu::localbq {
namespace {

using google::protobuf::FieldDescriptorProto;
using testing::HasSubstr;

class WriteStreamsTest : public StorageApiFixture {
 protected:
  void SetUp() override {
    StorageApiFixture::SetUp();
    CreateTable("t", {MakeColumn("id", Type::kInt64, Mode::kRequired), MakeColumn("name", Type::kString)});
    descriptor_ =
        Descriptor({{"id", FieldDescriptorProto::TYPE_INT64}, {"name", FieldDescriptorProto::TYPE_STRING}});
  }
  static std::string Row(int64_t id, std::string_view name) { return Integer(1, id) + Bytes(2, name); }
  v1::AppendRowsResponse Append(const std::string& stream, std::vector<std::string> rows,
                                int64_t offset = -1) {
    AppendClient client(write_.get());
    auto request = client.Request(stream, descriptor_, rows);
    if (offset >= 0) request.mutable_offset()->set_value(offset);
    return client.Send(request);
  }
  int64_t Finalize(const std::string& stream) {
    grpc::ClientContext context;
    v1::FinalizeWriteStreamRequest request;
    request.set_name(stream);
    v1::FinalizeWriteStreamResponse response;
    const auto status = write_->FinalizeWriteStream(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response.row_count();
  }
  v1::BatchCommitWriteStreamsResponse Commit(const std::vector<std::string>& streams) {
    grpc::ClientContext context;
    v1::BatchCommitWriteStreamsRequest request;
    request.set_parent(Parent("t"));
    for (const std::string& stream : streams) request.add_write_streams(stream);
    v1::BatchCommitWriteStreamsResponse response;
    const auto status = write_->BatchCommitWriteStreams(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }
  google::protobuf::DescriptorProto descriptor_;
};

TEST_F(WriteStreamsTest, PendingRowsAppearAtTheCommitOnly) {
  const std::string stream = CreateStream("t", v1::WriteStream::PENDING).name();
  const auto first = Append(stream, {Row(1, "a"), Row(2, "b")}, 0);
  EXPECT_EQ(first.append_result().offset().value(), 0) << first.DebugString();
  EXPECT_EQ(Append(stream, {Row(3, "c")}, 2).append_result().offset().value(), 2);
  EXPECT_EQ(Rows("t"), "");
  EXPECT_EQ(Finalize(stream), 3);
  EXPECT_TRUE(Commit({stream}).has_commit_time());
  EXPECT_EQ(Rows("t"), "{'id': 1, 'name': a} {'id': 2, 'name': b} {'id': 3, 'name': c}");
  const auto again = Commit({stream});
  ASSERT_EQ(again.stream_errors_size(), 1);
  EXPECT_EQ(again.stream_errors(0).code(), v1::StorageError::STREAM_ALREADY_COMMITTED);
  EXPECT_EQ(again.stream_errors(0).entity(), stream);
}

TEST_F(WriteStreamsTest, OffsetsAreTakenOnce) {
  const std::string stream = CreateStream("t", v1::WriteStream::COMMITTED).name();
  EXPECT_EQ(Append(stream, {Row(1, "a"), Row(2, "b")}, 0).append_result().offset().value(), 0);
  const auto within = Append(stream, {Row(1, "a"), Row(2, "b")}, 0);
  EXPECT_EQ(within.error().code(), grpc::ALREADY_EXISTS);
  EXPECT_THAT(within.error().message(),
              HasSubstr("The offset is within stream, expected offset 2, received 0"));
  v1::StorageError detail;
  ASSERT_TRUE(within.error().details(0).UnpackTo(&detail));
  EXPECT_EQ(detail.code(), v1::StorageError::OFFSET_ALREADY_EXISTS);
  const auto beyond = Append(stream, {Row(9, "z")}, 5);
  EXPECT_EQ(beyond.error().code(), grpc::OUT_OF_RANGE);
  EXPECT_THAT(beyond.error().message(),
              HasSubstr("The offset is beyond stream, expected offset 2, received 5"));
  EXPECT_EQ(Rows("t"), "{'id': 1, 'name': a} {'id': 2, 'name': b}");
}

TEST_F(WriteStreamsTest, StreamsSurviveARestart) {
  const std::string pending = CreateStream("t", v1::WriteStream::PENDING).name();
  const std::string committed = CreateStream("t", v1::WriteStream::COMMITTED).name();
  const std::string buffered = CreateStream("t", v1::WriteStream::BUFFERED).name();
  Append(pending, {Row(1, "pending")}, 0);
  Append(committed, {Row(2, "committed")}, 0);
  Append(buffered, {Row(3, "buffered"), Row(4, "buffered")}, 0);
  Close();
  Open();
  EXPECT_EQ(Append(pending, {Row(5, "pending")}, 1).append_result().offset().value(), 1);
  EXPECT_EQ(Append(committed, {Row(2, "committed")}, 0).error().code(), grpc::ALREADY_EXISTS);
  EXPECT_EQ(Append(buffered, {Row(6, "buffered")}, 2).append_result().offset().value(), 2);
  EXPECT_EQ(Finalize(pending), 2);
  EXPECT_TRUE(Commit({pending}).has_commit_time());
  EXPECT_EQ(Rows("t"), "{'id': 1, 'name': pending} {'id': 2, 'name': committed} {'id': 5, 'name': pending}");
}

TEST_F(WriteStreamsTest, FlushMovesTheCursor) {
  const std::string stream = CreateStream("t", v1::WriteStream::BUFFERED).name();
  Append(stream, {Row(1, "a"), Row(2, "b"), Row(3, "c")}, 0);
  const auto flush = [&](int64_t offset) {
    grpc::ClientContext context;
    v1::FlushRowsRequest request;
    request.set_write_stream(stream);
    request.mutable_offset()->set_value(offset);
    v1::FlushRowsResponse response;
    const auto status = write_->FlushRows(&context, request, &response);
    return status.ok() ? response.offset() : -static_cast<int64_t>(status.error_code());
  };
  EXPECT_EQ(flush(1), 1);
  EXPECT_EQ(Rows("t"), "{'id': 1, 'name': a} {'id': 2, 'name': b}");
  EXPECT_EQ(flush(0), -static_cast<int64_t>(grpc::ALREADY_EXISTS));
  EXPECT_EQ(flush(1), -static_cast<int64_t>(grpc::ALREADY_EXISTS));
  EXPECT_EQ(flush(3), -static_cast<int64_t>(grpc::OUT_OF_RANGE));
  EXPECT_EQ(flush(2), 2);
  EXPECT_EQ(Rows("t"), "{'id': 1, 'name': a} {'id': 2, 'name': b} {'id': 3, 'name': c}");
}

TEST_F(WriteStreamsTest, AnErrorInOneRequestKeepsTheConnection) {
  AppendClient client(write_.get());
  const std::string stream = StorageApiFixture::Parent("t") + "/_default";
  const auto missing = client.Send(client.Request(stream, descriptor_, {Row(1, "a"), Bytes(2, "no id")}));
  EXPECT_EQ(missing.error().code(), grpc::INVALID_ARGUMENT);
  ASSERT_EQ(missing.row_errors_size(), 1);
  EXPECT_EQ(missing.row_errors(0).index(), 1);
  EXPECT_THAT(missing.row_errors(0).message(), HasSubstr("id"));
  const auto extra = client.Send(
      client.Request(stream, Descriptor({{"nowhere", FieldDescriptorProto::TYPE_INT64}}), {Integer(1, 1)}));
  EXPECT_THAT(extra.error().message(), HasSubstr("extra fields: 'nowhere'"));
  v1::StorageError detail;
  ASSERT_EQ(extra.error().details_size(), 1);
  ASSERT_TRUE(extra.error().details(0).UnpackTo(&detail));
  EXPECT_EQ(detail.code(), v1::StorageError::SCHEMA_MISMATCH_EXTRA_FIELDS);
  const auto good = client.Send(client.Request(stream, descriptor_, {Row(1, "a")}));
  EXPECT_TRUE(good.has_append_result()) << good.DebugString();
  EXPECT_FALSE(good.append_result().has_offset());
  EXPECT_TRUE(client.Finish().ok());
  EXPECT_EQ(Rows("t"), "{'id': 1, 'name': a}");
}

TEST_F(WriteStreamsTest, ACommitIsAllOrNothing) {
  const std::string good = CreateStream("t", v1::WriteStream::PENDING).name();
  const std::string open = CreateStream("t", v1::WriteStream::PENDING).name();
  const std::string other = CreateStream("t", v1::WriteStream::COMMITTED).name();
  Append(good, {Row(1, "a")});
  Append(open, {Row(2, "b")});
  Finalize(good);
  const auto refused = Commit({good, open, other, Parent("t") + "/streams/unknown"});
  EXPECT_FALSE(refused.has_commit_time());
  std::vector<int> codes;
  for (const auto& error : refused.stream_errors()) codes.push_back(error.code());
  EXPECT_THAT(codes, testing::UnorderedElementsAre(v1::StorageError::INVALID_STREAM_STATE,
                                                   v1::StorageError::INVALID_STREAM_TYPE,
                                                   v1::StorageError::STREAM_NOT_FOUND));
  EXPECT_EQ(Rows("t"), "");
  Finalize(open);
  EXPECT_TRUE(Commit({good, open}).has_commit_time());
  EXPECT_EQ(Rows("t"), "{'id': 1, 'name': a} {'id': 2, 'name': b}");
  EXPECT_EQ(Append(good, {Row(3, "c")}).error().code(), grpc::INVALID_ARGUMENT);
}

}  // namespace
}  // namespace hakobu::localbq
