#include "decode/charset/charset.h"

#include <gtest/gtest.h>

#include <string>

namespace hakobu {
namespace {

std::string Convert(std::string_view charset, std::string_view bytes) {
  Arena arena;
  std::string_view utf8;
  if (!Charset::Find(charset)->ToUtf8(bytes, &arena, &utf8)) return "<invalid>";
  return std::string(utf8);
}

TEST(Charset, JapaneseSetsAgreeWithTheServer) {
  EXPECT_EQ(Convert("cp932", "\x97\x5c\x96\xf1\xb1\x41"), "予約ｱA");
  EXPECT_EQ(Convert("cp932", "\x87\x40\x81\x60\x81\x5f"), "①～＼");
  EXPECT_EQ(Convert("sjis", "\x81\x60\x81\x5f\x81\x91"), "〜\\¢");
  EXPECT_EQ(Convert("ujis", "\xcd\xbd\xcc\xf3\x8e\xb1\xa1\xc1"), "予約ｱ〜");
  EXPECT_EQ(Convert("eucjpms", "\xa1\xc1\xad\xa1\x8f\xf3\xf3"), "～①ⅰ");
}

TEST(Charset, Latin1IsWindows1252WithNothingUndefined) {
  EXPECT_EQ(Convert("latin1", "caf\xe9 \x80 \x81"), "café € \xc2\x81");
  EXPECT_EQ(Convert("cp1251", "\xcf\xf0\xe8\xe2\xe5\xf2"), "Привет");
  EXPECT_EQ(Convert("swe7", "[]"), "ÄÅ");
}

TEST(Charset, OtherMultiByteSets) {
  EXPECT_EQ(Convert("gbk", "\xc4\xe3\xba\xc3"), "你好");
  EXPECT_EQ(Convert("gb18030", "\xc4\xe3\x81\x30\x84\x36"), "你\u00a5");
  EXPECT_EQ(Convert("big5", "\xa7\x41\xa6\x6e"), "你好");
  EXPECT_EQ(Convert("euckr", "\xbe\xc8\xb3\xe7"), "안녕");
  EXPECT_EQ(Convert("utf16", std::string_view("\x00\x41\xd8\x3d\xde\x00", 6)), "A😀");
  EXPECT_EQ(Convert("utf16le", std::string_view("\x41\x00", 2)), "A");
  EXPECT_EQ(Convert("utf32", std::string_view("\x00\x01\xf6\x00", 4)), "😀");
}

TEST(Charset, BytesThatAreNoTextAreRefused) {
  EXPECT_EQ(Convert("utf8mb4", "\xff"), "<invalid>");
  EXPECT_EQ(Convert("utf8mb4", "\xed\xa0\x80"), "<invalid>");
  EXPECT_EQ(Convert("cp932", "\x97"), "<invalid>");
  EXPECT_EQ(Convert("ascii", "\x80"), "<invalid>");
  EXPECT_EQ(Convert("utf16", "a"), "<invalid>");
  EXPECT_EQ(Convert("hebrew", "\xa1"), "<invalid>");
}

TEST(Charset, WhatASetLacksIsKeptAsQuestionMarks) {
  const auto kept = [](std::string_view charset) { return AsKept("aé€あ😀", *Charset::Find(charset)); };
  EXPECT_EQ(kept("utf8mb4"), "aé€あ😀");
  EXPECT_EQ(kept("gb18030"), "aé€あ😀");
  EXPECT_EQ(kept("utf16"), "aé€あ😀");
  EXPECT_EQ(kept("utf8mb3"), "aé€あ?");
  EXPECT_EQ(kept("ucs2"), "aé€あ?");
  EXPECT_EQ(kept("latin1"), "aé€??");
  EXPECT_EQ(kept("cp932"), "a??あ?");
  EXPECT_EQ(kept("swe7"), "aé???");
  EXPECT_EQ(AsKept("a{", *Charset::Find("swe7")), "a?");
  EXPECT_EQ(kept("ascii"), "a????");
}

TEST(Charset, CollationsNameTheirCharset) {
  EXPECT_EQ(CharsetOfCollation(255), "utf8mb4");
  EXPECT_EQ(CharsetOfCollation(8), "latin1");
  EXPECT_EQ(CharsetOfCollation(95), "cp932");
  EXPECT_EQ(CharsetOfCollation(63), "binary");
  EXPECT_EQ(CharsetOfCollation(1024 + 45), "utf8mb4");
  EXPECT_EQ(CharsetOfCollation(2304), "utf8mb4");
  EXPECT_EQ(CharsetOfCollation(999), "");
  EXPECT_EQ(Charset::OfCollation(999), nullptr);
}

}  // namespace
}  // namespace hakobu
