// `hakobu bigquery`: the local BigQuery, until it is interrupted.
#pragma once

#include "app/command.h"

namespace hakobu {

void RegisterBigQueryCommand(CLI::App& app, CommandLine& line);

}  // namespace hakobu
