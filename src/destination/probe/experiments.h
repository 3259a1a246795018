// The experiments, in the order of docs/probe.md. Each says in its file what it does and what its answers
// are.
#pragma once

#include <vector>

#include "destination/probe/probe.h"

namespace hakobu {

using ProbeAnswers = absl::StatusOr<std::vector<ProbeAnswer>>;

ProbeAnswers ProbeFreshCopies(ProbeSite& site);
ProbeAnswers ProbeTruncateData(ProbeSite& site);
ProbeAnswers ProbeOpenWriters(ProbeSite& site);
ProbeAnswers ProbeLoadThenChanges(ProbeSite& site);
ProbeAnswers ProbePreconditions(ProbeSite& site);
ProbeAnswers ProbeAvroTexts(ProbeSite& site);
ProbeAnswers ProbeOldStreams(ProbeSite& site);
ProbeAnswers ProbeLostUpload(ProbeSite& site);
ProbeAnswers ProbePartitions(ProbeSite& site);
ProbeAnswers ProbeDroppedKey(ProbeSite& site);
ProbeAnswers ProbeAccessEntries(ProbeSite& site);
ProbeAnswers ProbeNewTables(ProbeSite& site);
ProbeAnswers ProbeHiddenAccess(ProbeSite& site);

}  // namespace hakobu
