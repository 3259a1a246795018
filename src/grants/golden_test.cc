// tests/golden/grants/wrong_inputs.txt: `>>> FILE: what is wrong`, the input (\xNN a byte, \r a carriage
// return, a
// `\` at its end for no line end), `<<<`, and exactly what is said of it, up to an empty line.
// HAKOBU_UPDATE_GOLDEN=1 writes the answers anew, to be read before they are committed.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "grants/desired.h"

namespace hakobu {
namespace {

constexpr char kPath[] = "tests/golden/grants/wrong_inputs.txt";
const absl::Time kNow = absl::FromUnixSeconds(1'790'000'000);  // 2026-09-21

std::string Unescaped(const std::string& text) {
  std::string result;
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '\\') {
      result += text[at];
    } else if (text[at + 1] == 'x') {
      result += static_cast<char>(std::stoi(text.substr(at + 2, 2), nullptr, 16));
      at += 3;
    } else {
      if (text[at + 1] == 'r') result += '\r';
      ++at;  // `\` and a line end: nothing
    }
  }
  return result;
}

std::string Said(const std::string& file, const std::string& input) {
  GrantProblems problems;
  GrantSettings settings;
  if (file == "grants.yaml") {
    ParseGrantSettings(input, file, &problems);
  } else {
    settings.datasets = {"sales", "tenant_*"};
    const auto lines = ReadGrantLines(input, file, settings, kNow, &problems);
    ResolveGrants(lines, settings, {"hidden", "sales", "tenant_a"}, &problems);
  }
  return problems.HasErrors() ? problems.ToString() : "";
}

TEST(WrongInputs, AreRefusedWithExactlyTheExpectedText) {
  std::ifstream file(kPath);
  ASSERT_TRUE(file) << "run from the repository's root";
  std::string rewritten;
  int cases = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.rfind(">>> ", 0) != 0) continue;
    SCOPED_TRACE(line);
    rewritten += line + "\n";
    const std::string name = line.substr(4, line.find(':') - 4);
    std::string input, expected;
    for (std::string part; std::getline(file, part) && part != "<<<";) input += part + "\n";
    for (std::string part; std::getline(file, part) && !part.empty();) expected += part + "\n";
    const std::string said = Said(name, Unescaped(input));
    EXPECT_NE(said, "") << "nothing is wrong";
    EXPECT_EQ(said, expected);
    rewritten += input + "<<<\n" + said + "\n";
    ++cases;
  }
  EXPECT_GE(cases, 60);
  file.close();
  if (std::getenv("HAKOBU_UPDATE_GOLDEN") != nullptr) std::ofstream(kPath) << rewritten;
}

}  // namespace
}  // namespace hakobu
