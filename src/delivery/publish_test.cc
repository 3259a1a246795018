// A table's publication, against a BigQuery in this process that says what is wanted of it.
#include "delivery/publish.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "base/status.h"
#include "delivery/publish_jobs.h"
#include "destination/fake_http.h"

namespace hakobu {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Tables with their rows counted, jobs that are done as soon as they are inserted.
class FakeBigQuery {
 public:
  FakeBigQuery()
      : http_([this](int, const SeenHttp& request, httplib::Response& response) {
          Answer(request, response);
        }) {}
  std::string url() const { return http_.url(); }

  std::map<std::string, json> tables;    // by name
  std::map<std::string, uint64_t> rows;  // what a query counts
  json row_policies = json::array();
  json bindings = json::array();
  bool may_list_policies = true;
  std::string job_fails_with;        // an errorResult's reason, for the next job that publishes
  int insert_status = 0;             // an HTTP answer to the next such job
  std::map<std::string, json> jobs;  // by id
  std::vector<std::string> order;    // ids of jobs that publish
  std::vector<std::string> deleted;  // tables
  std::vector<std::string> counted;  // SQL

  std::vector<std::string> Kinds() const {
    std::vector<std::string> kinds;
    for (const std::string& id : order) kinds.push_back(Kind(jobs.at(id)["configuration"]));
    return kinds;
  }

 private:
  static std::string Kind(const json& configuration) {
    if (configuration.contains("copy")) return "copy " + configuration["copy"].value("writeDisposition", "");
    const json& query = configuration["query"];
    if (query.value("query", "").starts_with("MERGE")) return "merge";
    return "query " + query.value("writeDisposition", "");
  }
  static std::string Last(const std::string& path) { return path.substr(path.rfind('/') + 1); }

  void Answer(const SeenHttp& request, httplib::Response& response) {
    const std::string path = request.target.substr(0, request.target.find('?'));
    if (path.ends_with("/rowAccessPolicies")) {
      if (!may_list_policies) return Error(response, 403, "accessDenied", "Access Denied");
      return Json(response, 200, json{{"rowAccessPolicies", row_policies}}.dump());
    }
    if (path.ends_with(":getIamPolicy")) return Json(response, 200, json{{"bindings", bindings}}.dump());
    if (path.ends_with("/jobs")) return Insert(json::parse(request.body), response);
    if (path.find("/queries/") != std::string::npos) return Results(Last(path), response);
    if (path.find("/jobs/") != std::string::npos) {
      const auto job = jobs.find(Last(path));
      if (job == jobs.end()) return Error(response, 404, "notFound", "Not found: Job");
      return Json(response, 200, job->second.dump());
    }
    AnswerTable(request, Last(path), response);
  }

  void AnswerTable(const SeenHttp& request, const std::string& name, httplib::Response& response) {
    if (!tables.contains(name)) return Error(response, 404, "notFound", "Not found: Table");
    if (request.method == "DELETE") {
      deleted.push_back(name);
      tables.erase(name);
      return Json(response, 204, "");
    }
    if (request.method == "PATCH") tables[name].merge_patch(json::parse(request.body));
    Json(response, 200, tables[name].dump());
  }

  void Insert(json job, httplib::Response& response) {
    const std::string id = job["jobReference"]["jobId"];
    const json& configuration = job["configuration"];
    const bool counts = configuration.contains("query") &&
                        configuration["query"].value("query", "").starts_with("SELECT COUNT");
    if (counts) {
      counted.push_back(configuration["query"]["query"]);
    } else {
      if (insert_status != 0)
        return Error(response, std::exchange(insert_status, 0), "accessDenied", "Access Denied");
      order.push_back(id);
    }
    job["status"]["state"] = "DONE";
    job["statistics"]["endTime"] = "2000";
    if (!counts && !job_fails_with.empty()) {
      job["status"]["errorResult"] = {{"reason", std::exchange(job_fails_with, "")}, {"message", "no"}};
    }
    jobs[id] = job;
    Json(response, 200, job.dump());
  }

