// How a run went, for people. ReportToJson (delivery) is the same for programs. Pure.
#pragma once

#include <string>

#include "delivery/delivery.h"

namespace hakobu {

std::string RunReportText(const RunReport& report);

}  // namespace hakobu
