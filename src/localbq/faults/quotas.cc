#include "localbq/faults/quotas.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/status.h"

namespace hakobu::localbq {
namespace {

constexpr char kReasonUrl[] = "hakobu/reason";  // as rest/http.h's WithReason has it
constexpr char kMore[] =
    " For more information, see https://cloud.google.com/bigquery/docs/troubleshoot-quotas";

enum class Per : uint8_t { kUserMethod, kProject, kDataset, kTable };

struct Limit {
  const char* methods;  // separated by spaces, with one at both ends
  Per per;
  int64_t number, partitioned_number;
  int64_t window_s;
  const char* reason;
  const char* message;  // {} is the method
};

constexpr int64_t kDay_s = 24 * 3600;
constexpr char kRate[] = "rateLimitExceeded";
constexpr char kQuota[] = "quotaExceeded";
constexpr char kTooManyOfMethod[] =
    "Exceeded rate limits: too many api requests per user per method for this user_method ({}).";

constexpr Limit kLimits[] = {
    {" tables.insert projects.list ", Per::kUserMethod, 10, 10, 1, kRate, kTooManyOfMethod},
    {" jobs.get tabledata.list ", Per::kUserMethod, 1000, 1000, 1, kRate, kTooManyOfMethod},
    {" datasets.list datasets.get datasets.insert datasets.patch datasets.update datasets.delete tables.list "
     "tables.get tables.patch tables.update tables.delete jobs.insert jobs.list jobs.cancel jobs.delete "
     "jobs.query jobs.getQueryResults tables.getIamPolicy tables.setIamPolicy ",
     Per::kUserMethod, 100, 100, 1, kRate, kTooManyOfMethod},
    {" datasets.insert datasets.patch datasets.update ", Per::kDataset, 5, 5, 10, kRate,
     "Exceeded rate limits: too many dataset metadata update operations for this dataset."},
    {" tables.insert tables.patch tables.update job.load job.copy job.query job.ddl ", Per::kTable, 5, 50, 10,
     kRate, "Exceeded rate limits: too many table update operations for this table."},
    {" job.load job.copy job.query ", Per::kTable, 1500, 1500, kDay_s, kQuota,
     "Quota exceeded: Your table exceeded quota for imports or query appends per table."},
    {" job.load ", Per::kProject, 100'000, 100'000, kDay_s, kQuota,
     "Quota exceeded: Your project exceeded quota for imports per project."},
    {" job.copy ", Per::kProject, 100'000, 100'000, kDay_s, kQuota,
     "Quota exceeded: Your project exceeded quota for copies per project."},
    {" job.dml ", Per::kTable, 25, 25, 10, kRate,
     "Exceeded rate limits: too many table dml operations for this table."},
    {" CreateWriteStream ", Per::kProject, 10'000, 10'000, 3600, kRate,
     "Exceeds 'CreateWriteStream requests' quota, you can issue a raise quota request through Google Cloud "
     "console. Be sure to include this full error message in the request description."},
};

struct Held {
  const char* what;
  int64_t number;
  const char* reason;
  const char* message;
};
// Of the US multi-region, which is where this BigQuery says it is.
constexpr Held kHeld[] = {
    {"AppendRows", 20'000, kRate,
     "Exceeds 'Concurrent connections' quota, you can issue a raise quota request through Google Cloud "
     "console. Be sure to include this full error message in the request description."},
    {"api", 300, kQuota,
     "Quota exceeded: Your user_method exceeded quota for concurrent api requests per user per method."},
    {"queue", 1000, kQuota,
     "Quota exceeded: Your project_and_region exceeded quota for max number of jobs that can be queued per "
     "project."},
};
constexpr int64_t kThroughputBytes = int64_t{3} << 30;  // a second
constexpr char kThroughput[] =
    "Exceeds 'AppendRows throughput' quota, user_id: {}_us (status: INSUFFICIENT_TOKENS), you can issue a "
    "raise quota request through Google Cloud console. Be sure to include this full error message in the "
    "request description.";

absl::Status Refusal(std::string message, const char* reason) {
  if (!message.starts_with("Exceeds '")) message += kMore;
  absl::Status status = absl::ResourceExhaustedError(message);
  status.SetPayload(kReasonUrl, absl::Cord(reason));
  return status;
}

bool IsAbout(const Limit& limit, std::string_view method) {
  return std::string_view(limit.methods).find(fmt::format(" {} ", method)) != std::string_view::npos;
}

std::string KeyOf(const Limit& limit, const Call& call) {
  const size_t index = static_cast<size_t>(&limit - kLimits);
  switch (limit.per) {
    case Per::kUserMethod:
      return fmt::format("{}/{}/{}/{}", index, call.project, call.user, call.method);
    case Per::kProject:
      return fmt::format("{}/{}", index, call.project);
    case Per::kDataset:
      return fmt::format("{}/{}/{}", index, call.project, call.dataset);
    case Per::kTable:
      return fmt::format("{}/{}/{}/{}", index, call.project, call.dataset, call.table);
  }
  return {};
}

}  // namespace

std::string QuotaReason(const absl::Status& status) {
  const auto payload = status.GetPayload(kReasonUrl);
  return payload ? std::string(*payload) : std::string();
}

void Quotas::Set(const QuotaSettings& settings) {
  absl::MutexLock lock(&mutex_);
  settings_ = settings;
  windows_.clear();
  is_on_ = settings.is_on;
}

QuotaSettings Quotas::settings() const {
  absl::MutexLock lock(&mutex_);
  return settings_;
}

int64_t Quotas::Scaled(int64_t number) const {
  return std::max<int64_t>(1, static_cast<int64_t>(static_cast<double>(number) * settings_.scale));
}

int64_t Quotas::TotalOf(const std::string& key, absl::Duration length, absl::Time now) {
  const auto found = windows_.find(key);
  if (found == windows_.end()) return 0;
  Window& window = found->second;
  while (!window.uses.empty() && window.uses.front().at + length * settings_.windows <= now) {
    window.total -= window.uses.front().amount;
    window.uses.pop_front();
  }
  return window.total;
}

absl::Status Quotas::ChargeAt(const Call& call, bool partitioned, absl::Time now) {
  absl::MutexLock lock(&mutex_);
  std::vector<std::string> keys;
  for (const Limit& limit : kLimits) {
    if (!IsAbout(limit, call.method)) continue;
    if (limit.per == Per::kTable && call.table.empty()) continue;  // a query without a destination
    std::string key = KeyOf(limit, call);
    const int64_t most = Scaled(partitioned ? limit.partitioned_number : limit.number);
    if (TotalOf(key, absl::Seconds(limit.window_s), now) >= most) {
      return Refusal(fmt::format(fmt::runtime(limit.message), call.method), limit.reason);
    }
    keys.push_back(std::move(key));
  }
  for (const std::string& key : keys) {
    Window& window = windows_[key];
    window.uses.push_back({now, 1});
    ++window.total;
  }
  return absl::OkStatus();
}

absl::Status Quotas::ChargeBytes(const Call& call, int64_t bytes) {
  if (!is_on()) return absl::OkStatus();
  const absl::Time now = absl::Now();
  absl::MutexLock lock(&mutex_);
  const std::string key = fmt::format("bytes/{}", call.project);
  // What is larger than a second's share alone is let through when nothing else is.
  const int64_t used = TotalOf(key, absl::Seconds(1), now);
  if (used > 0 && used + bytes > Scaled(kThroughputBytes)) {
    return Refusal(fmt::format(kThroughput, call.project), kRate);
  }
  Window& window = windows_[key];
  window.uses.push_back({now, bytes});
  window.total += bytes;
  return absl::OkStatus();
}

absl::Status Quotas::Hold(std::string_view what, std::string_view owner) {
  absl::MutexLock lock(&mutex_);
  int64_t& held = held_[fmt::format("{}/{}", what, owner)];
  for (const Held& limit : kHeld) {
    if (settings_.is_on && limit.what == what && held >= Scaled(limit.number)) {
      return Refusal(limit.message, limit.reason);
    }
  }
  ++held;
  return absl::OkStatus();
}

void Quotas::Release(std::string_view what, std::string_view owner) {
  absl::MutexLock lock(&mutex_);
  const auto found = held_.find(fmt::format("{}/{}", what, owner));
  if (found != held_.end() && --found->second <= 0) held_.erase(found);
}

}  // namespace hakobu::localbq
