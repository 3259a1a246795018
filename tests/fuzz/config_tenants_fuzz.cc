// Any bytes as a CSV of tenants: no crash, every problem placed within the file, every tenant with the place
// of its line; and what was read is written out and read back the same.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/csv.h"
#include "config/tenants/csv.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hakobu;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  ConfigProblems problems;
  TenantsConfig tenants;
  ReadTenantsCsv(text, "fuzz.csv", &tenants, &problems);
  const std::string said = std::string(problems.ToStatus("hakobu.yaml").message());
  if (said.find("hakobu.yaml") == 0) std::abort();  // a problem of this file says so
  std::string again = "id,value,database,tier\n";
  for (const TenantConfig& tenant : tenants.list) {
    if (tenant.place.line < 1 || tenant.place.file != "fuzz.csv") std::abort();
    if (tenant.id.empty()) continue;
    again += CsvQuote(tenant.id) + "," + CsvQuote(tenant.value) + "," + CsvQuote(tenant.database) + "," +
             CsvQuote(tenant.tier) + "\n";
  }
  if (!problems.empty()) return 0;
  ConfigProblems none;
  TenantsConfig back;
  ReadTenantsCsv(again, "again.csv", &back, &none);
  size_t at = 0;
  for (const TenantConfig& tenant : tenants.list) {
    if (tenant.id.empty()) continue;
    if (at >= back.list.size()) std::abort();
    const TenantConfig& same = back.list[at++];
    if (same.id != tenant.id || same.value != tenant.value || same.database != tenant.database) std::abort();
  }
  return 0;
}
