// Gaps read from the ledger, for statements and repairs; gap_record.h makes them. Pure.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "delivery/stream/continuity.h"
#include "ledger/stream_book.h"

namespace hakobu {

// How a table was made whole after a gap, and how that is known.
struct TableRepair {
  enum class Method : uint8_t {
    kCompared,  // with the source, row by row; what differed was sent again, and compared again
    kCopied,    // the whole table anew
  };
  Method method = Method::kCompared;
  absl::Time when = absl::InfinitePast();
  uint64_t chunks = 0;
  uint64_t rows = 0;     // of the source, compared
  uint64_t missing = 0;  // rows that BigQuery lacked
  uint64_t differed = 0;
  uint64_t extra = 0;                   // rows that the source no longer had
  std::vector<std::string> first_keys;  // of those, "17, 'Osaka'"
  std::string position;                 // the second comparison held at or after it: "file:offset" and GTIDs
  bool operator==(const TableRepair&) const = default;
};

enum class GapConcern : uint8_t {
  kNone,      // certainly whole
  kPossible,  // may lack rows, or hold wrong ones
};
// Why a table is or is not concerned.
enum class ConcernReason : uint8_t {
  kFollowed,     // its changes were being followed: those of the interval are not known
  kCopyToCome,   // none of its rows had been copied yet: all are read after the gap
  kUntouched,    // all transactions concerned are known, and none of them changed it
  kNotFollowed,  // it was not being delivered (stopped, or dropped); its own state says so
};

struct GapTable {
  std::string source;
  std::string target;
  std::string copy;  // StreamTableRecord::copy_sequence at the time: another one later is a later copy
  GapConcern concern = GapConcern::kPossible;
  ConcernReason reason = ConcernReason::kFollowed;
  std::optional<TableRepair> repair;
  bool whole() const { return concern == GapConcern::kNone || repair.has_value(); }
};

// A gap with its JSON read.
struct Gap {
  StreamGapRecord record;
  std::optional<GapCause> cause;  // nullopt: a newer hakobu's
  std::string explanation, hint;  // of the verdict
  std::string missing_gtids, phantom_gtids;
  std::string from_position, until_position;
  bool other_server = false;
  std::vector<GapTable> tables;

  bool open() const { return record.state == GapState::kOpen; }
};

// How a gap concerns a table that is in this state when it is found. `tables`: Continuity's.
GapTable ConcernOf(const StreamTableRecord& table, const std::optional<std::set<std::string>>& tables);

// DataLoss when the ledger's JSON cannot be read.
absl::StatusOr<Gap> ReadGap(StreamGapRecord record);

// As the ledger holds it; what is no UTF-8 is replaced.
std::string CompactJson(const nlohmann::ordered_json& json);
// StreamGapRecord::tables_json.
std::string GapTablesJson(const std::vector<GapTable>& tables);

}  // namespace hakobu
