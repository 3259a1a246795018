#include "localbq/rest/uploads.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>

#include "absl/random/random.h"
#include "base/status.h"
#include "localbq/faults/faults.h"
#include "localbq/rest/access.h"
#include "localbq/rest/fault_methods.h"
#include "localbq/rest/jobs.h"
#include "localbq/rest/multipart.h"

namespace hakobu::localbq::rest {
namespace {

using nlohmann::json;

constexpr absl::Duration kFirstAnswer = absl::Milliseconds(500);

std::string NewId() {
  thread_local absl::BitGen random;
  return fmt::format("{:016x}{:016x}", absl::Uniform<uint64_t>(random), absl::Uniform<uint64_t>(random));
}

std::string ReadAll(BodyReader read) {
  std::string body;
  read([&](std::string_view piece) {
    body.append(piece);
    return true;
  });
  return body;
}

// Runs the load; its data file goes with it.
absl::StatusOr<JobPtr> SubmitLoad(Service& service, const json& resource, const std::string& project,
                                  const std::string& identity, const std::string& path) {
  HAKOBU_ASSIGN_OR_RETURN(JobPtr job, MakeJob(service, resource, project, identity));
  if (job->type != "LOAD") return absl::InvalidArgumentError("Only load jobs may be uploaded");
  return service.jobs->Submit(std::move(job), [&service, path](Job& running) {
    absl::Status status = RunLoad(service, running, path);
    std::error_code ignored;
    std::filesystem::remove(path, ignored);
    std::filesystem::remove(path + ".job", ignored);
    return status;
  });
}

// "bytes a-b/total", "bytes */total", "bytes a-b/*".
struct ContentRange {
  std::optional<uint64_t> first, last, total;
};
std::optional<ContentRange> ParseRange(std::string_view text) {
  ContentRange range;
  if (!text.starts_with("bytes ")) return std::nullopt;
  text.remove_prefix(6);
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto number = [](std::string_view digits) -> std::optional<uint64_t> {
    const int64_t value = ParseInteger(digits, -1);
    return value < 0 ? std::nullopt : std::optional<uint64_t>(value);
  };
  range.total = number(text.substr(slash + 1));
  const std::string_view bytes = text.substr(0, slash);
  if (bytes == "*") return range;
  const size_t dash = bytes.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  range.first = number(bytes.substr(0, dash));
  range.last = number(bytes.substr(dash + 1));
  if (!range.first || !range.last) return std::nullopt;
  return range;
}

uint64_t SizeOf(const std::string& path) {
  std::error_code error;
  const uint64_t size = std::filesystem::file_size(path, error);
  return error ? 0 : size;
}

Reply Incomplete(uint64_t held) {
  Reply reply;
  reply.status = 308;
  if (held > 0) reply.headers.emplace_back("Range", fmt::format("bytes=0-{}", held - 1));
  reply.headers.emplace_back("X-HTTP-Status-Code-Override", "308");
  return reply;
}

absl::StatusOr<Reply> Complete(Service& service, UploadSession& session) {
  if (session.job_id.empty()) {
    HAKOBU_ASSIGN_OR_RETURN(const JobPtr job, SubmitLoad(service, json::parse(session.job), session.project,
                                                         session.identity, session.path));
    session.job_id = job->id;
  }
  HAKOBU_ASSIGN_OR_RETURN(const JobPtr job, service.jobs->Find(session.project, session.job_id));
  job->Wait(kFirstAnswer);
  return JsonReply(job->Resource(service.url));
}

absl::StatusOr<Reply> Begin(Service& service, const Request& request, BodyReader read) {
  Request with_body = request;
  with_body.body = ReadAll(read);
  HAKOBU_ASSIGN_OR_RETURN(const json resource, with_body.Json());
  HAKOBU_ASSIGN_OR_RETURN(const JobPtr job, MakeJob(service, resource, request.Segment(1), request.identity));
  HAKOBU_RETURN_IF_ERROR(service.jobs->CheckUnused(job->project, job->id));
  HAKOBU_ASSIGN_OR_RETURN(
      const std::shared_ptr<UploadSession> session,
      service.uploads->Begin(resource.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace),
                             request.Segment(1), request.identity));
  Reply reply;
  const std::string_view host = request.Header("host");
  reply.headers.emplace_back(
      "Location",
      fmt::format("{}{}?uploadType=resumable&upload_id={}",
                  host.empty() ? service.url : fmt::format("http://{}", host), request.path, session->id));
  reply.headers.emplace_back("X-GUploader-UploadID", session->id);
  return reply;
}

absl::StatusOr<Reply> Resume(Service& service, const Request& request, BodyReader read) {
  HAKOBU_ASSIGN_OR_RETURN(const std::shared_ptr<UploadSession> session,
                          service.uploads->Find(request.Query("upload_id")));
  if (session->identity != request.identity) {
    return absl::PermissionDeniedError(
        fmt::format("Access Denied: upload {} was begun by somebody else", session->id));
  }
  absl::MutexLock lock(&session->mutex);
  const std::string_view header = request.Header("content-range");
  std::optional<ContentRange> range = ContentRange{.first = 0};
  if (!header.empty()) range = ParseRange(header);
  if (!range)
    return absl::InvalidArgumentError(fmt::format("Failed to parse Content-Range header: {}", header));
  if (!session->job_id.empty()) {
    ReadAll(read);
    return Complete(service, *session);
  }
  uint64_t held = SizeOf(session->path);
  if (!range->first) {
    if (range->total && held == *range->total) return Complete(service, *session);
    return Incomplete(held);
  }
  if (*range->first > held) {
    ReadAll(read);
    return Incomplete(held);  // a gap: the client goes on from what is held
  }
  uint64_t skip = held - *range->first;  // sent before, held already
  std::ofstream file(session->path, std::ios::binary | std::ios::app);
  const bool whole = read([&](std::string_view piece) {
    const uint64_t skipped = std::min<uint64_t>(skip, piece.size());
    skip -= skipped;
    piece.remove_prefix(skipped);
    file.write(piece.data(), static_cast<std::streamsize>(piece.size()));
    return file.good();
  });
  file.close();
  held = SizeOf(session->path);
  const bool last = header.empty() ? whole : range->total && held == *range->total;
  return last ? Complete(service, *session) : Incomplete(held);
}

absl::StatusOr<Reply> TakeMultipart(Service& service, const Request& request, BodyReader read) {
  const std::string body = ReadAll(read);
  HAKOBU_ASSIGN_OR_RETURN(const RelatedParts parts, SplitRelated(request.Header("content-type"), body));
  const json resource = IsTooDeep(parts.metadata) ? json() : json::parse(parts.metadata, nullptr, false);
  if (!resource.is_object()) {
    return WithReason(absl::InvalidArgumentError("Parse Error: the first part is not a JSON object"),
                      "parseError");
  }
  const std::string path = service.uploads->NewPath();
  std::ofstream file(path, std::ios::binary);
  file.write(parts.media.data(), static_cast<std::streamsize>(parts.media.size()));
  file.close();
  if (!file) return absl::InternalError("write the upload: is the disk full?");
  HAKOBU_ASSIGN_OR_RETURN(const JobPtr job,
                          SubmitLoad(service, resource, request.Segment(1), request.identity, path));
  job->Wait(kFirstAnswer);
  return JsonReply(job->Resource(service.url));
}

absl::StatusOr<Reply> Take(Service& service, const Request& request, BodyReader read) {
  const std::string_view type = request.Query("uploadType");
  const bool is_jobs =
      request.segments.size() == 3 && request.segments[0] == "projects" && request.segments[2] == "jobs";
  if (is_jobs) {
    HAKOBU_RETURN_IF_ERROR(
        CheckPermission(service, request, "bigquery.jobs.create", {request.segments[1], "", ""}));
  }
  if (!is_jobs) return absl::NotFoundError(fmt::format("Not found: {} takes no uploads", request.path));
  if (request.method == "PUT" || !request.Query("upload_id").empty()) return Resume(service, request, read);
  if (type == "resumable") return Begin(service, request, read);
  if (type == "multipart") return TakeMultipart(service, request, read);
  return absl::InvalidArgumentError(
      fmt::format("uploadType {} is not supported: use multipart or resumable", type));
}

}  // namespace

