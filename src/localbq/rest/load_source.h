// A load job's data, read from a file into DuckDB chunks: one reader for each source format.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "localbq/catalog/schema.h"
#include "localbq/catalog/warehouse.h"

namespace hakobu::localbq {
class ColumnDefaults;
}

namespace hakobu::localbq::rest {

// What went wrong in single rows, within maxBadRecords.
struct BadRows {
  int64_t most = 0;  // maxBadRecords
  int64_t count = 0;
  std::vector<std::string> messages;  // the first few
  // False: too many now.
  bool Add(std::string message);
};

// Rows in the order of `target`'s columns; those the file lacks are NULL.
using EmitChunk = absl::FunctionRef<absl::Status(const Chunk& chunk)>;

class LoadSource {
 public:
  virtual ~LoadSource() = default;
  // The file's own columns; empty where the format names none (CSV without autodetect).
  virtual const Schema& schema() const = 0;
  // Whether Read gives rows the defaults of columns they lack (`defaults` null: no longer). The others leave
  // a column that the file does not have NULL.
  virtual bool UseDefaults(ColumnDefaults* defaults) {
    (void)defaults;
    return false;
  }
  // Reads the file from its beginning; may be called again (a transaction that is tried again).
  virtual absl::Status Read(const Schema& target, BadRows* bad, EmitChunk emit) = 0;
};

// `load` is the job's configuration.load. Each opens the file and reads what describes it.
absl::StatusOr<std::unique_ptr<LoadSource>> OpenAvro(const std::string& path, const nlohmann::json& load);
absl::StatusOr<std::unique_ptr<LoadSource>> OpenCsv(const std::string& path, const nlohmann::json& load);
absl::StatusOr<std::unique_ptr<LoadSource>> OpenNdjson(const std::string& path, const nlohmann::json& load);
absl::StatusOr<std::unique_ptr<LoadSource>> OpenParquet(const std::string& path, const nlohmann::json& load,
                                                        Warehouse* warehouse);

}  // namespace hakobu::localbq::rest
