// What is published about the configuration is what the parser reads: docs/hakobu.schema.json,
// docs/configuration.md and the examples. HAKOBU_UPDATE_GOLDEN=1 writes the first two anew.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "config/json_schema.h"
#include "config/load.h"
#include "config/reference.h"

namespace hakobu {
namespace {

std::string ReadText(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

bool Updating() {
  return std::getenv("HAKOBU_UPDATE_GOLDEN") != nullptr;
}

TEST(Published, SchemaIsCurrent) {
  if (Updating()) std::ofstream("docs/hakobu.schema.json", std::ios::binary) << ConfigJsonSchema();
  EXPECT_EQ(ReadText("docs/hakobu.schema.json"), ConfigJsonSchema());
}

TEST(Published, ReferenceIsCurrent) {
  constexpr std::string_view kMark = "\n## Every key\n";
  const std::string page = ReadText("docs/configuration.md");
  const size_t mark = page.find(kMark);
  ASSERT_NE(mark, std::string::npos);
  const std::string written = page.substr(0, mark + kMark.size()) + ConfigurationReference();
  if (Updating()) std::ofstream("docs/configuration.md", std::ios::binary) << written;
  EXPECT_EQ(ReadText("docs/configuration.md"), written);
}

TEST(Published, ExamplesAreAccepted) {
  const Environment environment = [](const std::string& name) {
    if (name.find("REST") != std::string::npos) return std::optional<std::string>("http://127.0.0.1:9050");
    return std::optional<std::string>(name.find("GRPC") == std::string::npos ? "a value of many letters"
                                                                             : "127.0.0.1:9060");
  };
  size_t examples = 0;
  for (const auto& entry : std::filesystem::directory_iterator("examples")) {
    if (entry.path().extension() != ".yaml") continue;
    ++examples;
    const auto config = LoadConfig(entry.path().string(), environment, SecretUse::kRead, TenantUse::kServed);
    EXPECT_TRUE(config.ok()) << config.status();
  }
  EXPECT_GE(examples, 3u);
}

}  // namespace
}  // namespace hakobu