  void Results(const std::string& id, httplib::Response& response) {
    const std::string sql = jobs[id]["configuration"]["query"].value("query", "");
    uint64_t count = 0;
    for (const auto& [table, number] : rows) {
      if (sql.find("." + table + "`") != std::string::npos) count = number;
    }
    Json(response, 200,
         json{{"jobComplete", true},
              {"schema", {{"fields", {{{"name", "f0_"}, {"type", "INTEGER"}}}}}},
              {"rows", {{{"f", {{{"v", std::to_string(count)}}}}}}}}
             .dump());
  }

  FakeHttp http_;
};

class PublishTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto ledger = Ledger::Open(":memory:");
    ASSERT_TRUE(ledger.ok()) << ledger.status();
    ledger_ = *std::move(ledger);
    config_.destination.project = config_.destination.billing_project = "p";
    config_.destination.dataset = "d";
    config_.destination.location = "US";
    run_.config = &config_;
    run_.cancel = &cancel_;
    run_.clock = &clock_;
    run_.ledger = ledger_.get();
    RestOptions options;
    options.endpoint.rest = bigquery_.url();
    options.context = {&clock_, &cancel_, [] { return 0.5; }};
    run_.destination.rest = std::make_shared<Rest>(std::move(options));
    bigquery_.tables["items"] = json::parse(R"({"type":"TABLE","creationTime":"100","lastModifiedTime":"1000",
      "schema":{"fields":[{"name":"id","type":"INTEGER"}]}})");
    bigquery_.rows["items"] = 5;
  }

  // A replaced table of two chunks, 3 and 2 rows, read and staged by the run `id`.
  std::unique_ptr<TableRun> Staged(const std::string& id) {
    run_.run_id = id;
    EXPECT_TRUE(ledger_->runs().StartRun({.id = id, .started = clock_.Now(), .fingerprint = "f"}).ok());
    auto table = std::make_unique<TableRun>();
    table->work.name = "shop.items";
    table->work.target = {"p", "d", "items"};
    table->work.write = WriteBy::kLoad;
    SourceColumn column;
    column.name = "id";
    table->work.source.columns.push_back(column);
    Field field;
    field.name = "id";
    field.type = FieldType::kInt64;
    table->work.schema.fields.push_back(field);
    table->work.existing = bigquery_.tables["items"].dump();
    table->publish.method = PublishMethod::kCopy;
    table->staging = {"p", "d", "staged"};
    table->staging_created = "50";
    table->chunks = {{.number = 0, .state = ChunkState::kDone, .stream = "job0", .rows = 3, .content = 30},
                     {.number = 1, .state = ChunkState::kDone, .stream = "job1", .rows = 2, .content = 12}};
    EXPECT_TRUE(ledger_->runs()
                    .AddTable({.run_id = id, .source = "shop.items", .target = "p.d.items"}, table->chunks)
                    .ok());
    bigquery_.tables["staged"] = json::parse(R"({"type":"TABLE","creationTime":"50"})");
    bigquery_.rows["staged"] = 5;
    return table;
  }

  absl::Status Publish(const std::string& id) {
    table_ = Staged(id);
    return PublishTable(&run_, table_.get());
  }

  FakeClock clock_;
  Cancellation cancel_;
  Config config_;
  std::unique_ptr<Ledger> ledger_;
  FakeBigQuery bigquery_;
  RunContext run_;
  std::unique_ptr<TableRun> table_;
};

TEST_F(PublishTest, WhatNothingHangsOnIsReplacedByACopyAndNeverDeleted) {
  ASSERT_TRUE(Publish("r1").ok());
  EXPECT_THAT(bigquery_.Kinds(), ElementsAre("copy WRITE_TRUNCATE"));
  EXPECT_THAT(bigquery_.deleted, ElementsAre("staged"));
  EXPECT_THAT(bigquery_.counted, SizeIs(2)) << "staging before, the target after";
}

