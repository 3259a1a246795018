// Statements of the log that changed streamed tables, each a row of one table in BigQuery
// (`stream.ddl_history`).
#pragma once

#include <string>

#include "absl/status/status.h"
#include "delivery/stream/targets.h"
#include "log/sequence.h"

namespace hakobu {

// One table that one statement concerns.
struct DdlEntry {
  ChangeSequence place;     // the same however often it is read; differs for each table of a statement
  int64_t unix_micros = 0;  // when the source ran it
  std::string gtid;         // "": the source has none
  std::string database, table;
  std::string effect;     // "created", "altered", …
  std::string action;     // what the stream did with it, in words
  std::string statement;  // UTF-8
};

// Used by the log's thread alone.
class DdlHistory {
 public:
  DdlHistory(const DeliverySession& session, TableName target)
      : session_(session), target_(std::move(target)) {}

  const TableName& target() const { return target_; }
  // Makes the table when there is none. DataLoss: another one is there.
  absl::Status Begin();
  // Durable once it returns; an entry that is there already stays as it is.
  absl::Status Add(const DdlEntry& entry);

 private:
  const DeliverySession& session_;
  TableName target_;
};

// The statement's bytes, which are in the session's character set, as UTF-8; what is not text of it is
// escaped.
std::string StatementText(std::string_view bytes, uint16_t client_collation);

}  // namespace hakobu
