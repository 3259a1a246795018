// Which of the source's tables the configuration wants, and which it leaves out.
#pragma once

#include <string>
#include <vector>

#include "config/config.h"
#include "config/helper_tables.h"
#include "delivery/preflight/finding.h"
#include "delivery/table_work.h"
#include "source/source.h"

namespace hakobu {

struct LeftOutTable {
  std::string name;    // "shop._members_gho"
  std::string reason;  // "a helper table of gh-ost for members"
};

struct Selection {
  std::vector<TableWork> tables;       // in the order of databases, then names
  std::vector<LeftOutTable> left_out;  // that a glob names and a rule keeps out
};

// The tables that the configuration names, `wanted` picks and `delivered_by` delivers, as the source has
// them, their options weighed (OptionsFor). Tables that cannot be read, that would share a table of BigQuery
// with another of either cadence, and entries that match nothing are findings of their own.
Selection Select(const Config& config, const std::vector<std::string>& wanted, DeliveredBy delivered_by,
                 Connection* source, Findings* findings);

// A note for each table that was left out.
void NoteLeftOut(const Selection& selection, Findings* findings);

// Why a table that only a glob names is left out although the glob matches; empty when it is delivered.
// `exists` is asked for tables of the same database; those that the configuration names exactly count, too.
std::string WhyLeftOut(const Config& config, const TableRule& rule, std::string_view database,
                       std::string_view table, const TableExists& exists);

}  // namespace hakobu
