#include "localbq/rest/jobs.h"

#include <fmt/format.h>

#include <algorithm>

#include "absl/random/random.h"
#include "absl/strings/ascii.h"
#include "absl/time/clock.h"
#include "base/status.h"
#include "localbq/auth/authority.h"
#include "localbq/faults/faults.h"
#include "localbq/rest/anonymous.h"
#include "localbq/rest/http.h"

namespace hakobu::localbq::rest {
namespace {

using nlohmann::json;

constexpr int kWorkers = 16;
constexpr absl::Duration kCancelAgain = absl::Milliseconds(10);
constexpr size_t kMostEnded = 4000;  // some 15 KB each
constexpr uint64_t kKeptBytes = uint64_t{512} << 20;

int64_t NowMs() {
  return absl::ToUnixMillis(absl::Now());
}

}  // namespace

bool Job::done() const {
  absl::ReaderMutexLock lock(&mutex_);
  return done_;
}

bool Job::Wait(absl::Duration timeout) const {
  absl::ReaderMutexLock lock(&mutex_);
  return mutex_.AwaitWithTimeout(absl::Condition(&done_), timeout);
}

absl::Status Job::error() const {
  absl::ReaderMutexLock lock(&mutex_);
  return error_;
}

std::shared_ptr<const QueryRows> Job::rows() const {
  absl::ReaderMutexLock lock(&mutex_);
  return rows_;
}

void Job::SetStatistics(json statistics) {
  absl::MutexLock lock(&mutex_);
  statistics_ = std::move(statistics);
}

json Job::statistics() const {
  absl::ReaderMutexLock lock(&mutex_);
  return statistics_;
}

void Job::SetRows(std::shared_ptr<const QueryRows> rows) {
  absl::MutexLock lock(&mutex_);
  rows_ = std::move(rows);
}

void Job::AddError(json error) {
  absl::MutexLock lock(&mutex_);
  errors_.push_back(std::move(error));
}

json Job::ResourceLocked(std::string_view url) const {
  if (!stored_.is_null()) {
    json resource = stored_;
    resource["selfLink"] =
        fmt::format("{}/bigquery/v2/projects/{}/jobs/{}?location={}", url, project, id, location);
    return resource;
  }
  json status = {{"state", done_ ? "DONE" : running_ ? "RUNNING" : "PENDING"}};
  if (!error_.ok()) status["errorResult"] = ErrorProto(error_);
  if (!error_.ok() || !errors_.empty()) {
    status["errors"] = errors_;
    if (!error_.ok()) status["errors"].push_back(ErrorProto(error_));
  }
  json statistics = {{"creationTime", std::to_string(created_ms)}};
  if (started_ms_ != 0) statistics["startTime"] = std::to_string(started_ms_);
  if (ended_ms_ != 0) {
    statistics["endTime"] = std::to_string(ended_ms_);
    statistics["finalExecutionDurationMs"] = std::to_string(ended_ms_ - started_ms_);
  }
  const std::string key = absl::AsciiStrToLower(type);
  if (!statistics_.empty()) statistics[key] = statistics_;
  if (key == "query") statistics["totalBytesProcessed"] = Text(statistics_, "totalBytesProcessed", "0");
  json shown = configuration;
  shown["jobType"] = type;
  if (rows_ && !rows_->schema.empty() && !shown["query"].contains("destinationTable")) {
    shown["query"]["destinationTable"] = ToReference(AnonymousTableOf(*this));
  }
  json resource = {{"kind", "bigquery#job"},
                   {"etag", fmt::format("{}-{}", id, done_ ? 2 : 1)},
                   {"id", fmt::format("{}:{}.{}", project, location, id)},
                   {"user_email", user},
                   {"jobReference", {{"projectId", project}, {"jobId", id}, {"location", location}}},
                   {"configuration", std::move(shown)},
                   {"statistics", std::move(statistics)},
                   {"status", std::move(status)}};
  resource["selfLink"] =
      fmt::format("{}/bigquery/v2/projects/{}/jobs/{}?location={}", url, project, id, location);
  return resource;
}

json Job::Resource(std::string_view url) const {
  absl::ReaderMutexLock lock(&mutex_);
  return ResourceLocked(url);
}

absl::Status Job::RecordDone(Connection& connection) {
  is_recorded_ = true;
  json resource;
  {
    absl::MutexLock lock(&mutex_);
    done_ = true;
    ended_ms_ = NowMs();
    resource = ResourceLocked("");
    done_ = false;
  }
  std::vector<Value> values;
  values.push_back(Value::Text(project));
  values.push_back(Value::Text(id));
  values.push_back(Value::Text(resource.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)));
  return connection.Query("INSERT INTO hakobu.jobs VALUES (?, ?, ?)", values).status();
}

