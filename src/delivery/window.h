// Which rows an incremental run reads: those whose cursor column lies between a lower bound kept in the
// ledger and an upper bound that no open transaction can still write below. docs/incremental.md states the
// rule.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "delivery/table_work.h"
#include "source/source.h"

namespace hakobu {

// What the ledger keeps between runs, as JSON text.
struct CursorState {
  std::string lower;  // the next window begins here, inclusive; empty: everything is read
  // Integer cursors: the largest value seen at the start of past runs, oldest first, at most 20.
  struct Seen {
    absl::Time at;
    std::string largest;
  };
  std::vector<Seen> history;

  std::string ToJson() const;
  static absl::StatusOr<CursorState> FromJson(std::string_view text);
};

struct Window {
  std::string condition;  // SQL on the source, without WHERE; empty: every row
  std::optional<CursorState>
      next;                  // kept when the rows are merged; absent: the table is empty, nothing moves
  bool whole_table = false;  // no lower bound: worth cutting into chunks
  std::vector<std::string> notes;
};

// Temporal cursors end where the oldest open transaction began, in the column's own clock, and the next
// window begins `overlap` before; integer cursors begin again at a value seen before the oldest open
// transaction began.
absl::StatusOr<Window> PlanWindow(Connection* source, const TableWork& work,
                                  const std::optional<CursorState>& state);

}  // namespace hakobu
