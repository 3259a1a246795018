// The schemas that targets were delivered with, by version.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "ledger/session.h"

namespace hakobu {

struct SchemaVersion {
  std::string target{};
  int64_t version = 0;  // 1, 2, …
  std::string run_id{};
  std::string schema_json{};
};

// Thread-safe.
class SchemaBook {
 public:
  explicit SchemaBook(LedgerFile* file) : file_(file) {}

  // Adds a version when the schema differs from the newest; returns the newest version's number.
  absl::StatusOr<int64_t> RecordSchema(const std::string& target, const std::string& run_id,
                                       const std::string& schema_json);
  absl::StatusOr<std::optional<SchemaVersion>> NewestSchema(const std::string& target);

 private:
  LedgerFile* file_;
};

}  // namespace hakobu
