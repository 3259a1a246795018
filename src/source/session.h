// The session that every connection works in: whatever the server's globals, its init_connect or a proxy say,
// a statement has the same result everywhere, and only hakobu's own limits end it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "source/connection.h"

namespace hakobu {

// Pins every variable of session.cc's table that this server has, and looks that it stays so: what differs
// afterwards (a proxy that answers SET by itself) is FailedPrecondition by name.
absl::Status PinSession(Connection* connection, const ConnectOptions& options);

// For tests: the table's names.
std::vector<std::string_view> PinnedVariables();

}  // namespace hakobu
