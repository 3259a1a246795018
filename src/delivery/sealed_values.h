// What the ledger keeps of a table's own values so that it can go on where it was: bounds of chunks, the
// cursor, the window. Where they come from a column that is not delivered as it is, nobody who reads the
// ledger may read them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "base/seal.h"
#include "delivery/table_work.h"

namespace hakobu {

// Thread-safe.
class SealedValues {
 public:
  // `ledger_id`: Ledger::id. The values are sealed, with the salts of the table's masks, when a key column or
  // the cursor is masked or left out. A table without a salt has nothing to seal by: its masks cut columns
  // that are no keys, and what is left out is not hidden.
  SealedValues(std::string_view ledger_id, const TableWork& work);

  std::string Write(std::string_view text) const;
  // Whether `text` stands in the ledger in clear and should not: an earlier version wrote it, or the column
  // was not hidden then.
  bool Exposed(std::string_view text) const;
  // Text that was written before the column was hidden is taken as it is. FailedPrecondition when the salt is
  // another now.
  absl::StatusOr<std::string> Read(std::string_view text) const;
  // Hidden, but nothing to seal by: the values lie in the ledger in clear.
  bool lie_open() const { return hidden_ && !sealer_.has_value(); }

 private:
  std::string table_;
  bool hidden_ = false;
  std::optional<Sealer> sealer_;  // absent: the table has no salt
};

// What whoever runs this should know: of a table whose hidden values cannot be sealed; empty for every other.
std::string LieOpenNote(const TableWork& work);

}  // namespace hakobu