TEST_F(PublishTest, WhatHangsOnTheTargetNowDecidesHowItIsKept) {
  bigquery_.row_policies = {{{"filterPredicate", "TRUE"}}};
  ASSERT_TRUE(Publish("r1").ok());
  bigquery_.row_policies = json::array();
  bigquery_.tables["items"]["schema"]["fields"][0]["policyTags"]["names"] = {"t"};
  bigquery_.rows["staged"] = bigquery_.rows["items"] = 5;
  bigquery_.tables["items"]["lastModifiedTime"] = "1001";
  ASSERT_TRUE(Publish("r2").ok());
  bigquery_.tables["items"]["schema"]["fields"][0].erase("policyTags");
  bigquery_.bindings = {{{"role", "roles/bigquery.dataViewer"}, {"members", {"user:a@b.c"}}}};
  bigquery_.tables["items"]["lastModifiedTime"] = "1002";
  ASSERT_TRUE(Publish("r3").ok());
  bigquery_.bindings = json::array();
  bigquery_.may_list_policies = false;
  bigquery_.tables["items"]["lastModifiedTime"] = "1003";
  ASSERT_TRUE(Publish("r4").ok());
  EXPECT_THAT(bigquery_.Kinds(), ElementsAre("merge", "query WRITE_TRUNCATE_DATA",
                                             "query WRITE_TRUNCATE_DATA", "query WRITE_TRUNCATE_DATA"));
}

TEST_F(PublishTest, StagingWithARowMoreOrLessIsNotPublished) {
  for (const uint64_t rows : {4, 6, 0}) {
    auto table = Staged(fmt::format("r{}", rows));
    bigquery_.rows["staged"] = rows;
    const absl::Status status = PublishTable(&run_, table.get());
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
    EXPECT_THAT(std::string(status.message()),
                HasSubstr(fmt::format("sent 5 rows, BigQuery holds {}", rows)));
  }
  EXPECT_THAT(bigquery_.order, IsEmpty());
}

TEST_F(PublishTest, ATargetThatHoldsOtherRowsAfterwardsIsNotCalledDone) {
  bigquery_.rows["items"] = 6;
  const absl::Status status = Publish("r1");
  EXPECT_THAT(std::string(status.message()), HasSubstr("published with 5 rows, and a query finds 6"));
  const auto kept = ledger_->published().Published("p.d.items");
  ASSERT_TRUE(kept.ok());
  EXPECT_FALSE(kept->has_value());
}

TEST_F(PublishTest, RowsOfExpiredPartitionsAreSaidAndNoFailure) {
  bigquery_.tables["items"]["timePartitioning"] = {
      {"type", "DAY"}, {"field", "id"}, {"expirationMs", "1000"}};
  bigquery_.rows["items"] = 4;
  ASSERT_TRUE(Publish("r1").ok());
  absl::MutexLock lock(&table_->mutex);
  EXPECT_THAT(table_->notes, ElementsAre(HasSubstr("1 of 5 rows are in partitions that have expired")));
}

TEST_F(PublishTest, TheSameRowsAreNotPublishedTwice) {
  ASSERT_TRUE(Publish("r1").ok());
  ASSERT_TRUE(Publish("r2").ok());
  EXPECT_THAT(bigquery_.order, SizeIs(1));
  EXPECT_TRUE(table_->unchanged);
  // Somebody has written to the target, or has made it anew: it is put in place again.
  bigquery_.tables["items"]["lastModifiedTime"] = "1500";
  ASSERT_TRUE(Publish("r3").ok());
  EXPECT_THAT(bigquery_.order, SizeIs(2));
  bigquery_.tables["items"]["creationTime"] = "1400";
  ASSERT_TRUE(Publish("r4").ok());
  EXPECT_THAT(bigquery_.order, SizeIs(3));
  EXPECT_FALSE(table_->unchanged);
}

TEST_F(PublishTest, WhatOthersChangedSinceTheJobIsNotTakenForPublished) {
  bigquery_.tables["items"]["lastModifiedTime"] = "2001";  // the job ended at 2000
  ASSERT_TRUE(Publish("r1").ok());
  ASSERT_TRUE(Publish("r2").ok());
  EXPECT_THAT(bigquery_.order, SizeIs(2));
}