void Job::Start() {
  absl::MutexLock lock(&mutex_);
  running_ = true;
  started_ms_ = NowMs();
}

void Job::Finish(absl::Status error) {
  absl::MutexLock lock(&mutex_);
  if (absl::IsCancelled(error)) {
    const std::string why =
        timed_out_ ? fmt::format("Job timed out after {} ms", Integer(configuration, "jobTimeoutMs"))
                   : "User requested cancellation";
    error = WithReason(absl::CancelledError("Job execution was cancelled: " + why), "stopped");
  }
  error_ = std::move(error);
  ended_ms_ = NowMs();
  done_ = true;
}

void Job::Cancel() {
  cancelled_ = true;
  absl::MutexLock lock(&mutex_);
  if (connection_ != nullptr && !done_) connection_->Interrupt();
}

void Job::TimeOut() {
  timed_out_ = true;
  Cancel();
}

Job::Interruptible::Interruptible(Job* job, Connection* connection) : job_(job) {
  absl::MutexLock lock(&job_->mutex_);
  job_->connection_ = connection;
}
Job::Interruptible::~Interruptible() {
  absl::MutexLock lock(&job_->mutex_);
  job_->connection_ = nullptr;
}

JobStore::JobStore(Warehouse* warehouse, Faults* faults) : warehouse_(warehouse), faults_(faults) {
  for (int i = 0; i < kWorkers; ++i) workers_.emplace_back([this] { RunWorker(); });
}

void JobStore::Stop() {
  absl::MutexLock lock(&mutex_);
  stopping_ = true;
  const auto idle = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return running_ == 0; };
  do {
    for (const auto& [key, job] : jobs_) {
      if (!job->done()) job->Cancel();
    }
  } while (!mutex_.AwaitWithTimeout(absl::Condition(&idle), kCancelAgain));
}

JobStore::~JobStore() {
  Stop();
  for (std::thread& worker : workers_) worker.join();
}

absl::Status JobStore::Load() {
  HAKOBU_ASSIGN_OR_RETURN(const Warehouse::Lease connection, warehouse_->Connect());
  HAKOBU_RETURN_IF_ERROR(connection->Run(
      "CREATE TABLE IF NOT EXISTS hakobu.jobs (project VARCHAR, id VARCHAR, resource VARCHAR)"));
  HAKOBU_ASSIGN_OR_RETURN(Result result, connection->Query("SELECT project, id FROM hakobu.jobs"));
  absl::MutexLock lock(&mutex_);
  while (const std::optional<Chunk> chunk = result.Next()) {
    for (idx_t row = 0; row < chunk->rows(); ++row) {
      std::string parts[2];
      for (idx_t i = 0; i < 2; ++i) {
        auto* texts = static_cast<duckdb_string_t*>(duckdb_vector_get_data(chunk->column(i)));
        parts[i].assign(duckdb_string_t_data(&texts[row]), duckdb_string_t_length(texts[row]));
      }
      stored_.emplace(parts[0], parts[1]);
    }
  }
  return absl::OkStatus();
}

std::string JobStore::NewId() {
  thread_local absl::BitGen random;
  return fmt::format("job_{:016x}{:08x}", absl::Uniform<uint64_t>(random), absl::Uniform<uint32_t>(random));
}

