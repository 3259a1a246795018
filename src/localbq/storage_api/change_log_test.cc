#include "localbq/storage_api/change_log.h"

#include <map>
#include <optional>
#include <random>

#include "localbq/storage_api/storage_api_fixture.h"

namespace hakobu::localbq {
namespace {

using google::protobuf::FieldDescriptorProto;
using testing::HasSubstr;

class ChangeLogTest : public StorageApiFixture {
 protected:
  void SetUp() override {
    StorageApiFixture::SetUp();
    CreateTable("t", {MakeColumn("id", Type::kInt64), MakeColumn("name", Type::kString)}, {"id"});
    descriptor_ = Descriptor({{"id", FieldDescriptorProto::TYPE_INT64},
                              {"name", FieldDescriptorProto::TYPE_STRING},
                              {"_change_type", FieldDescriptorProto::TYPE_STRING},
                              {"_CHANGE_SEQUENCE_NUMBER", FieldDescriptorProto::TYPE_STRING}});
    stream_ = Parent("t") + "/streams/_default";
  }
  static std::string Upsert(int64_t id, std::string_view name, std::string_view sequence) {
    return Integer(1, id) + Bytes(2, name) + Bytes(3, "UPSERT") + Bytes(4, sequence);
  }
  static std::string Delete(int64_t id, std::string_view sequence) {
    return Integer(1, id) + Bytes(3, "DELETE") + Bytes(4, sequence);
  }
  v1::AppendRowsResponse Send(const std::vector<std::string>& rows) {
    AppendClient client(write_.get());
    return client.Send(client.Request(stream_, descriptor_, rows));
  }
  void Change(const std::vector<std::string>& rows) {
    const auto response = Send(rows);
    EXPECT_TRUE(response.has_append_result()) << response.DebugString();
  }
  std::string Merged() {
    const absl::Status status = api_->changes().PrepareRead(**catalog_->GetTable({"p", "d", "t"}));
    EXPECT_TRUE(status.ok()) << status;
    return Rows("t");
  }
  google::protobuf::DescriptorProto descriptor_;
  std::string stream_;
};

TEST_F(ChangeLogTest, TheLargerSequenceNumberWinsInWhateverOrder) {
  Change({Upsert(1, "new", "A/1"), Upsert(1, "old", "9/FFFFFFFF"), Upsert(2, "b", "1")});
  EXPECT_EQ(Merged(), "{'id': 1, 'name': new} {'id': 2, 'name': b}");
  Change({Upsert(1, "older", "a/0"), Upsert(2, "tie", "1")});
  EXPECT_EQ(Merged(), "{'id': 1, 'name': new} {'id': 2, 'name': tie}");
  Change({Upsert(1, "newest", "B"), Upsert(1, "not", "a/ffff")});
  EXPECT_EQ(Merged(), "{'id': 1, 'name': newest} {'id': 2, 'name': tie}");
}

TEST_F(ChangeLogTest, DeletesAreRemembered) {
  Change({Delete(1, "5")});
  EXPECT_EQ(Merged(), "");
  Change({Upsert(1, "late", "4")});
  EXPECT_EQ(Merged(), "");
  Close();
  Open();
  Change({Upsert(1, "later still", "3"), Upsert(2, "b", "1")});
  EXPECT_EQ(Merged(), "{'id': 2, 'name': b}");
  Change({Upsert(1, "back", "6")});
  EXPECT_EQ(Merged(), "{'id': 1, 'name': back} {'id': 2, 'name': b}");
}

TEST_F(ChangeLogTest, WhatWasAcknowledgedSurvivesARestart) {
  Change({Upsert(1, "a", "1"), Upsert(2, "b", "1")});
  Close();
  Open();
  Change({Delete(2, "2")});
  EXPECT_EQ(Merged(), "{'id': 1, 'name': a}");
}

TEST_F(ChangeLogTest, RefusesInGooglesWords) {
  EXPECT_THAT(Send({Integer(1, 1) + Bytes(3, "INSERT")}).row_errors(0).message(),
              HasSubstr("The given value is not a valid CHANGE_TYPE"));
  EXPECT_THAT(Send({Upsert(1, "a", "XYZ")}).row_errors(0).message(), HasSubstr("CHANGE_SEQUENCE_NUMBER"));
  EXPECT_THAT(Send({Bytes(3, "DELETE")}).row_errors(0).message(), HasSubstr("primary key"));
  CreateTable("keyless", {MakeColumn("id", Type::kInt64), MakeColumn("name", Type::kString)});
  AppendClient client(write_.get());
  const auto keyless = client.Send(
      client.Request(Parent("keyless") + "/streams/_default", descriptor_, {Upsert(1, "a", "1")}));
  EXPECT_THAT(keyless.error().message(),
              HasSubstr("The given value is not a valid CHANGE_TYPE in insert mode: UPSERT"));
  AppendClient mixed(write_.get());
  EXPECT_TRUE(mixed.Send(mixed.Request(stream_, descriptor_, {Upsert(1, "a", "1")})).has_append_result());
  const auto insert = mixed.Send(
      mixed.Request(stream_, Descriptor({{"id", FieldDescriptorProto::TYPE_INT64}}), {Integer(1, 2)}));
  EXPECT_THAT(insert.error().message(), HasSubstr("not a valid CHANGE_TYPE"));
}

TEST_F(ChangeLogTest, AgreesWithAModelUnderRandomChanges) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  std::map<int64_t, std::pair<uint64_t, std::optional<std::string>>> model;  // key -> sequence, value
  for (int batch = 0; batch < 20; ++batch) {
    std::vector<std::string> rows;
    for (int i = 0; i < 200; ++i) {
      const int64_t id = static_cast<int64_t>(random() % 60);
      const uint64_t sequence = random() % 500;
      const std::string name = "v" + std::to_string(random() % 100000);
      const bool is_delete = random() % 4 == 0;
      char text[17];
      std::snprintf(text, sizeof text, "%lx", static_cast<unsigned long>(sequence));
      rows.push_back(is_delete ? Delete(id, text) : Upsert(id, name, text));
      const auto known = model.find(id);
      if (known != model.end() && known->second.first > sequence) continue;
      model[id] = {sequence, is_delete ? std::nullopt : std::optional(name)};
    }
    Change(rows);
    if (batch % 7 != 6) continue;
    std::string expected;
    for (const auto& [id, value] : model) {
      if (!value.second) continue;
      expected += (expected.empty() ? "" : " ");
      expected += "{'id': " + std::to_string(id) + ", 'name': " + *value.second + "}";
    }
    ASSERT_EQ(Merged(), expected);
  }
}

}  // namespace
}  // namespace hakobu::localbq