TEST_F(PublishTest, AFailedJobHasUsedItsIdUpAndARefusedOneHasNot) {
  auto table = Staged("r1");
  bigquery_.insert_status = 403;
  EXPECT_EQ(PublishTable(&run_, table.get()).code(), absl::StatusCode::kPermissionDenied);
  bigquery_.job_fails_with = "invalid";
  EXPECT_FALSE(PublishTable(&run_, table.get()).ok());
  ASSERT_TRUE(PublishTable(&run_, table.get()).ok());
  ASSERT_THAT(bigquery_.order, SizeIs(2));
  EXPECT_EQ(bigquery_.order[1], NextJobId(bigquery_.order[0]));
  EXPECT_THAT(bigquery_.order[0], HasSubstr("_0"));
}

TEST_F(PublishTest, AJobThatAnEarlierLifeStartedIsFoundByItsId) {
  auto table = Staged("r1");
  bigquery_.rows["items"] = 4;  // dies, so to say, after the job
  EXPECT_FALSE(PublishTable(&run_, table.get()).ok());
  bigquery_.rows["items"] = 5;
  bigquery_.row_policies = {{{"filterPredicate", "TRUE"}}};  // another way would be chosen now
  ASSERT_TRUE(PublishTable(&run_, table.get()).ok());
  EXPECT_THAT(bigquery_.Kinds(), ElementsAre("copy WRITE_TRUNCATE"));
}

TEST_F(PublishTest, ARequiredPartitionFilterIsGivenAlwaysTrue) {
  bigquery_.tables["items"]["rangePartitioning"] = {{"field", "id"}};
  bigquery_.tables["items"]["requirePartitionFilter"] = true;
  bigquery_.row_policies = {{{"filterPredicate", "TRUE"}}};
  ASSERT_TRUE(Publish("r1").ok());
  EXPECT_THAT(bigquery_.counted[1], HasSubstr("WHERE (`id` IS NULL OR `id` IS NOT NULL)"));
  const std::string merge = bigquery_.jobs[bigquery_.order[0]]["configuration"]["query"]["query"];
  EXPECT_THAT(merge, HasSubstr("ON FALSE AND (target.`id` IS NULL OR target.`id` IS NOT NULL)"));
  EXPECT_THAT(
      merge,
      HasSubstr(
          "WHEN NOT MATCHED BY SOURCE AND (target.`id` IS NULL OR target.`id` IS NOT NULL) THEN DELETE"));
}

TEST_F(PublishTest, AViewInThePlaceOfTheTargetIsLeftAsItIs) {
  auto table = Staged("r1");
  bigquery_.tables["items"]["type"] = "VIEW";
  const absl::Status status = PublishTable(&run_, table.get());
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
  EXPECT_THAT(bigquery_.order, IsEmpty());
  EXPECT_THAT(bigquery_.deleted, IsEmpty());
}

TEST_F(PublishTest, WhatIsNotConfiguredIsLeftAlone) {
  bigquery_.tables["items"]["requirePartitionFilter"] = true;
  bigquery_.tables["items"]["rangePartitioning"] = {{"field", "id"}};
  bigquery_.tables["items"]["description"] = "theirs";
  bigquery_.tables["items"]["labels"] = {{"team", "theirs"}};
  bigquery_.tables["items"]["clustering"] = {{"fields", {"id"}}};
  const json before = bigquery_.tables["items"];
  ASSERT_TRUE(Publish("r1").ok());
  EXPECT_EQ(bigquery_.tables["items"], before);
}

TEST(NextJobId, CountsAttempts) {
  EXPECT_EQ(NextJobId("hakobu_copy_ab_0"), "hakobu_copy_ab_1");
  EXPECT_EQ(NextJobId("hakobu_copy_ab_9"), "hakobu_copy_ab_10");
  EXPECT_EQ(NextJobId("hakobu_copy_ab_0_r2"), "hakobu_copy_ab_0_r2_1");
}

}  // namespace
}  // namespace hakobu
