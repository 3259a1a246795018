// What the ledger says, for people and for programs.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "app/outage_status.h"
#include "app/status_age.h"
#include "ledger/ledger.h"

namespace hakobu {

struct RunStatus {
  RunRecord run;
  std::vector<RunTableRecord> tables;
  std::vector<std::pair<std::string, QuarantineRecord>> quarantined{};  // of each table, by its name
  bool interrupted = false;                                             // see MarkInterrupted
};

// What else somebody who looks should see.
struct Troubles {
  std::vector<AlertRecord> alerts;      // that last
  std::vector<NoticeRecord> waiting;    // messages that nobody has yet
  std::vector<AttemptRecord> attempts;  // the newest first
};
absl::StatusOr<Troubles> ReadTroubles(Ledger* ledger);
std::string TroublesText(const Troubles& troubles, absl::Time now);

// The newest `count` runs, newest first, each with its tables.
absl::StatusOr<std::vector<RunStatus>> ReadStatus(Ledger* ledger, size_t count);
// What the ledger calls running while no process holds it was cut off: its process was killed.
void MarkInterrupted(Ledger* ledger, std::vector<RunStatus>* runs);

std::string StatusText(const std::vector<RunStatus>& runs);
// `stream_json`: of the stream, or "null".
// `late`: of --max-age, where it was asked. `tenants_json`: a list, left out when it is empty.
std::string StatusJson(const std::vector<RunStatus>& runs, const std::string& stream_json = "null",
                       const std::vector<OutageRecord>& outages = {},
                       const std::vector<LateTable>* late = nullptr, const Troubles& troubles = {},
                       const std::string& tenants_json = "[]");

}  // namespace hakobu
