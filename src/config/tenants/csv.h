// Tenants as a CSV file: a header that names columns, and one tenant a line. Pure.
#pragma once

#include <string>
#include <string_view>

#include "config/problems.h"
#include "config/tenants/tenant.h"

namespace hakobu {

// Adds the file's tenants to `tenants`, and to `problems` what is wrong and where each value stands. A
// tenant's keys are "tenants.csv[line 3].destination.dataset". An empty field is a key that is not given.
void ReadTenantsCsv(std::string_view text, const std::string& file, TenantsConfig* tenants,
                    ConfigProblems* problems);

}  // namespace hakobu
