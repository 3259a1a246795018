// Grants in other forms: CSV from what is there, Terraform from what is stated, and the one exception
// explained.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "grants/desired.h"
#include "grants/plan.h"

namespace hakobu {

// A CSV with a line for each grant that a line can state; what none can (conditions, authorised views,
// project roles, …) follows as comments.
std::string ImportCsv(const std::vector<TargetState>& states);
std::string CsvLine(const std::string& target, const AccessEntry& entry, const std::string& reason);
// `csv` without the line of that number (1-based), all else byte for byte.
std::string WithoutLine(std::string_view csv, int line_number);

// `.tf.json` for the google provider: google_bigquery_dataset_iam_member and google_bigquery_table_iam_member
// for every stated grant, and an import block for each that is there already, so that the first plan adds no
// second.
std::string TerraformJson(const std::string& project, const DesiredState& desired,
                          const std::vector<TargetState>& states);

// Where bigquery.jobs.create has to be granted for queries to run, and to whom, with the commands.
std::string ExplainJobs(const std::string& data_project, const std::string& billing_project,
                        const DesiredState& desired);

}  // namespace hakobu
