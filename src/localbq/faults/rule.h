// A rule of "let this go wrong": which calls it is about, which of them it takes, and what happens to those.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace hakobu::localbq {

// A call as rules and quotas see it. The views live as long as the call does.
struct Call {
  // "tables.get", "jobs.insert" …; "AppendRows" (each request of a connection) and the Storage API's other
  // methods; "job.load", "job.query", "job.copy": the job's own run.
  std::string_view method;
  std::string_view project, dataset, table;  // empty where the call names none
  std::string_view user;                     // empty without --auth
};

enum class FaultKind : uint8_t {
  kError,        // the call is answered with an error
  kSlow,         // … later
  kDrop,         // … not at all: the connection ends
  kTruncate,     // … in part: the body ends early, and the connection with it (REST)
  kIdleClose,    // AppendRows: a connection without requests for `duration_ms` is closed with ABORTED
  kStaleSchema,  // AppendRows: new columns are unknown for `duration_ms` after the table got them
  kRecreated,    // AppendRows: "Table … is re-created" for `duration_ms` after delete and create
};

struct FaultRule {
  int64_t id = 0;    // given by Faults
  std::string text;  // of the fault, as written: "rateLimitExceeded", "slow" …
  FaultKind kind = FaultKind::kError;

  // Globs (* and ?); empty matches all. A method matches when one of them does.
  std::vector<std::string> methods;
  std::string project, dataset, table;

  int64_t after = 0;       // so many calls that match are let through first
  int64_t every = 1;       // then each so-many-th is taken
  int64_t times = 0;       // at most so many are; 0: no end
  double probability = 1;  // of each that would be taken

  bool is_after_effect = false;  // kError, kDrop: what the call asks for is done first
  bool is_in_band = false;       // AppendRows, kError: in the response, and the connection stays
  absl::StatusCode code = absl::StatusCode::kUnknown;  // kError: on gRPC, and for REST's HTTP status
  std::string reason, message;                         // kError: as REST says them
  int64_t duration_ms = 0;                             // kSlow and those that hold for a time
  int64_t bytes = -1;                                  // kTruncate: sent of the body; -1: half
};

// The published limits, enforced: off, or on with both numbers and windows multiplied.
struct QuotaSettings {
  bool is_on = false;
  double scale = 1;    // of the numbers; none falls below 1
  double windows = 1;  // of the times
};

}  // namespace hakobu::localbq