absl::Status JobStore::Refuse(const Key& key, std::string_view location) {
  if (faults_->Has(Behaviour::kHiddenJobs)) {
    const absl::Time now = faults_->behaviours().Now();
    absl::erase_if(refused_, [&](const auto& item) {
      return now - item.second > faults_->behaviours().Length(Delay::kHiddenJob);
    });
    refused_[key] = now;
  }
  return absl::AlreadyExistsError(
      fmt::format("Already Exists: Job {}:{}.{}", key.first, location, key.second));
}

bool JobStore::IsHidden(std::string_view project, std::string_view id) const {
  const Setting setting = faults_->behaviours().setting(Behaviour::kHiddenJobs);
  if (setting == Setting::kOff) return false;
  const Key key(project, id);
  absl::ReaderMutexLock lock(&mutex_);
  const auto found = refused_.find(key);
  if (found == refused_.end()) return false;
  const Behaviours& behaviours = faults_->behaviours();
  if (behaviours.Now() - found->second > behaviours.Length(Delay::kHiddenJob)) return false;
  // Some of them, by the moment.
  return setting == Setting::kAlways || absl::ToUnixMicros(found->second) % 2 == 0;
}

absl::Status JobStore::CheckUnused(std::string_view project, std::string_view id) {
  const Key key(project, id);
  absl::MutexLock lock(&mutex_);
  if (!jobs_.contains(key) && !stored_.contains(key)) return absl::OkStatus();
  const auto job = jobs_.find(key);
  return Refuse(key, job == jobs_.end() ? "US" : job->second->location);
}

absl::StatusOr<JobPtr> JobStore::Submit(JobPtr job, Work work) {
  const Key key(job->project, job->id);
  absl::MutexLock lock(&mutex_);
  if (stopping_) return absl::UnavailableError("The service is stopping; retry the request.");
  if (stored_.contains(key) || jobs_.contains(key)) {
    return Refuse(key, job->location);
  }
  const bool needs_place = faults_->quotas().is_on() && job->type == "QUERY";
  if (needs_place) HAKOBU_RETURN_IF_ERROR(faults_->quotas().Hold("queue", job->project));
  jobs_.emplace(key, job);
  queue_.push_back({job, std::move(work), needs_place});
  return job;
}

bool JobStore::IsStopping() const {
  absl::ReaderMutexLock lock(&mutex_);
  return stopping_;
}

absl::Status JobStore::RunCaught(Job& job, const Work& work) {
  try {
    return RunJob(job, work);
  } catch (const std::exception& error) {
    return absl::InternalError(fmt::format("An internal error occurred: {}", error.what()));
  }
}

absl::Status JobStore::RunJob(Job& job, const Work& work) {
  if (!faults_->is_active()) return work(job);
  const std::string key = absl::AsciiStrToLower(job.type);
  const json& target = Child(Child(job.configuration, key.c_str()), "destinationTable");
  const std::string method = "job." + key, dataset = Text(target, "datasetId"),
                    table = Text(target, "tableId"), project = Text(target, "projectId", job.project);
  const Call call{method, project, dataset, table, job.user};
  const absl::Status charged = faults_->quotas().Charge(call);
  if (!charged.ok()) return charged;
  const Effect effect = faults_->Decide(call);
  faults_->Delay(effect.delay);
  if (job.cancelled()) return absl::CancelledError("cancelled");
  if (effect.end == Effect::End::kError) return WithReason(effect.error, effect.reason);
  return work(job);
}

