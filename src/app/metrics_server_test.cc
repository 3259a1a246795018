#include "app/metrics_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>

#include "absl/time/clock.h"

namespace hakobu {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

StreamStatus Streaming(absl::Time now) {
  StreamStatus status;
  status.state = StreamPhase::kStreaming;
  status.source_server = "uuid-1";
  status.fresh_until = now - absl::Milliseconds(1500);
  status.file = "binlog.000003";
  status.offset = 157;
  status.changes = 12;
  status.lag_bytes = 0;
  status.headroom_seconds = std::numeric_limits<double>::infinity();
  status.stalled_seconds = 7200.5;
  StreamTableStatus table;
  table.source = "shop.a\"b\\c\nd";
  table.target = "p.d.t";
  table.state = StreamTableState::kWhole;
  table.quarantined = 3;
  status.tables = {table};
  return status;
}

TEST(PrometheusText, EverySampleHasItsHelpAndType) {
  const absl::Time now = absl::FromUnixSeconds(1'700'000'000);
  const std::string text = PrometheusText(Streaming(now), now);
  EXPECT_THAT(
      text, HasSubstr("# TYPE hakobu_stream_freshness_seconds gauge\nhakobu_stream_freshness_seconds 1.5\n"));
  EXPECT_THAT(text, HasSubstr("hakobu_stream_state{state=\"streaming\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("hakobu_stream_state{state=\"failed\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("hakobu_stream_changes_total 12\n"));
  EXPECT_THAT(text, HasSubstr("hakobu_stream_lag_bytes 0\n"));
  EXPECT_THAT(text, HasSubstr("hakobu_stream_retention_headroom_seconds +Inf\n"));
  EXPECT_THAT(text, HasSubstr("hakobu_stream_stalled_headroom_seconds 7200.5\n"));
  EXPECT_THAT(text,
              HasSubstr("hakobu_stream_position_offset_bytes{kind=\"stored\",file=\"binlog.000003\"} 157\n"));
  EXPECT_THAT(
      text,
      HasSubstr(
          "hakobu_table_quarantined_values_total{table=\"shop.a\\\"b\\\\c\\nd\",target=\"p.d.t\"} 3\n"));
  std::string metric;
  for (size_t at = 0; at < text.size();) {
    const size_t end = text.find('\n', at);
    const std::string line = text.substr(at, end - at);
    at = end + 1;
    if (line.starts_with("# TYPE ")) metric = line.substr(7, line.find(' ', 7) - 7);
    if (!line.starts_with("#")) {
      EXPECT_EQ(line.substr(0, line.find_first_of("{ ")), metric) << line;
    }
  }
}

TEST(PrometheusText, WhatIsNotKnownIsLeftOut) {
  StreamStatus status;
  status.state = StreamPhase::kConnecting;
  status.tables.resize(1);
  const std::string text = PrometheusText(status, absl::Now());
  for (const char* name : {"freshness", "lag_bytes", "headroom", "last_event", "position_offset"}) {
    EXPECT_THAT(text, Not(HasSubstr(name)));
  }
}

TEST(PrometheusText, FreshnessGrowsUntilThereIsProof) {
  const absl::Time now = absl::FromUnixSeconds(1'700'000'000);
  const StreamStatus status = Streaming(now);
  EXPECT_THAT(PrometheusText(status, now + absl::Seconds(60)),
              HasSubstr("hakobu_stream_freshness_seconds 61.5\n"));
  // A source whose clock is ahead does not make it negative.
  EXPECT_THAT(PrometheusText(status, now - absl::Seconds(60)),
              HasSubstr("hakobu_stream_freshness_seconds 0\n"));
}

TEST(Health, FollowsTheStreamsState) {
  const absl::Time now = absl::Now();
  StatusBoard board;
  EXPECT_TRUE(HealthOf(board.Last(), now).alive);
  EXPECT_FALSE(HealthOf(board.Last(), now).ready);
  StreamStatus status = Streaming(now);
  board.OnStatus(status);
  EXPECT_TRUE(HealthOf(board.Last(), now).ready);
  EXPECT_FALSE(HealthOf(board.Last(), absl::Now() + absl::Minutes(2)).alive);
  status.state = StreamPhase::kConnecting;
  status.reason = "lost connection (2013)";
  board.OnStatus(status);
  EXPECT_TRUE(HealthOf(board.Last(), now).alive);
  EXPECT_FALSE(HealthOf(board.Last(), now).ready);
  EXPECT_THAT(HealthOf(board.Last(), now).reason, HasSubstr("lost connection"));
  status.state = StreamPhase::kFailed;
  board.OnStatus(status);
  EXPECT_FALSE(HealthOf(board.Last(), now).alive);
}

TEST(MetricsServer, AnswersOverHttp) {
  StatusBoard board;
  auto server = MetricsServer::Start("127.0.0.1:0", [&] { return board.Last(); });
  ASSERT_TRUE(server.ok()) << server.status();
  httplib::Client client("127.0.0.1", (*server)->port());
  EXPECT_EQ(client.Get("/healthz")->status, 200);
  EXPECT_EQ(client.Get("/readyz")->status, 503);
  EXPECT_EQ(client.Get("/metrics")->body, "");
  board.OnStatus(Streaming(absl::Now()));
  EXPECT_EQ(client.Get("/readyz")->status, 200);
  EXPECT_THAT(client.Get("/metrics")->body, HasSubstr("hakobu_stream_freshness_seconds"));
  EXPECT_EQ(client.Get("/metrics")->get_header_value("Content-Type"),
            "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(client.Get("/other")->status, 404);
  const auto taken = MetricsServer::Start((*server)->address(), [&] { return board.Last(); });
  EXPECT_TRUE(absl::IsInvalidArgument(taken.status())) << taken.status();
  for (const char* wrong : {"", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:99999"}) {
    EXPECT_FALSE(MetricsServer::Start(wrong, [&] { return board.Last(); }).ok()) << wrong;
  }
}

TEST(HealthOf, WhatIsAwayIsNoReasonToRestart) {
  const absl::Time now = absl::Now();
  StatusBoard board;
  StreamStatus status = Streaming(now);
  Outage outage;
  outage.subject = OutageSubject::kBigQuery;
  outage.since = now - absl::Seconds(7);
  outage.error = absl::UnavailableError("connection refused");
  status.outages = {outage};
  board.OnStatus(status);
  const Health health = HealthOf(board.Last(), now);
  EXPECT_TRUE(health.alive);
  EXPECT_FALSE(health.ready);
  EXPECT_EQ(health.reason, outage.Text());
  const std::string text = PrometheusText(status, now);
  EXPECT_THAT(text, HasSubstr("hakobu_stream_outage{subject=\"bigquery\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("hakobu_stream_outage{subject=\"source\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("hakobu_stream_outage_seconds{subject=\"bigquery\"} 7\n"));
  status.state = StreamPhase::kStarting;
  board.OnStatus(status);
  EXPECT_EQ(HealthOf(board.Last(), now).reason, "starting: " + outage.Text());
}

}  // namespace
}  // namespace hakobu
