// Resumable uploads [bigquery/docs/reference/api-uploads]: chunks in multiples of 256 KiB, 308 with the range
// the service holds after each, the Job after the last.
#include <fmt/format.h>

#include <charconv>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/status.h"
#include "destination/job_json.h"
#include "destination/jobs.h"

namespace hakobu {
namespace {

constexpr size_t kQuantum = size_t{256} << 10;

// `bytes=0-N` -> N + 1; no header: nothing was kept.
absl::StatusOr<uint64_t> HeldBytes(const HttpResponse& response) {
  const std::string_view range = response.Header("range");
  if (range.empty()) return 0;
  const size_t dash = range.rfind('-');
  uint64_t last = 0;
  const char* begin = range.data() + dash + 1;
  if (dash == std::string_view::npos ||
      std::from_chars(begin, range.data() + range.size(), last).ec != std::errc()) {
    return absl::InternalError(fmt::format("expected Range: bytes=0-N, found '{}'", range));
  }
  return last + 1;
}

}  // namespace

class LoadUpload::State {
 public:
  State(Rest& rest, JobName name, size_t chunk_bytes)
      : rest_(rest),
        name_(std::move(name)),
        what_("upload for job " + name_.ToString()),
        chunk_bytes_(chunk_bytes) {}

  absl::Status Begin(std::string_view configuration);
  absl::Status Write(std::string_view bytes);
  absl::StatusOr<Job> Finish();
  bool found_earlier() const { return earlier_.ok(); }

 private:
  enum class End : uint8_t { kMoreFollows, kLast };
  absl::Status SendPending(End end);
  absl::Status SendOnce(End end);
  absl::Status AskState();
  absl::Status TakeAnswer(const absl::StatusOr<HttpResponse>& response);
  absl::Status Forget(uint64_t held);

