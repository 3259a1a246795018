// The face of decode/ddl: schema by position.
//   for each LogStatement:  context = ContextOf(statement, …);
//                           for each change of ParseDdl(statement.text, context): history.Apply(change,
//                           context)
//   for each new TableMap:  Reconcile(map, history.FindDefinition(map.database, map.table), …) -> the table
//   to decode by
#pragma once

#include "decode/ddl/parse.h"           // IWYU pragma: export
#include "decode/ddl/reconcile.h"       // IWYU pragma: export
#include "decode/ddl/savepoint.h"       // IWYU pragma: export
#include "decode/ddl/schema_history.h"  // IWYU pragma: export
#include "decode/ddl/statement.h"       // IWYU pragma: export
