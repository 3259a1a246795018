// What no single key can know: options that contradict each other, names that BigQuery does not allow, tables
// twice.
#pragma once

#include "config/config.h"
#include "config/problems.h"

namespace hakobu {

// `problems` knows where each key stands, and takes what is wrong.
void ValidateConfig(const Config& config, ConfigProblems* problems);

// The condition on rows at `key`.
void CheckWhere(const std::string& where, const std::string& key, ConfigProblems* problems);

// Names and texts of `labels` at `path`.
void CheckLabels(const TableOptions& options, const std::string& path, ConfigProblems* problems);

bool IsProjectName(std::string_view text);
bool IsDatasetName(std::string_view text);
bool IsKmsKeyName(std::string_view text);

// The columns that `path` ("defaults", "tables[2]") names itself.
void ValidateColumns(const TableOptions& options, const std::string& path, ConfigProblems* problems);

// One entry of `tables:`, at `path`, with defaults applied.
void ValidateTableRule(const TableRule& rule, const std::string& path, ConfigProblems* problems);

}  // namespace hakobu
