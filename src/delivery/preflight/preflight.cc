#include "delivery/preflight/preflight.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "delivery/preflight/check_destination.h"
#include "delivery/preflight/check_source.h"
#include "delivery/preflight/check_stream.h"

namespace hakobu {
namespace {

// A table about which there is nothing to say is in order.
void NoteGoodTables(const std::vector<TableWork>& tables, Findings* findings) {
  for (const TableWork& work : tables) {
    const bool bad =
        std::any_of(findings->list().begin(), findings->list().end(), [&](const Finding& finding) {
          return finding.subject == work.name && finding.level == FindingLevel::kProblem;
        });
    if (bad) continue;
    findings->Add(FindingLevel::kOk, work.name,
                  fmt::format("{} columns to {}", work.schema.fields.size(), work.target.ToString()));
  }
}

}  // namespace

Findings CheckEverything(const Config& config, const DestinationAddresses& addresses,
                         const Cancellation& cancel) {
  Findings findings;
  std::vector<TableWork> tables;
  std::vector<TableWork> streamed;
  if (const std::unique_ptr<Connection> source = CheckServer(config, &cancel, &findings)) {
    tables = CheckTables(config, source.get(), &findings);
    CheckAccount(config, tables, source.get(), &findings);
    streamed = CheckStream(config, source.get(), &findings);
  }
  absl::StatusOr<Destination> destination =
      OpenDestination(config.destination, addresses, Clock::Real(), &cancel, absl::Seconds(10));
  if (destination.ok()) {
    CheckDestination(config, &*destination, &tables, streamed, &findings);
  } else {
    findings.AddStatus("destination", destination.status());
  }
  NoteGoodTables(tables, &findings);
  findings.GroupBySubject();
  return findings;
}

}  // namespace hakobu
