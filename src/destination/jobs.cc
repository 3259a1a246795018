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

json TableReference(const TableName& name) {
  return {{"projectId", name.project}, {"datasetId", name.dataset}, {"tableId", name.table}};
}

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

absl::StatusOr<Job> InsertJob(Rest& rest, const JobName& name, std::string_view configuration) {
  const std::string what = "insert job " + name.ToString();
  const std::string body = JobResource(name, configuration);
  auto answer = rest.Call({.method = "POST",
                           .path = ResourcePath({"projects", name.project, "jobs"}),
                           .body = body,
                           .what = what});
  if (answer.ok()) return ParseJob(*std::move(answer), name, what);
  const Remedy remedy =
      RemedyForRest(HttpStatus(answer.status()), ErrorReason(answer.status()), RestCall::kJobInsert);
  if (remedy == Remedy::kAlreadyDone) return GetJob(rest, name);
  return answer.status();
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
    bool ran = job.ok();
    if (job.ok() && !job->done) job = WaitForJob(rest, job->name);
    if (job.ok() && job->error.ok()) return job;
    const absl::Status failure = job.ok() ? job->error : job.status();
    // What the insert itself could not do has been retried already, with the same id.
    const bool again = HttpStatus(failure) == 0 && ran
                           ? DeservesNewJob(failure) && !ErrorReason(failure).empty()
                           : RemedyFor(failure) == Remedy::kRetryWithNewJobId;
    if (!again) return failure;
    HAKOBU_RETURN_IF_ERROR(backoff.Wait(failure));
    current.id = fmt::format("{}_r{}", name.id, attempt);
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
  for (const TableName& source : sources) tables.push_back(TableReference(source));
  json copy = {{"sourceTables", tables},
               {"destinationTable", TableReference(target)},
               {"createDisposition", "CREATE_IF_NEEDED"},
               {"writeDisposition", WriteDispositionName(disposition)}};
  SetKmsKey(kms_key, &copy);
  return json{{"copy", copy}}.dump();
}

std::string LoadConfiguration(const LoadSettings& settings) {
  json load = {{"destinationTable", TableReference(settings.target)},
               {"sourceFormat", settings.format},
               {"writeDisposition", WriteDispositionName(settings.disposition)}};
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
