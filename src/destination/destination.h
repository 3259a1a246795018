// BigQuery as hakobu speaks to it: credentials, REST (datasets, tables, jobs), and the Storage Write API.
// Nothing here knows MySQL. Every error is an absl::Status whose facts destination/error.h reads.
#pragma once

#include "destination/credentials.h"   // IWYU pragma: export
#include "destination/error.h"         // IWYU pragma: export
#include "destination/jobs.h"          // IWYU pragma: export
#include "destination/rest.h"          // IWYU pragma: export
#include "destination/retry.h"         // IWYU pragma: export
#include "destination/staleness.h"     // IWYU pragma: export
#include "destination/tables.h"        // IWYU pragma: export
#include "destination/write_stream.h"  // IWYU pragma: export
