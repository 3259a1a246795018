// Text from outside (a server's error, a table's name, a key, somebody's reason) made harmless for where it
// goes.
#pragma once

#include <string>
#include <string_view>

namespace hakobu {

// For a terminal, a plain log or one line of a report: control characters (C0, DEL, C1), line and paragraph
// separators and the characters that turn the direction of text [Unicode TR36, 3.1] become `\n`, `\t`, `\x1b`
// or
// `\u{202e}`; bytes that are no UTF-8 become `\xff`. Everything else stays as it is, a backslash too: this is
// for people, not to be read back.
std::string EscapeControl(std::string_view text);

// As EscapeControl, but the text may have lines of its own: `\n` and `\t` stay.
std::string EscapeControlKeepLines(std::string_view text);

// Does it hold a character that EscapeControl would change?
bool HasControl(std::string_view text);

// One word of a POSIX shell's command, in single quotes where it needs them.
std::string ShellQuote(std::string_view word);

// A code span of Markdown that shows `text` as it is, on one line [CommonMark 6.1].
std::string MarkdownCode(std::string_view text);

// A fence of backticks longer than any run of them in `text` [CommonMark 4.5].
std::string MarkdownFence(std::string_view text);

}  // namespace hakobu
