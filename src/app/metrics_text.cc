#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <initializer_list>
#include <utility>

#include "app/metrics_server.h"

namespace hakobu {
namespace {

bool IsKnown(absl::Time time) {
  return time != absl::InfinitePast() && time != absl::InfiniteFuture();
}

double Seconds(absl::Time time) {
  return static_cast<double>(absl::ToUnixMillis(time)) / 1000;
}

// As Prometheus writes infinity.
std::string Number(double value) {
  return std::isinf(value) ? "+Inf" : fmt::format("{}", value);
}

// It grows until there is new proof. Clocks may differ a little: what is proven is never from the future.
double Freshness(absl::Time fresh_until, absl::Time now) {
  return std::max(absl::ToDoubleSeconds(now - fresh_until), 0.0);
}

uint64_t ResidentBytes() {
  uint64_t total = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> total >> resident;
  return resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

void AddStates(const StreamStatus& status, MetricsPage* page) {
  page->Metric("hakobu_stream_state", "gauge", "1 for the state the stream is in, 0 for the others.");
  for (const std::string_view state : kStreamPhaseNames)
    page->Sample({{"state", state}}, NameOf(status.state) == state ? 1 : 0);
  page->Metric("hakobu_stream_info", "gauge", "The server that is followed and the epoch of its positions.");
  page->Sample({{"server", status.source_server}, {"epoch", fmt::format("{}", status.epoch)}}, 1);
}

// Of every side, so that an alert can be written before anything happened.
void AddOutages(const StreamStatus& status, absl::Time now, MetricsPage* page) {
  const auto lasting = [&](std::string_view subject) -> const Outage* {
    for (const Outage& outage : status.outages) {
      if (NameOf(outage.subject) == subject) return &outage;
    }
    return nullptr;
  };
  page->Metric("hakobu_stream_outage", "gauge", "1 while that side is away, or refuses.");
  for (const std::string_view subject : kOutageSubjectNames)
    page->Sample({{"subject", subject}}, lasting(subject) == nullptr ? 0 : 1);
  page->Metric("hakobu_stream_outage_seconds", "gauge", "For how long it has been.");
  for (const std::string_view subject : kOutageSubjectNames) {
    const Outage* outage = lasting(subject);
    page->Sample({{"subject", subject}},
                 outage == nullptr ? 0.0 : absl::ToDoubleSeconds(now - std::min(now, outage->since)));
  }
}

void AddTimes(const StreamStatus& status, absl::Time now, MetricsPage* page) {
  if (IsKnown(status.started))
    page->Only("hakobu_stream_start_time_seconds", "gauge", "When the stream started.",
               Seconds(status.started));
  if (IsKnown(status.fresh_until)) {
    page->Only("hakobu_stream_freshness_seconds", "gauge",
               "Age of the newest moment up to which every table is proven to be whole in BigQuery.",
               Freshness(status.fresh_until, now));
  }
  if (IsKnown(status.last_event)) {
    page->Only("hakobu_stream_last_event_time_seconds", "gauge", "When an event or heartbeat last came.",
               Seconds(status.last_event));
  }
  if (IsKnown(status.last_stored)) {
    page->Only("hakobu_stream_position_time_seconds", "gauge", "When the stored position last moved.",
               Seconds(status.last_stored));
  }
  if (status.headroom_seconds >= 0) {
    page->Only("hakobu_stream_retention_headroom_seconds", "gauge",
               "Until the source purges log that is still needed, at this rate.",
               Number(status.headroom_seconds));
  }
  if (status.stalled_seconds >= 0) {
    page->Only("hakobu_stream_stalled_headroom_seconds", "gauge",
               "The same, if the stream got no further from now on.", Number(status.stalled_seconds));
  }
  if (status.lag_bytes >= 0) {
    page->Only("hakobu_stream_lag_bytes", "gauge", "Log between the stored position and its end.",
               status.lag_bytes);
  }
}

void AddPositions(const StreamStatus& status, MetricsPage* page) {
  page->Metric("hakobu_stream_position_offset_bytes", "gauge",
               "Place in the source's log: what is stored as delivered, and what has been read.");
  if (!status.file.empty()) page->Sample({{"kind", "stored"}, {"file", status.file}}, status.offset);
  if (!status.read_file.empty())
    page->Sample({{"kind", "read"}, {"file", status.read_file}}, status.read_offset);
}

void AddCounters(const StreamStatus& status, MetricsPage* page) {
  struct Counter {
    std::string_view name, help;
    uint64_t StreamStatus::* value;
  };
  constexpr Counter kCounters[] = {
      {"hakobu_stream_transactions_total", "Transactions read from the log.", &StreamStatus::transactions},
      {"hakobu_stream_changes_total", "Row changes delivered.", &StreamStatus::changes},
      {"hakobu_stream_sent_bytes_total", "Encoded bytes of rows delivered.", &StreamStatus::bytes},
      {"hakobu_stream_log_bytes_total", "Bytes of log read.", &StreamStatus::log_bytes},
      {"hakobu_stream_reconnects_total", "New connections to the source after the first.",
       &StreamStatus::reconnects},
      {"hakobu_stream_resent_requests_total", "Requests to BigQuery that were sent again.",
       &StreamStatus::resent_requests},
  };
  for (const Counter& each : kCounters) page->Only(each.name, "counter", each.help, status.*each.value);
  page->Only("hakobu_stream_held_bytes", "gauge", "Encoded rows that BigQuery has not acknowledged yet.",
             status.held_bytes);
  page->Only("hakobu_stream_open_gaps", "gauge", "Gaps that are not repaired.", status.open_gaps);
  page->Only("process_resident_memory_bytes", "gauge", "Memory of this process.", ResidentBytes());
}

void AddTables(const StreamStatus& status, absl::Time now, MetricsPage* page) {
  const auto each = [&](std::string_view name, std::string_view type, std::string_view help, auto value) {
    page->Metric(name, type, help);
    for (const StreamTableStatus& table : status.tables) {
      page->Sample({{"table", table.source}, {"target", table.target}}, value(table));
    }
  };
  page->Metric("hakobu_table_freshness_seconds", "gauge",
               "Age of the newest moment up to which the table is proven to be whole in BigQuery.");
  for (const StreamTableStatus& table : status.tables) {
    if (!IsKnown(table.fresh_until)) continue;
    page->Sample({{"table", table.source}, {"target", table.target}}, Freshness(table.fresh_until, now));
  }
  page->Metric("hakobu_table_state", "gauge", "1 for the state the table is in.");
  for (const StreamTableStatus& table : status.tables) {
    page->Sample({{"table", table.source}, {"target", table.target}, {"state", NameOf(table.state)}}, 1);
  }
  using Table = const StreamTableStatus&;
  each("hakobu_table_changes_total", "counter", "Row changes delivered.", [](Table t) { return t.changes; });
  each("hakobu_table_sent_bytes_total", "counter", "Encoded bytes delivered.",
       [](Table t) { return t.bytes; });
  each("hakobu_table_copied_rows_total", "counter", "Rows of the first copy.",
       [](Table t) { return t.copied_rows; });
  each("hakobu_table_copy_chunks", "gauge", "Chunks of the first copy.", [](Table t) { return t.chunks; });
  each("hakobu_table_copy_chunks_done", "gauge", "Those that are delivered.",
       [](Table t) { return t.chunks_done; });
  each("hakobu_table_quarantined_values_total", "counter", "Values that BigQuery could not hold.",
       [](Table t) { return t.quarantined; });
}

}  // namespace

std::string PrometheusText(const StreamStatus& status, absl::Time now) {
  MetricsPage page;
  AddStates(status, &page);
  AddOutages(status, now, &page);
  AddTimes(status, now, &page);
  AddPositions(status, &page);
  AddCounters(status, &page);
  AddTables(status, now, &page);
  return page.Take();
}

}  // namespace hakobu
