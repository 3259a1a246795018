#include "config/budget_section.h"

#include <fmt/format.h>

#include "base/address.h"
#include "config/section_builder.h"

namespace hakobu {

Section StorageSection() {
  SectionBuilder<StorageConfig> builder(
      "What the source's files lie on, for `budget.burst_balance`: what its kind and size promise is "
      "believed "
      "until CloudWatch has shown otherwise.");
  builder.Choose<StorageKind>("type", &StorageConfig::type,
                              {{StorageKind::kGp2, "gp2", "burst credits, 3 IOPS a GiB"},
                               {StorageKind::kGp3, "gp3", "no credits"},
                               {StorageKind::kIo1, "io1", "no credits"},
                               {StorageKind::kIo2, "io2", "no credits"},
                               {StorageKind::kAurora, "aurora", "no credits: reads are billed"}},
                              "Its type.");
  builder.Size("size", &StorageConfig::size, 0, int64_t{64} << 40, "Its allocated size.").Example("100GiB");
  builder.Integer("iops", &StorageConfig::iops, 0, 1'000'000, "Provisioned IOPS; 0: what the type includes.");
  builder.Integer("volumes", &StorageConfig::volumes, 0, 64,
                  "Volumes that it is striped over; 0: as RDS for MySQL does it, four from 400 GiB on.");
  return builder.Take();
}

Section CloudWatchSection() {
  SectionBuilder<CloudWatchConfig> builder(
      "Where BurstBalance is read, each minute, with the AWS keys of the environment or of the task. It "
      "needs "
      "cloudwatch:GetMetricData.");
  builder.Text("instance", &CloudWatchConfig::instance, "DBInstanceIdentifier.").Example("shop-replica-1");
  builder.Text("region", &CloudWatchConfig::region, "AWS region; AWS_REGION when not given.")
      .Example("ap-northeast-1");
  builder
      .Text("endpoint", &CloudWatchConfig::endpoint,
            "Another address than the region's own, such as that of a VPC endpoint.")
      .Example("https://vpce-0123.monitoring.ap-northeast-1.vpce.amazonaws.com");
  return builder.Take();
}

Section BudgetSection() {
  SectionBuilder<BudgetConfig> builder(
      "What `hakobu run` may cost the source (docs/promises.md). It reads as fast as this allows; between "
      "two "
      "chunks it waits, never inside one.");
  builder.Integer(
      "burst_balance", &BudgetConfig::burst_balance, 0, 95,
      "Percent of the burst credits that stay, whatever comes. 0: not looked at. Needs `storage` of "
      "type gp2, and `cloudwatch`.");
  builder.Integer(
      "reads_per_second", &BudgetConfig::reads_per_second, 0, 10'000'000,
      "Pages that hakobu reads a second, averaged over chunks; each counts as if it came from disk. "
      "0: no limit.");
  builder.Integer("threads_running", &BudgetConfig::threads_running, 0, 100'000,
                  "Threads_running of the server: hakobu slows down from 70 % of it on. 0: not looked at.");
  builder.Integer("history_length", &BudgetConfig::history_length, 0, 1'000'000'000,
                  "Length of InnoDB's undo history, likewise. It needs PROCESS. 0: not looked at.");
  builder.Duration(
      "replica_lag", &BudgetConfig::replica_lag, absl::ZeroDuration(), absl::Hours(24),
      "How far the source, a replica, may be behind: then reading stops until it has caught up. It "
      "needs REPLICATION CLIENT. 0s: not looked at.");
  builder.Text("pause_file", &BudgetConfig::pause_file, "While this file is there nothing is read.")
      .Example("/var/run/hakobu.pause");
  builder.Duration("hold", &BudgetConfig::hold, absl::Hours(1), absl::Hours(36),
                   "How long from its start a run minds `burst_balance`: credits are kept for what the "
                   "application is used to read until then.");
  builder.Choose<Infeasible>(
      "when_infeasible", &BudgetConfig::when_infeasible,
      {{Infeasible::kProtectSource, "protect_source", "the credits stay, and the tables are late"},
       {Infeasible::kProtectHour, "protect_hour", "the tables are on time, and the credits go"}},
      "What is given up where the promise cannot be kept within `burst_balance`.");
  return builder.Take();
}

void CheckBudget(const Config& config, ConfigProblems* problems) {
  const SourceConfig& source = config.source;
  if (source.cloudwatch.has_value() && source.cloudwatch->instance.empty()) {
    problems->Add("source.cloudwatch", "`instance`", "none");
  }
  if (source.cloudwatch.has_value() && !source.cloudwatch->endpoint.empty() &&
      !CheckAddress(source.cloudwatch->endpoint, "", PlainHttp::kLoopback).ok()) {
    problems->Add("source.cloudwatch.endpoint", "https://HOST[:PORT]", OriginOf(source.cloudwatch->endpoint));
  }
  if (!config.promise.empty() && !ParseDailyHour(config.promise).has_value()) {
    problems->Add("promise", "an hour of the day and a zone, such as \"06:00 Asia/Tokyo\"",
                  fmt::format("\"{}\"", config.promise));
  }
  if (problems->Has("source.budget.when_infeasible") && config.promise.empty()) {
    problems->Add("source.budget.when_infeasible", "it with a `promise`", "none");
  }
  if (source.budget.burst_balance == 0) return;
  const bool credits = source.storage.has_value() && source.storage->type == StorageKind::kGp2;
  if (!credits) {
    problems->Add("source.budget.burst_balance", "it with `source.storage` of type gp2",
                  source.storage.has_value() ? "a type without burst credits" : "no storage");
  } else if (source.storage->size == 0) {
    problems->Add("source.storage", "`size`", "none", "it is shown as allocated storage: size: 100GiB");
  }
  if (!source.cloudwatch.has_value()) {
    problems->Add("source.budget.burst_balance", "it with `source.cloudwatch`", "none",
                  "BurstBalance is not in SQL, and what is not seen is not spent");
  }
}

}  // namespace hakobu
