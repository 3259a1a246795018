// What is asked of a request before anything reads its body: does it come from where it may, and who sends
// it?
#pragma once

#include <optional>

#include "localbq/rest/service.h"

namespace hakobu::localbq::rest {

// The longest body of a JSON method; uploads have a limit of their own.
inline constexpr uint64_t kMostJsonBytes = uint64_t{32} << 20;
inline constexpr uint64_t kMostFormBytes = uint64_t{1} << 20;

// A page in somebody's browser reaches loopback too: by its own name that resolves to it (Host), from its own
// place (Origin), with the types of body that need no leave (text/plain and forms). The answer to send
// instead, in these cases and when --auth is on and nobody has shown who they are.
std::optional<Reply> StopAtDoor(const Service& service, Request* request);

// Is the path one of those that credentials come from, where nobody can show any yet?
bool IsCredentialPath(std::string_view path);
bool IsUploadPath(std::string_view path);

Reply BodyTooLong(uint64_t limit_bytes);

}  // namespace hakobu::localbq::rest
