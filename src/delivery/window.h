// Which rows an incremental run reads: those whose cursor is not below a bound kept in the ledger, and those
// that have no cursor to go by. docs/incremental.md states the rule.
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
  // Rows that no bound can tell apart, to be read in every run: their cursor is NULL, or no date. Empty: the
  // column cannot hold such a value, or `condition` is.
  std::string strays;
  std::optional<CursorState>
      next;                  // kept when the rows are merged; absent: the table is empty, nothing moves
  bool whole_table = false;  // no lower bound: worth cutting into chunks
  std::vector<std::string> notes;
};

// Everything from the lower bound on is read, whatever lies in the future. The next window begins, with
// temporal cursors, `overlap` before the moment at which the oldest open transaction began, in the column's
// own clock; with integer cursors at a value that was seen before that moment and does not lie far above
// all others (outlying_values.h).
absl::StatusOr<Window> PlanWindow(Connection* source, const TableWork& work,
                                  const std::optional<CursorState>& state);

}  // namespace hakobu