void JobStore::RunWorker() {
  while (true) {
    Queued next;
    {
      absl::MutexLock lock(&mutex_);
      const auto ready = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return stopping_ || !queue_.empty(); };
      mutex_.Await(absl::Condition(&ready));
      if (queue_.empty()) return;
      next = std::move(queue_.front());
      queue_.pop_front();
      ++running_;
    }
    const JobPtr& job = next.job;
    if (next.has_place) faults_->quotas().Release("queue", job->project);
    job->Start();
    const int64_t timeout_ms = Integer(job->configuration, "jobTimeoutMs");
    if (timeout_ms > 0) timer_.Watch(job, absl::Now() + absl::Milliseconds(timeout_ms));
    absl::Status status = job->cancelled() ? absl::CancelledError("cancelled") : RunCaught(*job, next.work);
    const bool failed = !status.ok();
    KeepRows(job);
    job->Finish(std::move(status));
    if (failed && !IsStopping()) {
      const absl::Status stored = warehouse_->InTransaction([&](Connection& connection) -> absl::Status {
        std::vector<Value> values;
        values.push_back(Value::Text(job->project));
        values.push_back(Value::Text(job->id));
        values.push_back(
            Value::Text(job->Resource("").dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)));
        return connection.Query("INSERT INTO hakobu.jobs VALUES (?, ?, ?)", values).status();
      });
      (void)stored;  // a failed job that is forgotten after a restart may be inserted again, harmlessly
    }
    absl::MutexLock lock(&mutex_);
    KeepEnded(job, failed || job->is_recorded());
    --running_;
  }
}

void JobStore::KeepEnded(const JobPtr& job, bool stored) {
  ended_.push_back({Key(job->project, job->id), stored});
  while (ended_.size() > kMostEnded) {
    const auto oldest = jobs_.find(ended_.front().key);
    if (oldest != jobs_.end()) {
      if (const auto rows = oldest->second->rows()) kept_bytes_ -= rows->bytes;
      oldest->second->SetRows(nullptr);
      by_result_.erase(AnonymousTableOf(*oldest->second));
      jobs_.erase(oldest);
      if (ended_.front().stored) stored_.insert(ended_.front().key);
    }
    ended_.pop_front();
  }
}

// The oldest results go when the room is used up.
void JobStore::KeepRows(const JobPtr& job) {
  const std::shared_ptr<const QueryRows> rows = job->rows();
  if (!rows) return;
  absl::MutexLock lock(&mutex_);
  if (!rows->schema.empty()) by_result_[AnonymousTableOf(*job)] = job;
  kept_bytes_ += rows->bytes;
  with_rows_.push_back(job);
  while (kept_bytes_ > kKeptBytes && with_rows_.size() > 1) {
    if (const JobPtr oldest = with_rows_.front().lock()) {
      if (const auto dropped = oldest->rows()) kept_bytes_ -= dropped->bytes;
      oldest->SetRows(nullptr);
      by_result_.erase(AnonymousTableOf(*oldest));
    }
    with_rows_.pop_front();
  }
}

absl::StatusOr<JobPtr> JobStore::Find(std::string_view project, std::string_view id) const {
  const Key key(project, id);
  {
    absl::ReaderMutexLock lock(&mutex_);
    const auto found = jobs_.find(key);
    if (found != jobs_.end()) return found->second;
    if (!stored_.contains(key)) return absl::NotFoundError(fmt::format("Not found: Job {}:{}", project, id));
  }
  HAKOBU_ASSIGN_OR_RETURN(const Warehouse::Lease connection, warehouse_->Connect());
  std::vector<Value> values;
  values.push_back(Value::Text(project));
  values.push_back(Value::Text(id));
  HAKOBU_ASSIGN_OR_RETURN(
      Result result,
      connection->Query("SELECT resource FROM hakobu.jobs WHERE project = ? AND id = ?", values));
  const std::optional<std::string> text = result.FirstText();
  if (!text) return absl::NotFoundError(fmt::format("Not found: Job {}:{}", project, id));
  auto job = std::make_shared<Job>();
  json resource = json::parse(*text);
  job->project = project;
  job->id = id;
  job->location = Text(Child(resource, "jobReference"), "location", "US");
  job->user = Text(resource, "user_email");
  job->type = Text(Child(resource, "configuration"), "jobType");
  job->configuration = Child(resource, "configuration");
  absl::MutexLock lock(&job->mutex_);
  job->done_ = true;
  if (const json& error = Child(Child(resource, "status"), "errorResult"); !error.empty()) {
    job->error_ = WithReason(absl::InvalidArgumentError(Text(error, "message")), Text(error, "reason"));
  }
  job->stored_ = std::move(resource);
  return job;
}