Uploads::Uploads(std::string folder) : folder_(std::move(folder)) {
  std::error_code ignored;
  std::filesystem::create_directories(folder_, ignored);
}

std::string Uploads::NewPath() const {
  return folder_ + "/" + NewId();
}

absl::StatusOr<std::shared_ptr<UploadSession>> Uploads::Begin(std::string job, std::string project,
                                                              std::string identity) {
  auto session = std::make_shared<UploadSession>();
  session->id = NewId();
  session->path = folder_ + "/" + session->id;
  session->job = std::move(job);
  session->project = std::move(project);
  session->identity = std::move(identity);
  std::ofstream file(session->path + ".job", std::ios::binary);
  file << json{{"job", session->job}, {"project", session->project}, {"identity", session->identity}}.dump(
      -1, ' ', false, nlohmann::json::error_handler_t::replace);
  file.close();
  if (!file) return absl::InternalError("write the upload's description: is the disk full?");
  absl::MutexLock lock(&mutex_);
  sessions_[session->id] = session;
  return session;
}

absl::StatusOr<std::shared_ptr<UploadSession>> Uploads::Find(std::string_view id) {
  absl::MutexLock lock(&mutex_);
  const auto found = sessions_.find(std::string(id));
  if (found != sessions_.end()) return found->second;
  const bool legal = id.size() == 32 && id.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  std::ifstream file(legal ? fmt::format("{}/{}.job", folder_, id) : std::string());
  const json stored = legal && file ? json::parse(file, nullptr, false) : json();
  if (!stored.is_object()) return absl::NotFoundError(fmt::format("Not found: upload {}", id));
  auto session = std::make_shared<UploadSession>();
  session->id = id;
  session->path = folder_ + "/" + session->id;
  session->job = Text(stored, "job");
  session->project = Text(stored, "project");
  session->identity = Text(stored, "identity");
  sessions_[session->id] = session;
  return session;
}

Reply TakeUpload(Service& service, Request& request, BodyReader read) {
  const size_t begin = request.path.find("/projects/");
  if (begin != std::string::npos) {
    std::string_view rest = std::string_view(request.path).substr(begin + 1);
    while (!rest.empty()) {
      const size_t slash = std::min(rest.find('/'), rest.size());
      request.segments.emplace_back(rest.substr(0, slash));
      rest.remove_prefix(std::min(slash + 1, rest.size()));
    }
  }
  if (std::optional<Reply> refused = Admit(service, ScopeNeed::kWrite, &request)) return *std::move(refused);
  const auto handle = [&]() -> Reply {
    absl::StatusOr<Reply> reply = Take(service, request, read);
    return reply.ok() ? *std::move(reply) : ErrorReply(reply.status());
  };
  const bool has_project = request.segments.size() > 1;
  if (!has_project || !service.faults->is_active()) return handle();
  // What is refused is read to its end, as Google does, so that the client sees the answer.
  bool is_handled = false;
  Reply reply = ReplyWithFaults(service, "jobs.insert", request, [&] {
    is_handled = true;
    return handle();
  });
  if (!is_handled && !reply.is_dropped) ReadAll(read);
  return reply;
}

}  // namespace hakobu::localbq::rest
