// The words of a gap's statement, one set a language; gap_statement.cc puts them together.
#pragma once

#include <string_view>

#include "delivery/stream/continuity.h"
#include "delivery/stream/gap_statement.h"

namespace hakobu {

// Texts with {names} are fmt formats, with the names given beside them.
struct GapWords {
  std::string_view title;                                                               // {id}
  std::string_view title_closed;                                                        // {id}
  std::string_view what, when, meaning, meaning_closed, whole, doubtful, done, advice;  // headings
  std::string_view item;  // before each line of a list

  std::string_view from, from_unknown;    // {time}
  std::string_view until, until_unknown;  // {time}; for until_unknown the time it was noticed
  std::string_view places;                // {from}, {until}
  std::string_view place_from, place_until;
  std::string_view missing_gtids, phantom_gtids;  // {gtids}

  // What a table of the second list may be like.
  std::string_view lacks, holds, both;

  std::string_view none;                                   // of a list without tables
  std::string_view copy_to_come, untouched, not_followed;  // why a table is whole
  std::string_view compared_equal, copied_anew;            // why a table is whole: repaired at {when}

  std::string_view noticed;            // {time}
  std::string_view compared;           // {table} {rows} {when}, {chunks}: one_range or ranges
  std::string_view one_range, ranges;  // {count}
  std::string_view found_equal;        // no row differed
  std::string_view corrected;          // {missing} {differed} {extra}
  std::string_view proof;              // {position}
  std::string_view copied;             // {table} {when}
  std::string_view closed;             // {time}
  std::string_view not_yet;            // nothing was repaired so far

  std::string_view advice_open, advice_closed, advice_nothing;
};

const GapWords& WordsOf(Language language);
// What happened, by cause.
std::string_view CauseText(Language language, GapCause cause);

}  // namespace hakobu
