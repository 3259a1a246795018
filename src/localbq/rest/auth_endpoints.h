// The addresses that credentials come from: /token, /v1/token, …:generateAccessToken, /tokeninfo and the
// metadata server's. With --auth only.
#pragma once

#include <optional>

#include "localbq/rest/service.h"

namespace hakobu::localbq::rest {

// nullopt: the path is none of theirs.
std::optional<Reply> AnswerCredentials(Service& service, const Request& request);

}  // namespace hakobu::localbq::rest
