// Faults and quotas before and after a REST call.
#pragma once

#include <string_view>

#include "absl/functional/function_ref.h"
#include "localbq/rest/service.h"

namespace hakobu::localbq::rest {

// `handle` with what the rules and quotas make of it. `method`: "tables.get".
Reply ReplyWithFaults(Service& service, std::string_view method, const Request& request,
                      absl::FunctionRef<Reply()> handle);

}  // namespace hakobu::localbq::rest
