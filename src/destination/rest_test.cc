#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "destination/destination.h"
#include "destination/fake_http.h"

namespace hakobu {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const DatasetName kDataset = {"p", "shop"};
const TableName kTable = {"p", "shop", "日本語 t"};

class RestTest : public ::testing::Test {
 protected:
  void Serve(FakeHttp::Answer answer) {
    server_.emplace(std::move(answer));
    RestOptions options;
    options.endpoint.rest = server_->url();
    options.credentials = credentials_;
    options.timeout = absl::Seconds(10);
    options.context = {&clock_, &cancellation_, [] { return 0.5; }};
    rest_.emplace(std::move(options));
  }
  FakeClock clock_;  // waits cost nothing
  Cancellation cancellation_;
  std::shared_ptr<Credentials> credentials_ = FixedToken("tok");
  std::optional<FakeHttp> server_;
  std::optional<Rest> rest_;
};

TEST_F(RestTest, ResourcesComeAndGoByteForByte) {
  const std::string text = R"({ "etag":"e1",  "access":[{"unknown":{"deep":1.50}}], "z":1,"a":2 })";
  Serve([&](int number, const SeenHttp&, httplib::Response& response) {
    if (number == 1) return Error(response, 412, "conditionNotMet", "Precondition check failed.");
    Json(response, 200, text);
  });
  const auto dataset = GetDataset(*rest_, kDataset);
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  EXPECT_EQ(dataset->json, text);
  EXPECT_EQ(dataset->etag, "e1");
  const auto changed = UpdateDataset(*rest_, kDataset, dataset->json, dataset->etag);
  EXPECT_EQ(changed.status().code(), absl::StatusCode::kFailedPrecondition);
  const auto seen = server_->Seen();
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_EQ(seen[0].target, "/bigquery/v2/projects/p/datasets/shop?accessPolicyVersion=3");
  EXPECT_EQ(seen[0].Header("Authorization"), "Bearer tok");
  EXPECT_EQ(seen[1].method, "PUT");
  EXPECT_EQ(seen[1].Header("If-Match"), "e1");
  EXPECT_EQ(seen[1].body, text);
}

TEST_F(RestTest, RateLimitsAndFailuresAreTriedAgain) {
  Serve([&](int number, const SeenHttp&, httplib::Response& response) {
    if (number == 0) return Error(response, 403, "rateLimitExceeded", "too many table update operations");
    if (number == 1) return Error(response, 503, "backendError", "busy");
    if (number == 2) return Json(response, 502, "<html>");
    Json(response, 200, R"({"etag":"x"})");
  });
  EXPECT_TRUE(PatchTable(*rest_, kTable, "{}").ok());
  EXPECT_EQ(server_->Seen().size(), 4u);
  EXPECT_EQ(server_->Seen()[0].target,
            "/bigquery/v2/projects/p/datasets/shop/tables/%E6%97%A5%E6%9C%AC%E8%AA%9E%20t");
}

TEST_F(RestTest, QuotaExceededIsNot) {
  Serve([&](int, const SeenHttp&, httplib::Response& response) {
    Error(response, 403, "quotaExceeded", "Quota exceeded: imports per table");
  });
  const absl::Status status = GetTable(*rest_, kTable).status();
  EXPECT_EQ(server_->Seen().size(), 1u);
  EXPECT_EQ(ErrorReason(status), "quotaExceeded");
  EXPECT_THAT(std::string(status.message()), HasSubstr("get table p.shop."));
}

TEST_F(RestTest, CreateAfterALostAnswerIsOneTable) {
  Serve([&](int number, const SeenHttp& request, httplib::Response& response) {
    if (request.method == "GET") return Json(response, 200, R"({"etag":"made"})");
    if (number == 0) return Error(response, 503, "backendError", "made it, but lost the answer");
    Error(response, 409, "duplicate", "Already Exists");
  });
  const auto made = CreateTable(*rest_, kTable, R"({"schema":{"fields":[]}})");
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_EQ(made->etag, "made");
  EXPECT_THAT(server_->Seen()[0].body, HasSubstr(R"("tableReference":{)"));
  EXPECT_EQ(json::parse(server_->Seen()[0].body)["tableReference"]["tableId"], kTable.table);
}

TEST_F(RestTest, CreateOfWhatExistsIsAnError) {
  Serve([&](int, const SeenHttp&, httplib::Response& response) {
    Error(response, 409, "duplicate", "Already Exists");
  });
  EXPECT_EQ(CreateTable(*rest_, kTable, "{}").status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(server_->Seen().size(), 1u);
}

TEST_F(RestTest, ListsFollowPages) {
  Serve([&](int number, const SeenHttp&, httplib::Response& response) {
    if (number == 0) {
      return Json(response, 200, R"({"nextPageToken":"a b","tables":[
          {"tableReference":{"tableId":"t1"},"type":"TABLE","creationTime":"1000"}]})");
    }
    Json(response, 200, R"({"tables":[{"tableReference":{"tableId":"t2"},"type":"VIEW"}]})");
  });
  const auto tables = ListTables(*rest_, kDataset);
  ASSERT_TRUE(tables.ok());
  ASSERT_EQ(tables->size(), 2u);
  EXPECT_EQ((*tables)[0].created, absl::FromUnixSeconds(1));
  EXPECT_EQ((*tables)[1].name.table, "t2");
  EXPECT_THAT(server_->Seen()[1].target, HasSubstr("pageToken=a%20b"));
}

