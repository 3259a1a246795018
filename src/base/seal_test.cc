#include "base/seal.h"

#include <gtest/gtest.h>

namespace hakobu {
namespace {

TEST(Sealer, WhatIsSealedIsOpenedByTheSameSecretAtTheSamePlaceOnly) {
  const Sealer sealer = Sealer::Derive("a salt of customers", "ledger 1", "bounds");
  for (const std::string& text : {std::string(), std::string("{\"after\":[\"tanaka@example.com\"]}"),
                                  std::string("\0\xff", 2), std::string(100'000, 'x')}) {
    const std::string sealed = sealer.Seal(text, "shop.members");
    EXPECT_EQ(sealed.size(), text.size() + Sealer::kOverheadBytes);
    EXPECT_EQ(*Sealer::Derive("a salt of customers", "ledger 1", "bounds").Open(sealed, "shop.members"),
              text);
    EXPECT_FALSE(sealer.Open(sealed, "shop.orders").ok());
    EXPECT_FALSE(Sealer::Derive("another salt", "ledger 1", "bounds").Open(sealed, "shop.members").ok());
    EXPECT_FALSE(
        Sealer::Derive("a salt of customers", "ledger 2", "bounds").Open(sealed, "shop.members").ok());
    EXPECT_FALSE(
        Sealer::Derive("a salt of customers", "ledger 1", "spool").Open(sealed, "shop.members").ok());
    EXPECT_FALSE(Sealer::Random().Open(sealed, "shop.members").ok());
  }
}

TEST(Sealer, NoByteCanBeChangedOrTakenAway) {
  const Sealer sealer = Sealer::Random();
  const std::string sealed = sealer.Seal("tanaka", "");
  for (size_t i = 0; i < sealed.size(); ++i) {
    std::string changed = sealed;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_FALSE(sealer.Open(changed, "").ok()) << i;
    EXPECT_FALSE(sealer.Open(sealed.substr(0, i), "").ok()) << i;
  }
}

TEST(Sealer, EqualTextsDoNotLookEqual) {
  const Sealer sealer = Sealer::Random();
  EXPECT_NE(sealer.Seal("tanaka", ""), sealer.Seal("tanaka", ""));
  EXPECT_EQ(sealer.Seal("tanaka", "").find("tanaka"), std::string::npos);
}

}  // namespace
}  // namespace hakobu
