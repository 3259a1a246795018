// A table of BigQuery as it is now, and what hangs on it that some ways of publishing would lose.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "destination/destination.h"

namespace hakobu {

struct PublishTarget {
  bool exists = false;
  std::string resource;  // tables.get, as JSON; empty when there is none
  int64_t created_ms = 0;
  int64_t modified_ms = 0;
  bool policy_tags = false;  // on any column
  bool require_filter = false;
  std::string partition_column;  // "_PARTITIONTIME" by time of arrival; empty: not partitioned
  bool partitions_expire = false;
  std::string kms_key;
  // Asked for by LookAtTarget alone.
  enum class Answer : uint8_t { kNo, kYes, kUnknown };  // unknown: the identity may not look
  Answer row_policies = Answer::kNo;
  Answer granted = Answer::kNo;  // has table grants of its own

  // Whether a table that is put in its place would show what it hides, or lose its key or grants.
  bool IsProtected() const {
    return row_policies == Answer::kYes || policy_tags || !kms_key.empty() || granted == Answer::kYes;
  }
  bool MayBeProtected() const { return IsProtected() || row_policies == Answer::kUnknown; }
};

// What tables.get says. FailedPrecondition for anything but a table: a view, snapshot or external table is
// somebody's.
absl::StatusOr<PublishTarget> ReadTargetState(std::string_view resource);
// tables.get, rowAccessPolicies.list and tables.getIamPolicy. A table that does not exist is an answer.
absl::StatusOr<PublishTarget> LookAtTarget(Rest& rest, const TableName& target);

}  // namespace hakobu
