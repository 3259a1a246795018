// Changes of a binary log as JSON, one object a line.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "decode/binlog/log_decoder.h"

namespace hakobu {

// Hands each line (with its newline) to `write`. A row change has file, position, gtid, time, type (insert,
// update, delete), database, table, key (null where the log does not say which columns it is), before and
// after; columns without a name in the log are "@1", "@2" …. Columns absent from an image are absent from its
// object.
class ChangeJson : public binlog::LogVisitor {
 public:
  using Wanted = std::function<bool(const std::string& database, const std::string& table)>;
  using Write = std::function<absl::Status(const std::string& line)>;
  ChangeJson(Wanted wanted, Write write);
  ~ChangeJson() override;

  absl::Status OnBegin(const binlog::LogContext&) override { return absl::OkStatus(); }
  absl::Status OnRows(const binlog::LogContext& context, const binlog::TableMap& map,
                      const binlog::RowsEvent& rows) override;
  absl::Status OnStatement(const binlog::LogContext& context, const binlog::LogStatement& statement) override;
  absl::Status OnEnd(const binlog::LogContext& context, binlog::TransactionEnd end) override;

 private:
  struct Table;
  absl::StatusOr<Table*> FindTable(const binlog::TableMap& map);

  Wanted wanted_;
  Write write_;
  std::map<uint64_t, std::unique_ptr<Table>> tables_;
  std::string line_;
};

}  // namespace hakobu
