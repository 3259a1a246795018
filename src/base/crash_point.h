// Named places where tests kill the process as `kill -9` would: HAKOBU_CRASH_AT="name" or "name:3" (the third
// time it is reached). Compiled out unless the build sets HAKOBU_CRASH_POINTS.
#pragma once

#include <string_view>

namespace hakobu {

#ifdef HAKOBU_CRASH_POINTS
void CrashPoint(std::string_view name);
#else
inline void CrashPoint(std::string_view) {}
#endif

}  // namespace hakobu
