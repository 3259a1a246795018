// Files that are their user's alone.
#pragma once

#include <string>

#include "absl/status/status.h"

namespace hakobu {

// Takes the rights of group and others away from a file that is there, as from one that an earlier version
// made. OK when there is none. PermissionDenied when it is somebody else's and open.
absl::Status MakePrivate(const std::string& path);

}  // namespace hakobu