TEST_F(RestTest, InsertJobTwiceIsOneJob) {
  Serve([&](int number, const SeenHttp& request, httplib::Response& response) {
    if (request.method == "POST") {
      if (number == 0) return Error(response, 500, "internalError", "lost");
      return Error(response, 409, "duplicate", "Already Exists: Job p:j1");
    }
    Json(response, 200, R"({"jobReference":{"jobId":"j1","location":"US"},"status":{"state":"DONE"},
        "statistics":{"load":{"outputRows":"12"}}})");
  });
  const auto job = InsertJob(*rest_, {"p", "j1", "US"}, R"({"load":{}})");
  ASSERT_TRUE(job.ok()) << job.status();
  EXPECT_TRUE(job->done);
  EXPECT_EQ(job->output_rows, 12u);
  const auto seen = server_->Seen();
  EXPECT_EQ(seen[0].body, seen[1].body);
  EXPECT_EQ(seen.back().target, "/bigquery/v2/projects/p/jobs/j1?location=US");
}

TEST_F(RestTest, JobsThatFailForTheServiceRunAgainUnderANewId) {
  std::string last_id;
  Serve([&](int number, const SeenHttp& request, httplib::Response& response) {
    if (request.method == "POST") last_id = json::parse(request.body)["jobReference"]["jobId"];
    const std::string reference = fmt::format(R"("jobReference":{{"jobId":"{}"}})", last_id);
    if (number == 0)
      return Json(response, 200, fmt::format(R"({{{},"status":{{"state":"RUNNING"}}}})", reference));
    if (number == 1) {
      return Json(response, 200,
                  fmt::format(R"({{{},"status":{{"state":"DONE","errorResult":
          {{"reason":"jobBackendError","message":"try again"}}}}}})",
                              reference));
    }
    if (number == 2) return Error(response, 400, "jobRateLimitExceeded", "slow down");
    Json(response, 200, fmt::format(R"({{{},"status":{{"state":"DONE"}}}})", reference));
  });
  const auto job = RunJob(*rest_, {"p", "j", ""}, R"({"copy":{}})");
  ASSERT_TRUE(job.ok()) << job.status();
  EXPECT_EQ(job->name.id, "j_r2");
}

TEST_F(RestTest, JobsThatFailForTheirContentDoNot) {
  Serve([&](int, const SeenHttp&, httplib::Response& response) {
    Json(response, 200, R"({"jobReference":{"jobId":"j"},"status":{"state":"DONE","errorResult":
        {"reason":"invalidQuery","message":"Syntax error"}}})");
  });
  const absl::Status status = RunJob(*rest_, {"p", "j", ""}, R"({"query":{}})").status();
  EXPECT_EQ(server_->Seen().size(), 1u);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ErrorReason(status), "invalidQuery");
}

// jobs.insert, then jobs.get, of a service that keeps jobs by id.
TEST_F(RestTest, AnIdThatAnEarlierFailureUsedUpIsPassedOver) {
  std::vector<std::string> asked;
  Serve([&](int, const SeenHttp& request, httplib::Response& response) {
    const std::string failed = R"({"jobReference":{"jobId":"j"},"status":{"state":"DONE","errorResult":
        {"reason":"invalid","message":"bad row"}}})";
    if (request.method == "GET") return Json(response, 200, failed);
    asked.push_back(json::parse(request.body)["jobReference"]["jobId"]);
    if (asked.back() != "j_r2") return Error(response, 409, "duplicate", "Already Exists: Job");
    Json(response, 200, R"({"jobReference":{"jobId":"j_r2"},"status":{"state":"DONE"}})");
  });
  const auto job = RunJob(*rest_, {"p", "j", ""}, R"({"load":{}})");
  ASSERT_TRUE(job.ok()) << job.status();
  EXPECT_FALSE(job->existed);
  EXPECT_THAT(asked, ElementsAre("j", "j_r1", "j_r2"));
}

