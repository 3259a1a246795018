// Any bytes as a grants CSV: no crash, every problem placed within the file, and what was read without a
// problem is read back the same after it is written out.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "grants/csv.h"
#include "grants/desired.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hakobu;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  GrantProblems problems;
  const CsvFile file = ParseCsv(text, "fuzz.csv", &problems);
  for (const GrantProblem& problem : problems.list()) {
    if (problem.place.line < 1 || problem.place.column < 1) std::abort();
  }
  if (!problems.HasErrors()) {
    std::string again = "h\n";  // decides the separator
    for (const CsvRecord& record : file.records) {
      for (size_t at = 0; at < record.fields.size(); ++at)
        again += (at > 0 ? "," : "") + CsvQuote(record.fields[at].text);
      again += '\n';
    }
    again.insert(0, "h,h\n");
    GrantProblems none;
    const CsvFile back = ParseCsv(again, "again.csv", &none);
    if (none.HasErrors() || back.records.size() != file.records.size() + 2) std::abort();
    for (size_t at = 0; at < file.records.size(); ++at) {
      const auto& before = file.records[at].fields;
      const auto& after = back.records[at + 2].fields;
      if (before.size() != after.size()) std::abort();
      for (size_t field = 0; field < before.size(); ++field) {
        if (before[field].text != after[field].text) std::abort();
      }
    }
  }
  GrantProblems more;
  const GrantSettings settings;
  const auto lines = ReadGrantLines(text, "fuzz.csv", settings, absl::FromUnixSeconds(1'790'000'000), &more);
  ResolveGrants(lines, settings, {"sales", "tenant_a"}, &more);
  (void)more.ToString();
  return 0;
}
