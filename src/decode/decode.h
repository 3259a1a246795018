// The face of decode/: row packets into Batches. Pure: no socket, no clock, no thread.
#pragma once

#include "decode/row_decoder.h"  // IWYU pragma: export