TEST_F(RestTest, AJobOfAnEarlierLifeThatSucceededIsTheAnswer) {
  Serve([&](int, const SeenHttp& request, httplib::Response& response) {
    if (request.method == "POST") return Error(response, 409, "duplicate", "Already Exists: Job");
    Json(response, 200, R"({"jobReference":{"jobId":"j"},"status":{"state":"DONE"}})");
  });
  const auto job = RunJob(*rest_, {"p", "j", ""}, R"({"load":{}})");
  ASSERT_TRUE(job.ok()) << job.status();
  EXPECT_TRUE(job->existed);
  EXPECT_FALSE(IsBurned(*job));
  EXPECT_EQ(server_->Seen().size(), 2u);
}

TEST_F(RestTest, AJobThatExistsAndIsNotFoundYetIsAskedForAgain) {
  Serve([&](int number, const SeenHttp& request, httplib::Response& response) {
    if (request.method == "POST") return Error(response, 409, "duplicate", "Already Exists: Job");
    if (number < 5) return Error(response, 404, "notFound", "Not found: Job");
    Json(response, 200, R"({"jobReference":{"jobId":"j"},"status":{"state":"DONE"}})");
  });
  EXPECT_TRUE(InsertJob(*rest_, {"p", "j", ""}, R"({"load":{}})").ok());
  Serve([&](int, const SeenHttp& request, httplib::Response& response) {
    if (request.method == "POST") return Error(response, 409, "duplicate", "Already Exists: Job");
    Error(response, 404, "notFound", "Not found: Job");
  });
  const absl::Status never = InsertJob(*rest_, {"p", "j", ""}, R"({"load":{}})").status();
  EXPECT_EQ(never.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(never.message()), HasSubstr("says that this job exists"));
}

TEST(JobConfiguration, ReplacesRowsAndNothingElse) {
  LoadSettings load;
  load.target = kTable;
  load.disposition = WriteDisposition::kTruncateData;
  load.create = false;
  load.kms_key = "projects/p/locations/us/keyRings/r/cryptoKeys/k";
  const json loads = json::parse(LoadConfiguration(load))["load"];
  EXPECT_EQ(loads["writeDisposition"], "WRITE_TRUNCATE_DATA");
  EXPECT_EQ(loads["createDisposition"], "CREATE_NEVER");
  EXPECT_EQ(loads["destinationEncryptionConfiguration"]["kmsKeyName"], load.kms_key);
  EXPECT_FALSE(loads.contains("schemaUpdateOptions"));  // it would need bigquery.tables.update
  load.may_add_fields = true;
  EXPECT_EQ(json::parse(LoadConfiguration(load))["load"]["schemaUpdateOptions"][0], "ALLOW_FIELD_ADDITION");

  QuerySpec query;
  query.sql = "SELECT 1";
  query.destination = kTable;
  query.disposition = WriteDisposition::kTruncateData;
  const json queries = json::parse(QueryConfiguration(query))["query"];
  EXPECT_EQ(queries["destinationTable"]["tableId"], kTable.table);
  EXPECT_EQ(queries["writeDisposition"], "WRITE_TRUNCATE_DATA");
  EXPECT_EQ(queries["createDisposition"], "CREATE_NEVER");
}

TEST_F(RestTest, RowPoliciesAreListedByName) {
  Serve([&](int number, const SeenHttp&, httplib::Response& response) {
    const char* more = number == 0 ? R"("nextPageToken":"x",)" : "";
    Json(response, 200,
         fmt::format(R"({{{}"rowAccessPolicies":[{{"rowAccessPolicyReference":{{"policyId":"p{}"}}}}]}})",
                     more, number));
  });
  const auto names = ListRowPolicies(*rest_, kTable);
  ASSERT_TRUE(names.ok()) << names.status();
  EXPECT_THAT(*names, ElementsAre("p0", "p1"));
}

