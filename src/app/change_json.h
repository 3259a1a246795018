// Changes of a binary log as JSON, one object a line.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/held_lines.h"
#include "decode/binlog/log_decoder.h"
#include "row/source_table.h"

namespace hakobu {

// Hands each line (with its newline) to `write`. A row change has file, position, gtid, time, type (insert,
// update, delete), database, table, key (null where the log does not say which columns it is), before and
// after; columns without a name in the log are "@1", "@2" …. Columns absent from an image are absent from its
// object. Rows behind a transaction's first savepoint wait for its end, and those that ROLLBACK TO undoes are
// left out.
class ChangeJson : public binlog::LogVisitor {
 public:
  using Wanted = std::function<bool(const std::string& database, const std::string& table)>;
  using Write = std::function<absl::Status(const std::string& line)>;
  // What the server says of a table now. MariaDB's log does not tell uuid, inet4 and inet6 from bytes.
  using Describe =
      std::function<std::optional<SourceTable>(const std::string& database, const std::string& table)>;
  ChangeJson(Wanted wanted, Write write, Describe describe = nullptr);
  ~ChangeJson() override;

  absl::Status OnBegin(const binlog::LogContext&) override;
  absl::Status OnRows(const binlog::LogContext& context, const binlog::TableMap& map,
                      const binlog::RowsEvent& rows) override;
  absl::Status OnStatement(const binlog::LogContext& context, const binlog::LogStatement& statement) override;
  absl::Status OnEnd(const binlog::LogContext& context, binlog::TransactionEnd end) override;

 private:
  struct Table;
  absl::StatusOr<Table*> FindTable(const binlog::TableMap& map);
  absl::StatusOr<binlog::RowImageDecoder> DecoderFor(const binlog::TableMap& map) const;
  // Whether it is a savepoint, or a return to one, that was followed.
  bool TakeSavepoint(const binlog::LogStatement& statement);
  absl::Status Emit();  // line_

  Wanted wanted_;
  Write write_;
  Describe describe_;
  bool in_transaction_ = false;
  std::unique_ptr<HeldLines> held_;  // from a transaction's first savepoint to its end
  std::map<uint64_t, std::unique_ptr<Table>> tables_;
  std::string line_;
};

}  // namespace hakobu
