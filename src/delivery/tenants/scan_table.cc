#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "base/arena.h"
#include "base/crash_point.h"
#include "base/log.h"
#include "base/status.h"
#include "delivery/governed/run_gate.h"
#include "delivery/move/retry.h"
#include "delivery/tenants/partition.h"
#include "delivery/tenants/shared_table.h"

namespace hakobu {
namespace {

// Packets are let go of, and a wish to stop is heard, as often.
constexpr uint64_t kRowsBetween = 512;

// The threads of one scan.
class TableScan {
 public:
  TableScan(RunContext* run, TableRun* scan, SharedTable* table) : run_(run), scan_(scan), table_(*table) {
    const uint32_t connections = std::max(1U, run->config->source.connections);
    // The other half is for packets on their way.
    most_bytes_ = run->config->limits.memory / connections / 2;
  }

  absl::Status Scan() {
    std::vector<std::thread> readers;
    const size_t count =
        std::min<size_t>(std::max(1U, run_->config->source.connections), scan_->chunks.size());
    for (size_t i = 0; i < count; ++i) readers.emplace_back([this] { ReadLoop(); });
    for (std::thread& reader : readers) reader.join();
    absl::MutexLock lock(&mutex_);
    HAKOBU_RETURN_IF_ERROR(failure_);
    return AddUp();
  }

 private:
  void ReadLoop() {
    run_->readers.Add(ReaderState::kReading, 1);
    SourceLease lease(run_->source());
    for (size_t chunk = next_++; chunk < scan_->chunks.size() && !failed_; chunk = next_++) {
      const absl::Status status = ReadChunkOf(&lease, scan_->chunks[chunk]);
      if (status.ok()) continue;
      failed_ = true;
      absl::MutexLock lock(&mutex_);
      if (failure_.ok()) failure_ = Annotate(status, fmt::format("{}: chunk {}", scan_->work.name, chunk));
    }
    run_->readers.Add(ReaderState::kReading, -1);
  }

  absl::Status ReadChunkOf(SourceLease* lease, const ChunkRecord& chunk) {
    HAKOBU_RETURN_IF_ERROR(run_->gate->Enter(*scan_));
    HAKOBU_ASSIGN_OR_RETURN(const std::string json, scan_->values->Read(chunk.bounds_json));
    HAKOBU_ASSIGN_OR_RETURN(const Chunk bounds, Chunk::FromJson(json));
    MoveAttempts attempts({.patience = run_->options.patience}, run_->clock, run_->cancel);
    for (;;) {
      HAKOBU_RETURN_IF_ERROR(run_->cancel->Check());
      absl::Status status = Attempt(lease, bounds);
      if (status.ok()) return status;
      lease->Drop();
      HAKOBU_RETURN_IF_ERROR(run_->cancel->Check());
      Log(LogSeverity::kWarning, "a chunk of a scan failed, trying again",
          {{"table", scan_->work.name}, {"error", status.ToString()}});
      const ReaderIn retrying(&run_->readers, ReaderState::kRetrying);
      HAKOBU_RETURN_IF_ERROR(attempts.Again(status));
      ++scan_->retries;
    }
  }

  // Rows of an attempt that fails are nobody's: their pieces are never looked at.
  absl::Status Attempt(SourceLease* lease, const Chunk& bounds) {
    HAKOBU_ASSIGN_OR_RETURN(Connection * connection, lease->Get());
    ChunkReader reader(connection, &scan_->read_as, scan_->work.columns, scan_->where);
    HAKOBU_RETURN_IF_ERROR(reader.Open(bounds));
    Partition partition(table_.spool.get(), &table_.keys, &table_.served, most_bytes_);
    Arena arena;
    Cell key = Cell::Null();
    std::string_view packet;
    while (reader.Next(&packet)) {
      HAKOBU_RETURN_IF_ERROR(scan_->decoder->DecodeFirst(packet, &arena, &key));
      HAKOBU_RETURN_IF_ERROR(partition.Take(key, packet));
      if (reader.rows() % kRowsBetween != 0) continue;
      HAKOBU_RETURN_IF_ERROR(run_->cancel->Check());
      arena.Reset();
      reader.Release();
    }
    HAKOBU_RETURN_IF_ERROR(reader.status());
    HAKOBU_ASSIGN_OR_RETURN(const Partitioned rows, partition.Finish());
    Keep(rows, reader.rows());
    return absl::OkStatus();
  }

  void Keep(const Partitioned& rows, uint64_t scanned) {
    absl::MutexLock lock(&mutex_);
    for (const auto& [tenant, piece] : rows.pieces) table_.pieces[tenant].push_back(piece);
    table_.report.scanned += scanned;
    table_.report.elsewhere += rows.elsewhere;
    table_.report.nobody.Add(rows.nobody);
    scan_->rows += scanned;
    ++scan_->chunks_done;
  }

  // What the server says it sent, against what is in tenants' pieces.
  absl::Status AddUp() {
    ScanReport& report = table_.report;
    for (uint32_t tenant = 0; tenant < table_.pieces.size(); ++tenant) {
      report.handed_out += table_.RowsOf(tenant);
      scan_->bytes += table_.BytesOf(tenant);
    }
    const uint64_t known = report.handed_out + report.nobody.rows() + report.elsewhere;
    if (known == report.scanned) return absl::OkStatus();
    return WithHint(
        absl::DataLossError(fmt::format(
            "{}: {} rows were scanned, but {} handed to tenants, {} of no tenant and {} of other scans",
            scan_->work.name, report.scanned, report.handed_out, report.nobody.rows(), report.elsewhere)),
        "nothing of the table was delivered to anybody; please report it");
  }

  RunContext* run_;
  TableRun* scan_;
  SharedTable& table_;
  uint64_t most_bytes_ = 0;
  std::atomic<size_t> next_{0};
  std::atomic<bool> failed_{false};
  absl::Mutex mutex_;
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

uint64_t SharedTable::RowsOf(uint32_t tenant) const {
  uint64_t rows = 0;
  for (const Piece& piece : pieces[tenant]) rows += piece.rows;
  return rows;
}

uint64_t SharedTable::BytesOf(uint32_t tenant) const {
  uint64_t bytes = 0;
  for (const Piece& piece : pieces[tenant]) bytes += piece.bytes;
  return bytes;
}

absl::Status ScanTable(RunContext* run, TableRun* scan, SharedTable* table) {
  const TenantsConfig& tenants = *run->config->tenants;
  HAKOBU_ASSIGN_OR_RETURN(table->spool, PieceSpool::Open(tenants.spool, tenants.spool_bytes));
  {
    absl::MutexLock lock(&scan->mutex);
    scan->started = run->clock->Now();
    HAKOBU_RETURN_IF_ERROR(run->ledger->runs().AdvanceTable(&scan->record, RunTableEvent::kRead));
  }
  HAKOBU_RETURN_IF_ERROR(TableScan(run, scan, table).Scan());
  CrashPoint("tenants.scanned");
  return absl::OkStatus();
}

}  // namespace hakobu
