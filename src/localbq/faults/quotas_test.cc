#include "localbq/faults/quotas.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/status.h"

namespace hakobu::localbq {
namespace {

using testing::HasSubstr;

constexpr Call kPatch{"tables.patch", "p", "d", "t", "user:a@b"};
const absl::Time kStart = absl::FromUnixSeconds(1'700'000'000);

// How many of `calls` are let through at `now`.
int Admitted(Quotas* quotas, const Call& call, int calls, absl::Time now, bool partitioned = false) {
  int admitted = 0;
  for (int i = 0; i < calls; ++i) admitted += quotas->ChargeAt(call, partitioned, now).ok() ? 1 : 0;
  return admitted;
}

class QuotasTest : public testing::Test {
 protected:
  QuotasTest() { quotas_.Set({true, 1, 1}); }
  Quotas quotas_;
};

TEST_F(QuotasTest, OffUntilSet) {
  Quotas quotas;
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(quotas.Charge(kPatch).ok());
}

TEST_F(QuotasTest, FiveTableUpdatesInTenSeconds) {
  EXPECT_EQ(Admitted(&quotas_, kPatch, 9, kStart), 5);
  const absl::Status refused = quotas_.ChargeAt(kPatch, false, kStart);
  EXPECT_TRUE(absl::IsResourceExhausted(refused));
  EXPECT_EQ(QuotaReason(refused), "rateLimitExceeded");
  EXPECT_THAT(std::string(View(refused.message())),
              HasSubstr("Exceeded rate limits: too many table update operations for this table. For more"));
  EXPECT_EQ(Admitted(&quotas_, kPatch, 9, kStart + absl::Seconds(9)), 0);
  EXPECT_EQ(Admitted(&quotas_, kPatch, 9, kStart + absl::Seconds(10)), 5);
  EXPECT_EQ(Admitted(&quotas_, {"tables.patch", "p", "d", "other", "user:a@b"}, 9, kStart), 5);
}

TEST_F(QuotasTest, PartitionedTablesTakeFifty) {
  EXPECT_EQ(Admitted(&quotas_, kPatch, 80, kStart, /*partitioned=*/true), 50);
}

TEST_F(QuotasTest, LoadsCountForTheirTableAndDay) {
  quotas_.Set({true, 0.002, 1});  // 3 a day and table; 1 in 10 s; 200 a day and project
  const Call load{"job.load", "p", "d", "t", ""};
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Admitted(&quotas_, load, 2, kStart + absl::Seconds(10 * i)), 1);
  const absl::Status refused = quotas_.ChargeAt(load, false, kStart + absl::Hours(1));
  EXPECT_EQ(QuotaReason(refused), "quotaExceeded");
  EXPECT_THAT(std::string(View(refused.message())), HasSubstr("exceeded quota for imports or query appends"));
  EXPECT_EQ(Admitted(&quotas_, load, 2, kStart + absl::Hours(25)), 1);
}

TEST_F(QuotasTest, RequestsPerSecondUserAndMethod) {
  const Call get{"tables.get", "p", "d", "t", "user:a@b"};
  EXPECT_EQ(Admitted(&quotas_, get, 150, kStart), 100);
  EXPECT_EQ(Admitted(&quotas_, {"tables.get", "p", "d", "t", "user:c@d"}, 150, kStart), 100);
  EXPECT_EQ(Admitted(&quotas_, {"jobs.get", "p", "", "", "user:a@b"}, 1500, kStart), 1000);
  EXPECT_EQ(Admitted(&quotas_, {"tabledata.insertAll", "p", "d", "t", "user:a@b"}, 1500, kStart), 1500);
}

TEST_F(QuotasTest, WindowsCanBeShort) {
  quotas_.Set({true, 1, 0.01});
  EXPECT_EQ(Admitted(&quotas_, kPatch, 9, kStart), 5);
  EXPECT_EQ(Admitted(&quotas_, kPatch, 9, kStart + absl::Milliseconds(99)), 0);
  EXPECT_EQ(Admitted(&quotas_, kPatch, 9, kStart + absl::Milliseconds(100)), 5);
}

TEST_F(QuotasTest, HeldConnectionsAreCountedAndReleased) {
  quotas_.Set({true, 0.0001, 1});  // 2 connections
  EXPECT_TRUE(quotas_.Hold("AppendRows", "p").ok());
  EXPECT_TRUE(quotas_.Hold("AppendRows", "p").ok());
  EXPECT_TRUE(quotas_.Hold("AppendRows", "other").ok());
  EXPECT_THAT(std::string(View(quotas_.Hold("AppendRows", "p").message())),
              HasSubstr("Exceeds 'Concurrent connections' quota"));
  quotas_.Release("AppendRows", "p");
  EXPECT_TRUE(quotas_.Hold("AppendRows", "p").ok());
}

TEST_F(QuotasTest, BytesPerSecond) {
  quotas_.Set({true, 1e-6, 1});  // 3221 bytes
  const Call append{"AppendRows", "p", "d", "t", ""};
  EXPECT_TRUE(quotas_.ChargeBytes(append, 3000).ok());
  const absl::Status refused = quotas_.ChargeBytes(append, 3000);
  EXPECT_THAT(std::string(View(refused.message())),
              testing::StartsWith("Exceeds 'AppendRows throughput' quota"));
}

}  // namespace
}  // namespace hakobu::localbq
