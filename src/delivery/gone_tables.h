// Tables that earlier runs have delivered and the source's list no longer has: hidden for a moment, dropped,
// or renamed.
#pragma once

#include "absl/status/status.h"
#include "delivery/preflight/selection.h"
#include "delivery/run_context.h"

namespace hakobu {

struct Prepared;

// Asks for each by its name, which waits for an ALTER that hides it: one that is there is a problem of this
// run. Of one that is gone a note says what became of its rows; and what it may be now is refused where it
// would show what was hidden, unless an entry names it exactly. `prepared` has its tables mapped, `findings`
// are Select's.
absl::Status LookForGoneTables(const RunContext& run, Connection* source, const Selection& selection,
                               const Findings& findings, Prepared* prepared, Problems* problems);

}  // namespace hakobu
