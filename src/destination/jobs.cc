#include "destination/jobs.h"

#include <fmt/format.h>
#include <openssl/sha.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <random>

#include "base/status.h"
#include "destination/job_json.h"
#include "destination/json.h"

namespace hakobu {
namespace {

using nlohmann::json;

std::string JobPath(const JobName& name) {
  return ResourcePath({"projects", name.project, "jobs", name.id});
}

std::vector<std::pair<std::string, std::string>> LocationQuery(const JobName& name) {
  if (name.location.empty()) return {};
  return {{"location", name.location}};
}

// For so long jobs.get may not know the job that jobs.insert says exists [python-bigquery, _job_helpers.py].
constexpr absl::Duration kUnknownJobPatience = absl::Seconds(200);

void SetKmsKey(std::string_view key, json* job) {
  if (!key.empty()) (*job)["destinationEncryptionConfiguration"]["kmsKeyName"] = key;
}

// The service failed, not the job's content.
bool DeservesNewJob(const absl::Status& status) {
  const Remedy remedy = RemedyFor(status);
  return remedy == Remedy::kRetry || remedy == Remedy::kRetryWithNewJobId;
}

}  // namespace

absl::StatusOr<Job> ParseJob(std::string text, const JobName& asked, std::string_view what) {
  HAKOBU_ASSIGN_OR_RETURN(const json document, ParseJson(text, what));
  Job job;
  const json& reference = ObjectAt(document, "jobReference");
  job.name = {asked.project, TextAt(reference, "jobId"), TextAt(reference, "location")};
  if (job.name.id.empty()) job.name.id = asked.id;
  if (job.name.location.empty()) job.name.location = asked.location;
  const json& status = ObjectAt(document, "status");
  job.done = TextAt(status, "state") == "DONE";
  const json& error = ObjectAt(status, "errorResult");
  if (!error.empty())
    job.error = JobError("job " + job.name.ToString(), TextAt(error, "reason"), TextAt(error, "message"));
  const json& statistics = ObjectAt(document, "statistics");
  const json& query = ObjectAt(statistics, "query");
  job.output_rows = static_cast<uint64_t>(IntegerAt(ObjectAt(statistics, "load"), "outputRows"));
  job.affected_rows = static_cast<uint64_t>(IntegerAt(query, "numDmlAffectedRows"));
  job.bytes_processed = static_cast<uint64_t>(
      IntegerAt(query.contains("totalBytesProcessed") ? query : statistics, "totalBytesProcessed"));
  job.bytes_billed = static_cast<uint64_t>(IntegerAt(query, "totalBytesBilled"));
  job.json = std::move(text);
  return job;
}

std::string JobResource(const JobName& name, std::string_view configuration) {
  json reference = {{"projectId", name.project}, {"jobId", name.id}};
  if (!name.location.empty()) reference["location"] = name.location;
  return fmt::format(R"({{"jobReference":{},"configuration":{}}})", reference.dump(), configuration);
}

std::string MakeJobId(std::string_view kind, const std::vector<std::string_view>& parts, int attempt) {
  std::string text;
  for (const std::string_view part : parts) text += fmt::format("{}:{}", part.size(), part);  // unambiguous
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  std::string hex;
  for (size_t i = 0; i < 16; ++i) hex += fmt::format("{:02x}", digest[i]);
  return fmt::format("hakobu_{}_{}_{}", kind, hex, attempt);
}

json TableReferenceJson(const TableName& name) {
  return {{"projectId", name.project}, {"datasetId", name.dataset}, {"tableId", name.table}};
}

absl::StatusOr<Job> InsertJob(Rest& rest, const JobName& name, std::string_view configuration) {
  const std::string what = "insert job " + name.ToString();
  const std::string body = JobResource(name, configuration);
  auto answer = rest.Call({.method = "POST",
                           .path = ResourcePath({"projects", name.project, "jobs"}),
                           .body = body,
                           .what = what,
                           .answer_within = kJobAnswerWithin});
  if (answer.ok()) return ParseJob(*std::move(answer), name, what);
  const Remedy remedy = RemedyFor(FactsOf(Where::kJobInsert, answer.status()));
  if (remedy == Remedy::kAlreadyDone) return GetExistingJob(rest, name);
  return answer.status();
}

absl::StatusOr<Job> GetExistingJob(Rest& rest, const JobName& name) {
  RetryPolicy patience = rest.options().retry;
  patience.max_elapsed = kUnknownJobPatience;
  Backoff backoff(patience, rest.options().context);
  while (true) {
    absl::StatusOr<Job> job = GetJob(rest, name);
    if (job.ok()) job->existed = true;
    if (!absl::IsNotFound(job.status())) return job;
    HAKOBU_RETURN_IF_ERROR(
        WithHint(backoff.Wait(job.status()), "the service says that this job exists and does not find it"));
  }
}

absl::StatusOr<Job> GetJob(Rest& rest, const JobName& name) {
  const std::string what = "get job " + name.ToString();
  HAKOBU_ASSIGN_OR_RETURN(std::string body,
                          rest.Call({.path = JobPath(name), .query = LocationQuery(name), .what = what}));
  return ParseJob(std::move(body), name, what);
}

absl::Status CancelJob(Rest& rest, const JobName& name) {
  return rest
      .Call({.method = "POST",
             .path = JobPath(name) + "/cancel",
             .query = LocationQuery(name),
             .what = "cancel job " + name.ToString()})
      .status();
}

absl::StatusOr<Job> WaitForJob(Rest& rest, const JobName& name) {
  JobName located = name;
  absl::Duration pause = absl::Milliseconds(50);
  while (true) {
    HAKOBU_ASSIGN_OR_RETURN(Job job, GetJob(rest, located));
    if (job.done) {
      if (!job.error.ok()) return job.error;
      return job;
    }
    located.location = job.name.location;
    HAKOBU_RETURN_IF_ERROR(
        Annotate(SleepFor(rest.options().context, pause), "wait for job " + name.ToString()));
    pause = std::min(pause * 1.6, absl::Seconds(10));
  }
}

absl::StatusOr<Job> RunJob(Rest& rest, const JobName& name, std::string_view configuration) {
  JobName current = name;
  Backoff backoff(rest.options().retry, rest.options().context);
  for (int attempt = 1;; ++attempt) {
    absl::StatusOr<Job> job = InsertJob(rest, current, configuration);
    const bool ran = job.ok();
    const bool burned = ran && IsBurned(*job);
    if (job.ok() && !job->done) job = WaitForJob(rest, job->name);
    if (job.ok() && job->error.ok()) return job;
    const absl::Status failure = job.ok() ? job->error : job.status();
    current.id = fmt::format("{}_r{}", name.id, attempt);
    if (burned) continue;  // a failure of an earlier life says nothing of this one
    // What the insert itself could not do has been retried already, with the same id.
    const bool again = HttpStatus(failure) == 0 && ran
                           ? DeservesNewJob(failure) && !ErrorReason(failure).empty()
                           : RemedyFor(failure) == Remedy::kRetryWithNewJobId;
    if (!again) return failure;
    HAKOBU_RETURN_IF_ERROR(backoff.Wait(failure));
  }
}

std::string_view WriteDispositionName(WriteDisposition disposition) {
  switch (disposition) {
    case WriteDisposition::kAppend:
      return "WRITE_APPEND";
    case WriteDisposition::kEmpty:
      return "WRITE_EMPTY";
    case WriteDisposition::kTruncate:
      return "WRITE_TRUNCATE";
    case WriteDisposition::kTruncateData:
      return "WRITE_TRUNCATE_DATA";
  }
  return "WRITE_EMPTY";
}

std::string CopyConfiguration(const std::vector<TableName>& sources, const TableName& target,
                              WriteDisposition disposition, std::string_view kms_key) {
  json tables = json::array();
  for (const TableName& source : sources) tables.push_back(TableReferenceJson(source));
  json copy = {{"sourceTables", tables},
               {"destinationTable", TableReferenceJson(target)},
               {"createDisposition", "CREATE_IF_NEEDED"},
               {"writeDisposition", WriteDispositionName(disposition)}};
  SetKmsKey(kms_key, &copy);
  return json{{"copy", copy}}.dump();
}

std::string LoadConfiguration(const LoadSettings& settings) {
  json load = {{"destinationTable", TableReferenceJson(settings.target)},
               {"sourceFormat", settings.format},
               {"writeDisposition", WriteDispositionName(settings.disposition)}};
  if (settings.may_add_fields) load["schemaUpdateOptions"] = {"ALLOW_FIELD_ADDITION"};
  if (!settings.schema_fields.empty()) {
    load["schema"]["fields"] = json::parse(settings.schema_fields, nullptr, /*allow_exceptions=*/false);
  }
  if (settings.format == "AVRO") {
    load["useAvroLogicalTypes"] = settings.use_avro_logical_types;
    load["decimalTargetTypes"] = settings.decimal_target_types;
  }
  load["createDisposition"] = settings.create ? "CREATE_IF_NEEDED" : "CREATE_NEVER";
  if (!settings.layout.empty())
    load.update(json::parse(settings.layout, nullptr, /*allow_exceptions=*/false));
  SetKmsKey(settings.kms_key, &load);
  return json{{"load", load}}.dump();
}

}  // namespace hakobu
