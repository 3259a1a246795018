// Which transactions have been seen, by their ids.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "decode/binlog/gtid.h"
#include "source/connection.h"

namespace hakobu {

// MySQL: a set. MariaDB: the last of each domain. Not thread-safe.
class ExecutedGtids {
 public:
  // "" is a source without ids. InvalidArgument when the text is none of the flavor's.
  static absl::StatusOr<ExecutedGtids> Parse(ServerFlavor flavor, std::string_view text);
  // LogContext::gtid; "" is left out.
  void Add(std::string_view gtid);
  std::string Text() const;
  bool empty() const { return set_.empty() && domains_.empty(); }
  // COM_BINLOG_DUMP_GTID's form.
  std::string Bytes() const { return set_.ToBytes(); }

 private:
  explicit ExecutedGtids(ServerFlavor flavor) : flavor_(flavor) {}
  ServerFlavor flavor_;
  binlog::GtidSet set_;
  std::map<std::string, std::string, std::less<>> domains_;  // "0" -> "0-1-7"
};

}  // namespace hakobu
