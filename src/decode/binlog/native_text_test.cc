#include "decode/binlog/native_text.h"

#include <gtest/gtest.h>

#include "absl/strings/escaping.h"
#include "base/status.h"

namespace hakobu::binlog {
namespace {

// The text of a value that lies in the log as the hex bytes, their length before them.
std::string TextOf(std::string_view declared, std::string_view hex) {
  const std::string bytes = absl::HexStringToBytes(View(hex));
  const std::string stored = std::string(1, static_cast<char>(bytes.size())) + bytes;
  ByteReader reader(stored);
  Arena arena;
  std::string scratch;
  Cell cell;
  const LogCellDecoder decode = FindNativeDecoder(declared);
  if (decode == nullptr || !decode({}, &reader, &arena, &scratch, &cell) || reader.failed())
    return "(corrupt)";
  EXPECT_TRUE(reader.AtEnd());
  return std::string(cell.text());
}

// The bytes are those that MariaDB 10.11 has in its log for INSERT … VALUES ('<text>').
TEST(NativeText, UuidsOfVersionsOneToFiveAreStoredWithTheirNodeFirst) {
  EXPECT_EQ(TextOf("uuid", "00163e1dd84eab4211edbb2fb4a7f3c1"), "b4a7f3c1-bb2f-11ed-ab42-00163e1dd84e");  // 1
  EXPECT_EQ(TextOf("uuid", "446655440000a71641d4e29b550e8400"), "550e8400-e29b-41d4-a716-446655440000");  // 4
}

TEST(NativeText, LaterUuidsAndThoseOfNoVersionAreStoredAsWritten) {
  EXPECT_EQ(TextOf("uuid", "018fd9c2ad4b7cc398c4dc0c0c07398f"), "018fd9c2-ad4b-7cc3-98c4-dc0c0c07398f");  // 7
  EXPECT_EQ(TextOf("uuid", "1ec9414c232a6b00b3c89e6bdeced846"), "1ec9414c-232a-6b00-b3c8-9e6bdeced846");  // 6
  EXPECT_EQ(TextOf("uuid", ""), "00000000-0000-0000-0000-000000000000");
  EXPECT_EQ(TextOf("uuid", "0000000000000000000000000001"), "00000000-0000-0000-0000-000000010000");
}

TEST(NativeText, TablesFromBefore10115HaveAllUuidsSwapped) {
  EXPECT_EQ(TextOf("uuid /* old */", "dc0c0c07398f98c47cc3ad4b018fd9c2"),
            "018fd9c2-ad4b-7cc3-98c4-dc0c0c07398f");
}

TEST(NativeText, AddressesAreWrittenAsTheServerWritesThem) {
  EXPECT_EQ(TextOf("inet4", "c0a80001"), "192.168.0.1");
  EXPECT_EQ(TextOf("inet4", "0a"), "10.0.0.0");  // the log drops zeros at the end
  EXPECT_EQ(TextOf("inet4", ""), "0.0.0.0");
  EXPECT_EQ(TextOf("inet6", ""), "::");
  EXPECT_EQ(TextOf("inet6", "00000000000000000000000000000001"), "::1");
  EXPECT_EQ(TextOf("inet6", "20010db8000000000000000000000001"), "2001:db8::1");
  EXPECT_EQ(TextOf("inet6", "00000000000000000000ffffc0000280"), "::ffff:192.0.2.128");
  EXPECT_EQ(TextOf("inet6", "000000000000000000000000c0000280"), "::192.0.2.128");
  EXPECT_EQ(TextOf("inet6", "20010000000100000000000100000001"), "2001:0:1::1:0:1");
  EXPECT_EQ(TextOf("inet6", "0001000200030004000500060007"), "1:2:3:4:5:6:7::");
  EXPECT_EQ(TextOf("inet6", "fe80"), "fe80::");
}

TEST(NativeText, WhatIsTooLongOrNoSuchTypeIsRefused) {
  EXPECT_EQ(TextOf("inet4", "0102030405"), "(corrupt)");
  EXPECT_EQ(TextOf("uuid", "0102030405060708090a0b0c0d0e0f1011"), "(corrupt)");
  EXPECT_EQ(FindNativeDecoder("binary(16)"), nullptr);
  EXPECT_EQ(NativeBytes("uuid"), 16);
  EXPECT_EQ(NativeBytes("inet4"), 4);
  EXPECT_EQ(NativeBytes("char(36)"), 0);
}

}  // namespace
}  // namespace hakobu::binlog
