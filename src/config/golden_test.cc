// Every tests/golden/config/NAME.yaml is refused with exactly the text of NAME.expected.
// HAKOBU_UPDATE_GOLDEN=1 writes the texts anew, to be read before they are committed.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <vector>

#include "base/status.h"
#include "config/load.h"

namespace hakobu {
namespace {

const std::filesystem::path kFolder = "tests/golden/config";
const std::filesystem::path kTenantsFolder = "tests/golden/tenants";

std::string ReadText(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

Environment TestEnvironment() {
  return [](const std::string& name) -> std::optional<std::string> {
    static const std::map<std::string, std::string> values = {{"MYSQL_PASSWORD", "swordfish"},
                                                              {"EMPTY", ""},
                                                              {"SHORT", "swordfish"},
                                                              {"SALT", "swordfish-and-chips-and-peas"},
                                                              {"PORT", "not-a-port-swordfish"}};
    const auto found = values.find(name);
    return found == values.end() ? std::nullopt : std::optional<std::string>(found->second);
  };
}

std::vector<std::filesystem::path> WrongConfigurations(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".yaml") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

// `parse`: reads one file; `least`: how many there are to be.
template <class Parse>
void ExpectRefusals(const std::filesystem::path& folder, size_t least, Parse parse) {
  const std::vector<std::filesystem::path> paths = WrongConfigurations(folder);
  ASSERT_GE(paths.size(), least) << "run from the repository's root";
  for (const std::filesystem::path& path : paths) {
    SCOPED_TRACE(path.string());
    const absl::StatusOr<Config> config = parse(path);
    ASSERT_FALSE(config.ok());
    EXPECT_EQ(config.status().code(), absl::StatusCode::kInvalidArgument);
    const std::string text = std::string(View(config.status().message())) + "\n";
    std::filesystem::path expected = path;
    expected.replace_extension(".expected");
    if (std::getenv("HAKOBU_UPDATE_GOLDEN") != nullptr) std::ofstream(expected, std::ios::binary) << text;
    EXPECT_EQ(text, ReadText(expected));
    EXPECT_EQ(text.find("swordfish"), std::string::npos) << "a secret shows";
  }
}

TEST(WrongConfiguration, IsRefusedWithExactlyTheExpectedText) {
  ExpectRefusals(kFolder, 40, [](const std::filesystem::path& path) {
    return ParseConfig(ReadText(path), path.filename().string(), TestEnvironment());
  });
}

TEST(WrongTenants, AreRefusedWithExactlyTheExpectedText) {
  ExpectRefusals(kTenantsFolder, 60, [](const std::filesystem::path& path) {
    return LoadConfig(path.string(), TestEnvironment(), SecretUse::kRead, TenantUse::kServed);
  });
}

}  // namespace
}  // namespace hakobu
