// What all `hakobu grants` commands begin with: settings and CSV files read, BigQuery and the ledger at hand.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "app/command.h"
#include "app/destination_side.h"
#include "base/cancel.h"
#include "config/config.h"
#include "destination/rest.h"
#include "grants/apply.h"
#include "grants/drift.h"
#include "grants/effective.h"
#include "ledger/ledger.h"

namespace hakobu {

struct GrantsOptions {
  std::string settings = "grants.yaml";
  std::vector<std::string> files;  // CSV; empty: as the settings say
  std::string was;                 // the CSV as it was: what it stated and no line does any more is removed
  std::string project;             // with it, no hakobu.yaml is needed
  std::string endpoint;
  std::string ledger;
  std::string caller;
  std::string audit_log;
  int parallel = 16;
  bool only_add = false;
  bool prune = false;
  std::optional<uint64_t> max_removals;
  std::optional<double> max_removed_share;
};

std::string ReadWholeFile(const std::string& path, absl::Status* status);
absl::Status WriteWholeFile(const std::string& path, const std::string& text);

class GrantsSession {
 public:
  // `globals`, `options` and `cancel` outlive the session.
  static absl::StatusOr<std::unique_ptr<GrantsSession>> Open(const GlobalOptions& globals,
                                                             const GrantsOptions& options,
                                                             Cancellation* cancel);

  // Files and datasets to a desired state. InvalidArgument with every problem.
  absl::Status LoadDesired();
  // Access lists of all datasets within `datasets:` and of every table that lines or earlier applies name.
  absl::Status ReadStates();
  absl::StatusOr<GrantPlan> MakePlan();
  // Checks removals against the guards, records, applies, and answers the exit code. Prints the account.
  // `states`: as read just before.
  absl::StatusOr<int> Apply(const GrantPlan& plan, const std::vector<TargetState>& states,
                            const std::string& reason);
  absl::StatusOr<std::map<std::string, Baseline>> Baselines();
  absl::StatusOr<std::vector<AuditChange>> Audit() const;

  GrantSources Sources() const;
  AccessStore& store() { return *store_; }
  GrantBook& log() { return ledger_->grants(); }
  const Config& config() const { return config_; }
  const GrantSettings& settings() const { return settings_; }
  const DesiredState& desired() const { return desired_; }
  const std::vector<TargetState>& states() const { return states_; }
  const std::vector<std::string>& csv_paths() const { return csv_paths_; }
  const std::vector<std::string>& datasets() const { return datasets_; }
  std::string CallsText() const;

 private:
  GrantsSession(const GlobalOptions& globals, const GrantsOptions& options, Cancellation* cancel)
      : globals_(globals), options_(options), cancel_(cancel) {}
  absl::Status OpenBigquery();
  absl::Status FindCaller();
  absl::Status LoadSettings();
  absl::Status LoadManaged();
  absl::StatusOr<std::vector<GrantLine>> ReadLines(const std::vector<std::string>& paths,
                                                   GrantProblems* problems) const;

  const GlobalOptions& globals_;
  const GrantsOptions& options_;
  Cancellation* cancel_;
  Config config_;
  std::string caller_;
  std::string commit_;
  std::unique_ptr<DestinationSide> side_;
  std::unique_ptr<Rest> rest_;
  std::unique_ptr<CallPacer> pacer_;
  std::unique_ptr<AccessStore> store_;
  std::unique_ptr<Ledger> ledger_;
  GrantProblems problems_;
  GrantSettings settings_;
  std::vector<std::string> csv_paths_;
  std::vector<std::string> datasets_;
  DesiredState desired_;
  std::map<std::string, std::map<std::string, int64_t>> applied_;      // GrantBook::Managed
  std::map<std::string, std::map<std::string, std::string>> managed_;  // with --was
  std::vector<TargetState> states_;
};

}  // namespace hakobu
