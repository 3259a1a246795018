#include "base/byte_reader.h"

#include <gtest/gtest.h>

namespace hakobu {
namespace {

TEST(ByteReader, ReadsBothByteOrders) {
  ByteReader reader(std::string_view("\x01\x02\x03\x04\x05", 5));
  EXPECT_EQ(reader.U16(), 0x0201);
  EXPECT_EQ(reader.BigEndian(3), 0x030405u);
  EXPECT_TRUE(reader.AtEnd());
  EXPECT_FALSE(reader.failed());
}

TEST(ByteReader, ShortInputFailsOnceAndForAll) {
  ByteReader reader("ab");
  EXPECT_EQ(reader.U32(), 0u);
  EXPECT_TRUE(reader.failed());
  EXPECT_EQ(reader.U8(), 0u);
}

TEST(ByteReader, LengthEncodedIntegers) {
  ByteReader reader(std::string_view("\x05\xfc\x01\x02\xfd\x01\x00\x01\xfb", 9));
  EXPECT_EQ(reader.LengthEncoded(), 5u);
  EXPECT_EQ(reader.LengthEncoded(), 0x201u);
  EXPECT_EQ(reader.LengthEncoded(), 0x10001u);
  EXPECT_FALSE(reader.failed());
  reader.LengthEncoded();
  EXPECT_TRUE(reader.failed());
}

}  // namespace
}  // namespace hakobu
