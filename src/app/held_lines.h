// Lines of which it is not known yet whether they stay: those behind a transaction's first savepoint. In
// memory, beyond a size on disk.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"

namespace hakobu {

// Not thread-safe.
class HeldLines {
 public:
  explicit HeldLines(size_t most_in_memory = size_t{16} << 20) : most_in_memory_(most_in_memory) {}
  // ResourceExhausted when the disk is full.
  absl::Status Add(std::string_view line);
  // A name that was set before is set anew. Names are compared as the servers do, without case.
  void SetSavepoint(std::string_view name);
  // What came since is taken back; the savepoint stays. False when there is none of that name.
  bool RollBackTo(std::string_view name);
  // All, in order, in pieces that may end within a line; once.
  absl::Status TakeAll(absl::FunctionRef<absl::Status(std::string_view piece)> each);

 private:
  using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;
  struct Savepoint {
    std::string name;
    uint64_t bytes = 0;  // that were there when it was set
  };
  absl::Status Spill();

  size_t most_in_memory_;
  File file_{nullptr, &std::fclose};
  uint64_t spilled_ = 0;  // bytes in the file that count
  std::string memory_;    // what came after them
  std::vector<Savepoint> savepoints_;
};

}  // namespace hakobu
