// What is read as Arrow can be written as Arrow, and is the same again.
#include "localbq/storage_api/storage_api_fixture.h"

namespace hakobu::localbq {
namespace {

using testing::HasSubstr;

class ReadSessionsTest : public StorageApiFixture {
 protected:
  void SetUp() override {
    StorageApiFixture::SetUp();
    Column record = MakeColumn("r", Type::kRecord);
    record.fields = {MakeColumn("a", Type::kInt64), MakeColumn("b", Type::kString, Mode::kRepeated)};
    schema_ = {MakeColumn("i", Type::kInt64),
               MakeColumn("s", Type::kString),
               MakeColumn("f", Type::kFloat64),
               MakeColumn("b", Type::kBool),
               MakeColumn("y", Type::kBytes),
               MakeColumn("n", Type::kNumeric),
               MakeColumn("bn", Type::kBigNumeric),
               MakeColumn("d", Type::kDate),
               MakeColumn("dt", Type::kDateTime),
               MakeColumn("t", Type::kTime),
               MakeColumn("ts", Type::kTimestamp),
               MakeColumn("j", Type::kJson),
               MakeColumn("l", Type::kInt64, Mode::kRepeated),
               record};
    CreateTable("t", schema_);
    Run("INSERT INTO \"p:d\".t SELECT i, CASE WHEN i % 3 <> 0 THEN 'text ' || i END, i / 7, i % 2 = 0, "
        "encode('bytes ' || i), i / 8 - 100, (CASE WHEN i % 2 = 0 THEN '-' ELSE '' END || i || repeat('9', "
        "40))::BIGNUM, "
        "DATE '2024-02-29' + i::INT, TIMESTAMP '1900-01-01 00:00:00.000001' + to_days(i::INT), TIME "
        "'12:34:56.789', "
        "TIMESTAMPTZ '1969-12-31 23:59:59+00' + to_days(i::INT), '{\"k\":' || i || '}', "
        "CASE WHEN i % 5 = 0 THEN [] ELSE [i, NULL::BIGINT, i + 1] END[1:1], "
        "CASE WHEN i % 4 <> 0 THEN {'a': i, 'b': ['x', 'y' || i]} END FROM range(5000) r(i)");
  }
  v1::ReadSession Session(const std::string& table, v1::DataFormat format, int streams = 1,
                          const std::vector<std::string>& fields = {}, const std::string& filter = "") {
    grpc::ClientContext context;
    v1::CreateReadSessionRequest request;
    request.set_parent("projects/p");
    request.mutable_read_session()->set_table(Parent(table));
    request.mutable_read_session()->set_data_format(format);
    for (const auto& field : fields)
      request.mutable_read_session()->mutable_read_options()->add_selected_fields(field);
    request.mutable_read_session()->mutable_read_options()->set_row_restriction(filter);
    request.set_max_stream_count(streams);
    request.set_preferred_min_stream_count(streams);
    v1::ReadSession session;
    const auto status = read_->CreateReadSession(&context, request, &session);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return session;
  }
  std::vector<v1::ReadRowsResponse> Read(const std::string& stream, int64_t offset = 0) {
    grpc::ClientContext context;
    v1::ReadRowsRequest request;
    request.set_read_stream(stream);
    request.set_offset(offset);
    auto reader = read_->ReadRows(&context, request);
    std::vector<v1::ReadRowsResponse> responses(1);
    while (reader->Read(&responses.back())) responses.emplace_back();
    responses.pop_back();
    const auto status = reader->Finish();
    EXPECT_TRUE(status.ok()) << status.error_message();
    return responses;
  }
  static int64_t Count(const std::vector<v1::ReadRowsResponse>& responses) {
    int64_t rows = 0;
    for (const auto& response : responses) rows += response.row_count();
    return rows;
  }
  Schema schema_;
};

TEST_F(ReadSessionsTest, ArrowGoesBothWays) {
  CreateTable("copy", schema_);
  const auto session = Session("t", v1::ARROW, 3);
  ASSERT_EQ(session.streams_size(), 3);
  AppendClient client(write_.get());
  for (const auto& stream : session.streams()) {
    for (const auto& batch : Read(stream.name())) {
      v1::AppendRowsRequest request;
      request.set_write_stream(Parent("copy") + "/streams/_default");
      request.mutable_arrow_rows()->mutable_writer_schema()->set_serialized_schema(
          session.arrow_schema().serialized_schema());
      request.mutable_arrow_rows()->mutable_rows()->set_serialized_record_batch(
          batch.arrow_record_batch().serialized_record_batch());
      const auto response = client.Send(request);
      ASSERT_TRUE(response.has_append_result()) << response.DebugString().substr(0, 2000);
    }
  }
  EXPECT_EQ(Text("SELECT count(*)::VARCHAR FROM \"p:d\".copy"), "5000");
  EXPECT_EQ(Text("SELECT coalesce(min(whole::VARCHAR), 'same') FROM (FROM \"p:d\".t EXCEPT FROM "
                 "\"p:d\".copy) whole"),
            "same");
}

TEST_F(ReadSessionsTest, ResumesAtAnOffsetOfItsSnapshot) {
  const auto session = Session("t", v1::ARROW);
  Run("DELETE FROM \"p:d\".t");
  EXPECT_EQ(Count(Read(session.streams(0).name())), 5000);
  EXPECT_EQ(Count(Read(session.streams(0).name(), 4321)), 679);
  EXPECT_EQ(Session("t", v1::ARROW).streams_size(), 0);
}

TEST_F(ReadSessionsTest, SelectsFieldsAndRows) {
  const auto session = Session("t", v1::AVRO, 1, {"i", "r.b"}, "i < 10 AND s IS NOT NULL");
  EXPECT_THAT(session.avro_schema().schema(), HasSubstr("\"name\":\"i\""));
  EXPECT_THAT(session.avro_schema().schema(), Not(HasSubstr("\"name\":\"a\"")));
  EXPECT_EQ(Count(Read(session.streams(0).name())), 6);
}

}  // namespace
}  // namespace hakobu::localbq
