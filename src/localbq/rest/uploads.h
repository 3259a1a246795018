// Load jobs' data on its way in: multipart/related in one request, or resumable in many.
// Source: https://cloud.google.com/bigquery/docs/reference/api-uploads
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "localbq/rest/service.h"

namespace hakobu::localbq::rest {

// Takes a piece of a body; false: stop reading.
using BodySink = absl::FunctionRef<bool(std::string_view piece)>;
// Reads a request's body to its end through a sink; false: the connection broke.
using BodyReader = absl::FunctionRef<bool(const BodySink& sink)>;

// A resumable upload. Its data and its job lie in files, so that it can be resumed after a restart too.
struct UploadSession {
  absl::Mutex mutex;  // held while a request adds to it
  std::string id, path;
  std::string job;  // the client's resource, JSON text
  std::string project, identity;
  std::string job_id;  // once the data is complete
};

// Thread-safe.
class Uploads {
 public:
  explicit Uploads(std::string folder);
  absl::StatusOr<std::shared_ptr<UploadSession>> Begin(std::string job, std::string project,
                                                       std::string identity);
  absl::StatusOr<std::shared_ptr<UploadSession>> Find(std::string_view id);
  // A fresh name in the folder, for data of one request.
  std::string NewPath() const;

 private:
  const std::string folder_;
  absl::Mutex mutex_;
  absl::flat_hash_map<std::string, std::shared_ptr<UploadSession>> sessions_ ABSL_GUARDED_BY(mutex_);
};

// Answers every request under /upload/.
Reply TakeUpload(Service& service, Request& request, BodyReader read);

}  // namespace hakobu::localbq::rest
