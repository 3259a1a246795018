#include "localbq/rest/multipart.h"

#include <fmt/format.h>

#include <string>
#include <vector>

#include "base/status.h"

namespace hakobu::localbq::rest {
namespace {

absl::StatusOr<std::string> BoundaryOf(std::string_view content_type) {
  const size_t at = content_type.find("boundary=");
  if (at == std::string_view::npos) {
    return absl::InvalidArgumentError("Missing boundary in the multipart Content-Type");
  }
  std::string_view boundary = content_type.substr(at + 9);
  const bool quoted = boundary.starts_with('"') || boundary.starts_with('\'');
  if (quoted) {
    const char quote = boundary[0];
    boundary.remove_prefix(1);
    boundary = boundary.substr(0, boundary.find(quote));
  } else {
    boundary = boundary.substr(0, boundary.find_first_of("; \t"));
  }
  return std::string(boundary);
}

// Past the part's headers.
std::string_view Content(std::string_view part) {
  for (const std::string_view blank : {"\r\n\r\n", "\n\n"}) {
    const size_t end = part.find(blank);
    if (end != std::string_view::npos) return part.substr(end + blank.size());
  }
  return part;
}

}  // namespace

absl::StatusOr<RelatedParts> SplitRelated(std::string_view content_type, std::string_view body) {
  HAKOBU_ASSIGN_OR_RETURN(const std::string boundary, BoundaryOf(content_type));
  const std::string opening = "--" + boundary;
  const std::string delimiter = "\n--" + boundary;
  std::vector<std::string_view> parts;
  size_t at = body.find(opening);
  if (at == std::string_view::npos)
    return absl::InvalidArgumentError("The multipart body lacks its boundary");
  at += opening.size();
  while (body.substr(at, 2) != "--") {
    const size_t end = body.find(delimiter, at);
    if (end == std::string_view::npos) {
      return absl::InvalidArgumentError("The multipart body ends before its last boundary");
    }
    std::string_view part = body.substr(at, end - at);
    if (part.ends_with('\r')) part.remove_suffix(1);
    part.remove_prefix(std::min(part.find('\n') + 1, part.size()));  // the rest of the boundary's line
    parts.push_back(part);
    at = end + delimiter.size();
  }
  if (parts.size() != 2) {
    return absl::InvalidArgumentError(
        fmt::format("Expected two parts in the multipart body, found {}", parts.size()));
  }
  // A part without headers begins with its blank line, of which the boundary's line took the break.
  const auto content = [](std::string_view part) {
    if (part.starts_with("\r\n")) return part.substr(2);
    if (part.starts_with('\n')) return part.substr(1);
    return Content(part);
  };
  return RelatedParts{content(parts[0]), content(parts[1])};
}

}  // namespace hakobu::localbq::rest
