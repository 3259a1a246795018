// Query results as tables: a query job without a destination names a table of a hidden dataset, which is made
// of the job's kept rows when somebody asks for it, and goes with the job or after a day.
#pragma once

#include "absl/status/status.h"
#include "localbq/catalog/names.h"
#include "localbq/rest/service.h"

namespace hakobu::localbq::rest {

class Job;

// The dataset is one for each project and user, the table one for each job.
TableId AnonymousTableOf(const Job& job);
// Whether a table could be one: its dataset's name begins with an underscore.
bool IsAnonymous(const TableId& id);

// Whether this thread is in MakeAnonymousTable, which asks for the table itself.
bool IsMakingAnonymousTable();
// Makes the table if a job has rows for it; otherwise there is nothing to make, and that is no error.
// Thread-safe.
absl::Status MakeAnonymousTable(const Service& service, const TableId& id);
// Drops the table of a job that is deleted, if it was made.
absl::Status DropAnonymousTable(const Service& service, const Job& job);

}  // namespace hakobu::localbq::rest