TEST_F(RestTest, QueryReadsAllPagesWithParameters) {
  Serve([&](int number, const SeenHttp& request, httplib::Response& response) {
    if (request.method == "POST") {
      return Json(response, 200,
                  R"({"jobReference":{"jobId":"q","location":"EU"},"status":{"state":"DONE"}})");
    }
    if (number == 1) return Json(response, 200, R"({"jobComplete":false})");
    if (number == 2) {
      return Json(response, 200, R"({"jobComplete":true,"schema":{"fields":[{"name":"a"},{"name":"b"}]},
          "rows":[{"f":[{"v":"1"},{"v":null}]}],"pageToken":"next"})");
    }
    Json(response, 200, R"({"jobComplete":true,"rows":[{"f":[{"v":"2"},{"v":[{"v":"x"}]}]}]})");
  });
  const auto answer = RunQuery(*rest_, {.project = "p",
                                        .sql = "SELECT @x",
                                        .parameters = {{"x", "INT64", "7"}, {"n", "STRING", std::nullopt}},
                                        .location = "",
                                        .job_id = "q",
                                        .labels = {}});
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_THAT(answer->columns, ElementsAre("a", "b"));
  ASSERT_EQ(answer->rows.size(), 2u);
  EXPECT_EQ(answer->rows[0][1], std::nullopt);
  EXPECT_EQ(answer->rows[1][1], R"([{"v":"x"}])");
  const json body = json::parse(server_->Seen()[0].body)["configuration"]["query"];
  EXPECT_EQ(body["useLegacySql"], false);
  EXPECT_EQ(body["parameterMode"], "NAMED");
  EXPECT_EQ(body["queryParameters"][0]["parameterValue"]["value"], "7");
  EXPECT_TRUE(body["queryParameters"][1]["parameterValue"]["value"].is_null());
  EXPECT_THAT(server_->Seen()[3].target, HasSubstr("pageToken=next"));
  EXPECT_THAT(server_->Seen()[1].target, HasSubstr("location=EU"));
}

TEST_F(RestTest, TokensGoOnlyOverHttpsOrToThisMachine) {
  RestOptions options;
  options.endpoint.rest = "http://127.0.0.1.example.com";
  options.credentials = FixedToken("tok");
  Rest rest(options);
  EXPECT_EQ(GetDataset(rest, kDataset).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(RestTest, NoServerIsUnavailableAndSaysWhere) {
  RestOptions options;
  options.endpoint.rest = "http://127.0.0.1:1";
  options.context = {&clock_, nullptr, {}};
  options.retry.max_tries = 3;
  Rest rest(options);
  const absl::Status status = GetDataset(rest, kDataset).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()), HasSubstr("after 3 tries"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("get dataset p.shop: GET http://127.0.0.1:1"));
}

TEST_F(RestTest, TokensAreRenewedEarlyAndOnceRefused) {
  int issued = 0;
  FakeHttp google([&](int, const SeenHttp&, httplib::Response& response) {
    Json(response, 200, fmt::format(R"({{"access_token":"t{}","expires_in":3600}})", ++issued));
  });
  CredentialsOptions options;
  options.clock = &clock_;
  auto user = ParseCredentials(
      fmt::format(R"({{"type":"authorized_user","client_id":"i","client_secret":"s","refresh_token":"r",
                      "token_uri":"{}/token","quota_project_id":"payer"}})",
                  google.url()),
      "test", options);
  ASSERT_TRUE(user.ok()) << user.status();
  credentials_ = *user;
  Serve([&](int, const SeenHttp& request, httplib::Response& response) {
    if (request.Header("Authorization") == "Bearer t2") return Error(response, 401, "authError", "Invalid");
    Json(response, 200, "{}");
  });
  EXPECT_TRUE(GetDataset(*rest_, kDataset).ok());
  clock_.Advance(absl::Minutes(54));
  EXPECT_TRUE(GetDataset(*rest_, kDataset).ok());
  EXPECT_EQ(issued, 1);
  clock_.Advance(absl::Minutes(2));  // within five minutes of the end
  EXPECT_TRUE(GetDataset(*rest_, kDataset).ok());
  EXPECT_EQ(issued, 3);  // t2 was refused, t3 was not
  EXPECT_EQ(server_->Seen().back().Header("Authorization"), "Bearer t3");
  EXPECT_EQ(server_->Seen().back().Header("x-goog-user-project"), "payer");
}

}  // namespace
}  // namespace hakobu
