#include "delivery/preflight/unused_entries.h"

#include <gtest/gtest.h>

#include "config/load.h"

namespace hakobu {
namespace {

TEST(UnusedEntries, NamesThatMeanNothingAreWarnedOf) {
  const auto config =
      ParseConfig(R"(source: {user: hakobu}
destination: {project: example, dataset: shop}
defaults: {exclude: [pin], columns: {emial: {mask: null}, "*fax*": {mask: null}, name: {mask: null}}}
tables:
  - {table: shop.*, exclude: [memmo], columns: {Name: {description: d}}}
  - {table: other.*, columns: {anything: {mask: null}}}
)",
                  "hakobu.yaml", [](const std::string&) { return std::optional<std::string>(); });
  ASSERT_TRUE(config.ok()) << config.status();
  TableWork work;
  work.name = "shop.members";
  for (const char* name : {"id", "NAME", "email", "PIN", "memo"})
    work.source.columns.emplace_back().name = name;
  Findings findings;
  CheckUnusedEntries(*config, {&work}, &findings);
  ASSERT_EQ(findings.list().size(), 3u);
  EXPECT_EQ(findings.list()[0].subject, "defaults");
  EXPECT_EQ(findings.list()[0].text, "columns: there is no column `emial`");
  EXPECT_EQ(findings.list()[0].hint, "did you mean `email`?");
  EXPECT_EQ(findings.list()[1].level, FindingLevel::kNote) << "a pattern may be there for columns to come";
  EXPECT_EQ(findings.list()[2].subject, "shop.*");
  EXPECT_EQ(findings.list()[2].hint, "did you mean `memo`?");
}

}  // namespace
}  // namespace hakobu
