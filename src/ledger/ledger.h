// hakobu's durable memory: one SQLite file (WAL, synchronous=FULL) with one owner. What a function has
// returned OK for survives kill -9 and power loss.
//
// What is in it is kept by books, each with its records, its tables and all SQL that touches them. A new book
// is a class over LedgerFile (session.h), records with their columns (column.h), a migration (migrations.cc),
// and a member here.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "ledger/alert_book.h"
#include "ledger/attempt_book.h"
#include "ledger/contract_book.h"
#include "ledger/grant_book.h"
#include "ledger/ledger_lock.h"
#include "ledger/outage_book.h"
#include "ledger/pace_book.h"
#include "ledger/probe_book.h"
#include "ledger/published_book.h"
#include "ledger/repair_book.h"
#include "ledger/run_book.h"
#include "ledger/schema_book.h"
#include "ledger/session.h"
#include "ledger/stream_book.h"
#include "ledger/tenant_book.h"

namespace hakobu {

// What only one process does with a ledger at a time; each beside the others.
enum class LedgerUse : uint8_t { kRun, kStream, kRepair, kProbe };

// Thread-safe: one statement or transaction at a time, behind a mutex. A full disk is ResourceExhausted, with
// a hint; nothing is lost then: the transaction is rolled back whole.
class Ledger {
 public:
  // Creates or upgrades the file. FailedPrecondition for a file of a newer hakobu, or one that is not a
  // ledger.
  static absl::StatusOr<std::unique_ptr<Ledger>> Open(const std::string& path,
                                                      const SqliteOptions& options = {});

  // Held as long as the answer lives; released by the system when the process ends, however it ends.
  // FailedPrecondition naming the other's pid.
  absl::StatusOr<std::unique_ptr<LedgerLock>> Lock(LedgerUse use) const;
  // A random name of this ledger, made once: labels what belongs to it in BigQuery.
  const std::string& id() const { return id_; }

  RunBook& runs() { return runs_; }
  SchemaBook& schemas() { return schemas_; }
  PublishedBook& published() { return published_; }
  ContractBook& contracts() { return contracts_; }
  StreamBook& streams() { return streams_; }
  RepairBook& repairs() { return repairs_; }
  GrantBook& grants() { return grants_; }
  ProbeBook& probes() { return probes_; }
  OutageBook& outages() { return outages_; }
  PaceBook& pace() { return pace_; }
  AlertBook& alerts() { return alerts_; }
  AttemptBook& attempts() { return attempts_; }
  TenantBook& tenants() { return tenants_; }

 private:
  Ledger(std::string path, std::string id, std::unique_ptr<Sqlite> sqlite)
      : path_(std::move(path)), id_(std::move(id)), file_(std::move(sqlite)) {}

  const std::string path_;
  const std::string id_;
  LedgerFile file_;
  RunBook runs_{&file_};
  SchemaBook schemas_{&file_};
  PublishedBook published_{&file_};
  ContractBook contracts_{&file_};
  StreamBook streams_{&file_};
  RepairBook repairs_{&file_};
  GrantBook grants_{&file_};
  ProbeBook probes_{&file_};
  OutageBook outages_{&file_};
  PaceBook pace_{&file_};
  AlertBook alerts_{&file_};
  AttemptBook attempts_{&file_};
  TenantBook tenants_{&file_};
};

}  // namespace hakobu
