// A cell as text: what a STRING field holds, what a mask hashes, what a report shows.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "encode/column.h"

namespace hakobu {

// Room for the text of any number, date or time.
using ShortText = std::array<char, 64>;

// The text of a number, date or time, written to `room`. Empty for the other kinds, and for dates outside
// years 1 to 9999.
std::string_view WriteShortText(const Column& column, const Cell& cell, ShortText* room);

// Appends the STRING form of any cell but NULL, masks aside. A problem leaves `out` as it was.
Problem AppendText(const Column& column, const Cell& cell, std::string* out);

// For reports: at most 100 characters, always valid UTF-8, never a problem; bytes as hex. Masked: "(masked)".
std::string ReportText(const Column& column, const Cell& cell);

// The mask's answer for a text: SHA-256 of salt and text as lower-case hex, or the first characters.
// `salted` begins with column.mask_salt and goes on with the text. The result lies in `room` or in `salted`.
std::string_view MaskText(const Column& column, std::string_view salted, ShortText* room);

}  // namespace hakobu
