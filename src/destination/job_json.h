// Jobs as they travel; shared by this folder's job, query and upload code.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "destination/jobs.h"

namespace hakobu {

// `asked` fills in what the resource does not say.
absl::StatusOr<Job> ParseJob(std::string text, const JobName& asked, std::string_view what);
// The body of jobs.insert.
std::string JobResource(const JobName& name, std::string_view configuration);
// The job that jobs.insert says exists.
absl::StatusOr<Job> GetExistingJob(Rest& rest, const JobName& name);
nlohmann::json TableReferenceJson(const TableName& name);

}  // namespace hakobu
