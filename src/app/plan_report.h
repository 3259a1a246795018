// What a run would do, for people and for programs. Pure.
#pragma once

#include <string>

#include "config/config.h"
#include "delivery/delivery.h"

namespace hakobu {

// US dollars by PriceConfig; nothing here asks Google.
struct CostEstimate {
  double storage_write_usd = 0;       // appends, if this month's free amount is not used up yet
  double storage_write_most_usd = 0;  // appends, if it is
  double merge_usd = 0;               // a MERGE reads its whole target; what is new comes on top
  double storage_month_usd = 0;       // what the delivered tables cost to keep, a month
};
CostEstimate EstimateCost(const RunPlan& plan, const PriceConfig& prices);

std::string PlanText(const RunPlan& plan, const PriceConfig& prices);
std::string PlanJson(const RunPlan& plan, const PriceConfig& prices);

}  // namespace hakobu
