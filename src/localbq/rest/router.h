// From a method and path to the handler.
#pragma once

#include "localbq/rest/service.h"

namespace hakobu::localbq::rest {

// Answers every request, also those that no handler takes. Thread-safe.
Reply Route(Service& service, Request& request);

}  // namespace hakobu::localbq::rest
