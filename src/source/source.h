// The face of source/: connections, what the server and its tables look like, and rows by chunks.
#pragma once

#include "source/chunk.h"         // IWYU pragma: export
#include "source/chunk_reader.h"  // IWYU pragma: export
#include "source/connection.h"    // IWYU pragma: export
#include "source/log_state.h"     // IWYU pragma: export
#include "source/log_stream.h"    // IWYU pragma: export
#include "source/schema.h"        // IWYU pragma: export
#include "source/server_facts.h"  // IWYU pragma: export
