#include "base/escape.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <memory>
#include <string>

namespace hakobu {
namespace {

TEST(Escape, WhatATerminalWouldObeyIsShownInstead) {
  EXPECT_EQ(EscapeControl("a\x1b[2Jb"), "a\\x1b[2Jb");
  EXPECT_EQ(EscapeControl("one\r\n2026-01-01 info forged"), "one\\r\\n2026-01-01 info forged");
  EXPECT_EQ(EscapeControl(std::string_view("nul\0!", 5)), "nul\\x00!");
  EXPECT_EQ(EscapeControl("csi \xC2\x9B 31m"), "csi \\x9b 31m");  // the one-character form of ESC [
  EXPECT_EQ(EscapeControl("owner\xE2\x80\xAEredaer"), "owner\\u{202e}redaer");
  EXPECT_EQ(EscapeControl("line\xE2\x80\xA8new"), "line\\u{2028}new");
  EXPECT_EQ(EscapeControl("\xEF\xBB\xBFmark"), "\\u{feff}mark");
}

TEST(Escape, TextThatIsNoUtf8IsShownByItsBytes) {
  EXPECT_EQ(EscapeControl("caf\xE9"), "caf\\xe9");
  EXPECT_EQ(EscapeControl("\xC0\xAF"), "\\xc0\\xaf");           // an overlong slash
  EXPECT_EQ(EscapeControl("\xED\xA0\x80"), "\\xed\\xa0\\x80");  // half of a surrogate pair
  EXPECT_EQ(EscapeControl("cut \xE6\x97"), "cut \\xe6\\x97");
}

TEST(Escape, WhatPeopleWriteStays) {
  const std::string text = "会員 100%\\ \"quoted\" 😀 ñ";
  EXPECT_EQ(EscapeControl(text), text);
  EXPECT_FALSE(HasControl(text));
  EXPECT_TRUE(HasControl("a\nb"));
  EXPECT_EQ(EscapeControlKeepLines("a\n\tb\x1b"), "a\n\tb\\x1b");
}

TEST(Escape, AShellReadsBackTheWord) {
  for (const std::string word :
       {"", "plain-1.2", "it's", "$(reboot)", "a b", "`id`", "a\nb", "!x", "--flag;ls"}) {
    const std::string command = "printf %s " + ShellQuote(word);
    const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
    std::array<char, 256> buffer{};
    const size_t size = fread(buffer.data(), 1, buffer.size(), pipe.get());
    EXPECT_EQ(std::string(buffer.data(), size), word);
  }
}

TEST(Escape, MarkdownCannotLeaveItsCode) {
  EXPECT_EQ(MarkdownCode("plain"), "`plain`");
  EXPECT_EQ(MarkdownCode("a`b``c"), "``` a`b``c ```");
  EXPECT_EQ(MarkdownCode("a\n# b"), "`a\\n# b`");
  EXPECT_EQ(MarkdownFence("no ticks"), "```");
  EXPECT_EQ(MarkdownFence("x ```` y"), "`````");
}

}  // namespace
}  // namespace hakobu
