// multipart/related of two parts: a job's JSON, then its data.
#pragma once

#include <string_view>

#include "absl/status/statusor.h"

namespace hakobu::localbq::rest {

struct RelatedParts {
  std::string_view metadata, media;  // point into the body
};

// The boundary may be quoted or not. InvalidArgument when the body is not made so.
absl::StatusOr<RelatedParts> SplitRelated(std::string_view content_type, std::string_view body);

}  // namespace hakobu::localbq::rest