  Rest& rest_;
  const JobName name_;
  const std::string what_;
  const size_t chunk_bytes_;
  std::string session_;
  std::string pending_;  // not yet confirmed, beginning at held_
  uint64_t held_ = 0;    // bytes the service has confirmed
  bool complete_ = false;
  std::string job_json_;  // the last answer's body
  absl::StatusOr<Job> earlier_ = absl::NotFoundError("no earlier job");
};

absl::Status LoadUpload::State::Begin(std::string_view configuration) {
  const std::string body = JobResource(name_, configuration);
  return Retry(
      rest_.options().retry, rest_.options().context, Idempotency::kIdempotent, [&]() -> absl::Status {
        HttpRequest request;
        request.method = "POST";
        request.url =
            fmt::format("{}/upload/bigquery/v2{}?uploadType=resumable", rest_.options().endpoint.rest,
                        ResourcePath({"projects", name_.project, "jobs"}));
        request.headers = {"Content-Type: application/json; charset=UTF-8",
                           "X-Upload-Content-Type: application/octet-stream"};
        request.body = body;
        request.outages = rest_.options().context.outages;
        request.work = what_;
        absl::StatusOr<HttpResponse> response = rest_.Send(std::move(request));
        rest_.Tell(what_, response.status());
        if (!response.ok()) return Annotate(response.status(), what_);
        if (response->status == 409) {
          earlier_ = GetExistingJob(rest_, name_);
          return earlier_.status();
        }
        if (response->status / 100 != 2) return RestError("begin " + what_, response->status, response->body);
        session_ = std::string(response->Header("location"));
        if (session_.empty())
          return absl::InternalError(fmt::format("begin {}: expected a Location header", what_));
        return absl::OkStatus();
      });
}

absl::Status LoadUpload::State::Write(std::string_view bytes) {
  if (earlier_.ok()) return absl::OkStatus();
  while (!bytes.empty()) {
    const size_t take = std::min(bytes.size(), chunk_bytes_ - pending_.size());
    pending_.append(bytes.substr(0, take));
    bytes.remove_prefix(take);
    // The very last chunk is kept for Finish, which must say where the data ends.
    while (pending_.size() == chunk_bytes_ && !bytes.empty()) {
      HAKOBU_RETURN_IF_ERROR(SendPending(End::kMoreFollows));
      if (earlier_.ok()) return absl::OkStatus();
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<Job> LoadUpload::State::Finish() {
  if (!earlier_.ok()) HAKOBU_RETURN_IF_ERROR(SendPending(End::kLast));
  if (earlier_.ok()) return earlier_;
  return ParseJob(std::move(job_json_), name_, what_);
}

// Drops what the service has confirmed.
absl::Status LoadUpload::State::Forget(uint64_t held) {
  if (held < held_ || held > held_ + pending_.size()) {
    return absl::DataLossError(fmt::format("{}: the service holds {} bytes, expected {} to {}", what_, held,
                                           held_, held_ + pending_.size()));
  }
  pending_.erase(0, held - held_);
  held_ = held;
  return absl::OkStatus();
}

absl::Status LoadUpload::State::TakeAnswer(const absl::StatusOr<HttpResponse>& response) {
  if (!response.ok()) return Annotate(response.status(), what_);
  if (response->status == 308) {
    HAKOBU_ASSIGN_OR_RETURN(const uint64_t held, HeldBytes(*response));
    return Forget(held);
  }
  if (response->status == 409) {  // the id is taken: by this job, in an earlier life or a lost answer
    earlier_ = GetExistingJob(rest_, name_);
    return earlier_.status();
  }
  if (response->status == 404 || response->status == 410) {
    return WithHint(absl::AbortedError(
                        fmt::format("{}: the upload's session is gone (HTTP {})", what_, response->status)),
                    "send the whole file again under the same job id, which cannot load it twice");
  }
  if (response->status / 100 != 2) return RestError(what_, response->status, response->body);
  complete_ = true;
  job_json_ = response->body;
  return absl::OkStatus();
}

absl::Status LoadUpload::State::SendOnce(End end) {
  HttpRequest request;
  request.method = "PUT";
  request.url = session_;
  request.body = pending_;
  if (end == End::kMoreFollows) request.body = request.body.substr(0, pending_.size() / kQuantum * kQuantum);
  request.timeout = rest_.options().timeout;
  request.outages = rest_.options().context.outages;
  request.work = what_;
  request.answer_within = kJobAnswerWithin;
  const uint64_t past = held_ + request.body.size();
  const std::string total = end == End::kLast ? fmt::to_string(past) : "*";
  const std::string range =
      request.body.empty() ? fmt::format("*/{}", total) : fmt::format("{}-{}/{}", held_, past - 1, total);
  request.headers = {"Content-Type: application/octet-stream", "Content-Range: bytes " + range};
  return TakeAnswer(rest_.Send(std::move(request)));
}

// After a failure: how much has arrived?
absl::Status LoadUpload::State::AskState() {
  HttpRequest request;
  request.method = "PUT";
  request.url = session_;
  request.headers = {"Content-Range: bytes */*"};
  return TakeAnswer(rest_.Send(std::move(request)));
}

absl::Status LoadUpload::State::SendPending(End end) {
  Backoff backoff(rest_.options().retry, rest_.options().context);
  bool ask = false;
  while (true) {
    const uint64_t before = held_;
    const absl::Status status = ask ? AskState() : SendOnce(end);
    rest_.Tell(what_, status);
    ask = false;
    if (complete_ || earlier_.ok()) return absl::OkStatus();
    if (status.ok()) {
      if (end == End::kMoreFollows && pending_.size() < chunk_bytes_) return absl::OkStatus();
      if (held_ > before) backoff.Reset();
      if (held_ == before && !pending_.empty()) {
        HAKOBU_RETURN_IF_ERROR(backoff.Wait(absl::UnavailableError(fmt::format("{}: no progress", what_))));
      }
      continue;
    }
    if (RemedyFor(status) != Remedy::kRetry) return status;
    HAKOBU_RETURN_IF_ERROR(backoff.Wait(status));
    ask = true;
  }
}

absl::StatusOr<std::unique_ptr<LoadUpload>> LoadUpload::Start(Rest& rest, const JobName& name,
                                                              std::string_view configuration,
                                                              size_t chunk_bytes) {
  const size_t rounded = std::max<size_t>(1, (chunk_bytes + kQuantum - 1) / kQuantum) * kQuantum;
  auto state = std::make_unique<State>(rest, name, rounded);
  HAKOBU_RETURN_IF_ERROR(state->Begin(configuration));
  return std::unique_ptr<LoadUpload>(new LoadUpload(std::move(state)));
}

LoadUpload::LoadUpload(std::unique_ptr<State> state) : state_(std::move(state)) {}
LoadUpload::~LoadUpload() = default;
absl::Status LoadUpload::Write(std::string_view bytes) {
  return state_->Write(bytes);
}
absl::StatusOr<Job> LoadUpload::Finish() {
  return state_->Finish();
}
bool LoadUpload::found_earlier() const {
  return state_->found_earlier();
}

}  // namespace hakobu
