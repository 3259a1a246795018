#include "delivery/table_report.h"

#include <fmt/format.h>

#include "absl/random/random.h"
#include "base/status.h"

namespace hakobu {

TableReport ReportOf(RunContext* run, TableRun* table) {
  TableReport report;
  report.source = table->work.name;
  report.target = table->work.target.ToString();
  report.mode = table->work.mode;
  report.write = table->work.write;
  report.publish = table->publish.method;
  report.unchanged = table->unchanged;
  report.chunks = table->chunks.size();
  report.chunk_retries = table->retries;
  report.schema_changes = table->work.changes;
  for (const ChunkRecord& chunk : table->chunks) {
    if (chunk.state != ChunkState::kDone) continue;
    report.rows += chunk.rows;
    report.bytes += chunk.bytes;
  }
  absl::MutexLock lock(&table->mutex);
  report.notes = table->notes;
  report.state = NameOf(table->record.state);
  report.seconds = table->record.seconds;
  if (!table->failure.ok()) {
    report.state = run->cancel->cancelled() ? "cancelled" : "failed";
    report.error = std::string(View(table->failure.message()));
    report.refused = table->failure.code() == absl::StatusCode::kDataLoss;
  }
  const absl::StatusOr<std::vector<QuarantineRecord>> quarantined =
      run->ledger->runs().Quarantined(run->run_id, table->work.name);
  if (quarantined.ok()) {
    for (const QuarantineRecord& record : *quarantined) {
      report.quarantined.push_back({record.column, record.count, record.first_keys, record.example});
    }
  }
  return report;
}

std::string NewRunId(absl::Time now) {
  absl::BitGen random;
  const int64_t microseconds = absl::ToUnixMicros(now) % 1000000;
  return absl::FormatTime("%Y%m%dt%H%M%S", now, absl::UTCTimeZone()) +
         fmt::format("{:06}{:04x}", microseconds, absl::Uniform<uint32_t>(random, 0, 1U << 16));
}

}  // namespace hakobu
