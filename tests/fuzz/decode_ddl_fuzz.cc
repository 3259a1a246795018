// Statements of any bytes, one after the other on one history: each must end in changes or a status, and the
// history must stay one that can be written and read back.
#include <cstdlib>

#include "decode/ddl/ddl.h"

// The input: a byte of settings, then statements with a byte 0 between them.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hakobu;
  if (size == 0) return 0;
  ddl::DdlContext context;
  context.database = "d";
  context.dialect = (data[0] & 1) != 0 ? ddl::Dialect::kMariaDb : ddl::Dialect::kMySql;
  context.version = (data[0] & 2) != 0 ? 50744 : 101100;
  context.ansi_quotes = (data[0] & 4) != 0;
  context.no_backslash_escapes = (data[0] & 8) != 0;
  context.oracle = (data[0] & 16) != 0;
  context.lower_case_names = (data[0] & 32) != 0;
  if ((data[0] & 64) != 0) context.client_charset = "cp932";
  ddl::SchemaHistory history(context.dialect, context.lower_case_names);
  history.AddDatabase({"d", "utf8mb4_bin"});
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  for (size_t begin = 0; begin <= input.size();) {
    const size_t end = std::min(input.find('\0', begin), input.size());
    const auto changes = ddl::ParseDdl(input.substr(begin, end - begin), context);
    if (changes.ok() && changes->empty()) std::abort();  // a statement is never nothing
    for (size_t i = 0; changes.ok() && i < changes->size(); ++i) history.Apply((*changes)[i], context);
    begin = end + 1;
  }
  const std::string json = history.ToJson();
  const auto again = ddl::SchemaHistory::FromJson(json);
  if (!again.ok() || again->ToJson() != json) std::abort();
  return 0;
}
