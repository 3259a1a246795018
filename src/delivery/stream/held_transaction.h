// The rows of a transaction of which it is not known yet whether they stay: of an XA transaction until it
// ends, of any behind its first savepoint. In memory, beyond a size on disk.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "decode/binlog/log_decoder.h"
#include "log/sequence.h"

namespace hakobu {

// Not thread-safe.
class HeldTransaction {
 public:
  // ResourceExhausted when the disk is full.
  absl::Status Add(const binlog::LogContext& context, const ChangeSequence& place,
                   const binlog::TableMap& map, const binlog::RowsEvent& rows);
  // A name that was set before is set anew. Names are compared as the servers do, without case.
  void SetSavepoint(std::string_view name);
  // What came since is taken back; the savepoint stays. False when there is none of that name, and nothing is
  // taken back.
  bool RollBackTo(std::string_view name);
  using Each = absl::FunctionRef<absl::Status(const ChangeSequence& place, const binlog::TableMap& map,
                                              const binlog::RowsEvent& rows)>;
  // All, in order, once.
  absl::Status TakeAll(Each each);
  // Of the transaction; file and position only name where it stands.
  const binlog::LogContext& context() const { return context_; }
  size_t memory_bytes() const { return memory_.size(); }

 private:
  using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;
  struct Entry {
    ChangeSequence place;
    size_t map = 0;
    binlog::RowsEvent event;  // its views are empty
    uint32_t before_bytes = 0, after_bytes = 0;
    uint64_t rows_bytes = 0;
  };
  struct Savepoint {
    std::string name;
    size_t entries = 0;
    uint64_t bytes = 0;
  };
  size_t MapOf(const binlog::TableMap& map);
  absl::Status Spill();
  uint64_t bytes() const { return spilled_ + memory_.size(); }

  binlog::LogContext context_;
  std::vector<binlog::TableMap> maps_;
  std::vector<Entry> entries_;
  std::string memory_;  // bitmaps and rows of the entries, what is not in the file
  File file_{nullptr, &std::fclose};
  bool seek_ = false;     // the file's place is not behind them
  uint64_t spilled_ = 0;  // bytes of the entries in the file
  std::vector<Savepoint> savepoints_;
};

}  // namespace hakobu
