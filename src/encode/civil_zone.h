// Civil times in a zone of the IANA database, and the instants they are.
#pragma once

#include <cstdint>

#include "absl/time/time.h"

namespace hakobu {

// The instant (microseconds since the epoch) of a civil time (microseconds as cell.h's kDateTime). A time
// that clocks showed twice, when they were put back, is the first of the two. False for a time that clocks
// skipped: it is no instant at all.
bool InstantFromZone(int64_t civil_micros, const absl::TimeZone& zone, int64_t* instant_micros);

// What clocks in the zone show at the instant.
int64_t CivilInZone(int64_t instant_micros, const absl::TimeZone& zone);

}  // namespace hakobu