absl::StatusOr<JobPtr> JobStore::FindIn(std::string_view project, std::string_view id,
                                        std::string_view location) const {
  HAKOBU_ASSIGN_OR_RETURN(JobPtr job, Find(project, id));
  const std::string_view wanted = location.empty() ? "US" : location;
  const bool is_elsewhere = faults_->Has(Behaviour::kLocations) && !IsSameLocation(wanted, job->location);
  if (is_elsewhere || IsHidden(project, id)) {
    return absl::NotFoundError(fmt::format("Not found: Job {}:{}", project, id));
  }
  return job;
}

JobPtr JobStore::FindByResult(const TableId& table) const {
  absl::ReaderMutexLock lock(&mutex_);
  const auto found = by_result_.find(table);
  return found == by_result_.end() ? nullptr : found->second.lock();
}

absl::Status JobStore::Remove(std::string_view project, std::string_view id) {
  HAKOBU_RETURN_IF_ERROR(Find(project, id).status());
  const absl::Status stored = warehouse_->InTransaction([&](Connection& connection) -> absl::Status {
    std::vector<Value> values;
    values.push_back(Value::Text(project));
    values.push_back(Value::Text(id));
    return connection.Query("DELETE FROM hakobu.jobs WHERE project = ? AND id = ?", values).status();
  });
  HAKOBU_RETURN_IF_ERROR(stored);
  absl::MutexLock lock(&mutex_);
  if (const auto job = jobs_.find(Key(project, id)); job != jobs_.end()) {
    by_result_.erase(AnonymousTableOf(*job->second));
    jobs_.erase(job);
  }
  stored_.erase(Key(project, id));
  return absl::OkStatus();
}

std::vector<JobPtr> JobStore::List(std::string_view project) const {
  std::vector<JobPtr> jobs;
  {
    absl::ReaderMutexLock lock(&mutex_);
    for (const auto& [key, job] : jobs_) {
      if (key.first == project) jobs.push_back(job);
    }
  }
  std::ranges::sort(jobs, [](const JobPtr& a, const JobPtr& b) {
    return a->created_ms != b->created_ms ? a->created_ms > b->created_ms : a->id < b->id;
  });
  return jobs;
}

absl::StatusOr<JobPtr> MakeJob(const Service& service, const json& resource, std::string_view project,
                               std::string_view identity) {
  auto job = std::make_shared<Job>();
  const json& reference = Child(resource, "jobReference");
  job->project = Text(reference, "projectId", project);
  job->id = Text(reference, "jobId");
  if (job->id.empty()) job->id = JobStore::NewId();
  job->location = Text(reference, "location");
  const bool legal = job->id.size() <= 1024 && std::ranges::all_of(job->id, [](unsigned char c) {
                       return std::isalnum(c) || c == '_' || c == '-';
                     });
  if (!legal) {
    return absl::InvalidArgumentError(
        fmt::format("Invalid job ID \"{}\". Job IDs must be alphanumeric (plus underscores and dashes) and "
                    "must be at most 1024 "
                    "characters long.",
                    job->id));
  }
  job->user = identity.empty() ? "user@example.com" : std::string(auth::EmailOf(identity));
  job->identity = identity;
  job->configuration = Child(resource, "configuration");
  job->created_ms = NowMs();
  for (const auto& [key, type] : {std::pair{"load", "LOAD"}, {"query", "QUERY"}, {"copy", "COPY"}}) {
    if (job->configuration.contains(key) && job->configuration[key].is_object()) job->type = type;
  }
  if (job->configuration.contains("extract") && job->type.empty()) {
    return absl::UnimplementedError(
        "Extract jobs are not supported by the local BigQuery: read through queries, "
        "tabledata.list or the Storage Read API");
  }
  if (job->type.empty()) {
    return WithReason(
        absl::InvalidArgumentError("Required parameter is missing: configuration.query, load or copy"),
        "required");
  }
  if (job->location.empty()) job->location = LocationFor(service, *job);
  return job;
}

}  // namespace hakobu::localbq::rest
