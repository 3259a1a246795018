// What is away, and what was last, as the ledger has it.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "ledger/outage_book.h"

namespace hakobu {

// A line for each; empty when there was nothing.
std::string OutageText(const std::vector<OutageRecord>& outages);
nlohmann::ordered_json OutageJson(const std::vector<OutageRecord>& outages);

}  // namespace hakobu
