// What hangs on a table of the customer's besides its rows, asked before the table is replaced: which way of
// replacing it keeps everything is decided by this.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "destination/rest.h"
#include "destination/tables.h"

namespace hakobu {

struct Hanging {
  bool exists = false;
  std::string type;                        // TABLE, VIEW, MATERIALIZED_VIEW, EXTERNAL, SNAPSHOT
  absl::Time made = absl::InfinitePast();  // creationTime: who the table is
  std::string etag;
  std::string json;  // the Table resource

  std::vector<std::string> row_policies;       // their names
  std::vector<std::string> tagged_columns;     // with policy tags or data policies: "address.city" for nested
  std::vector<std::string> iam_roles;          // bound on the table itself: "roles/bigquery.dataViewer"
  std::vector<std::string> described_columns;  // with a description
  std::vector<std::string> labels;             // their keys
  std::vector<std::string> resource_tags;      // their keys
  std::string kms_key;                         // the customer's own key, without its version
  std::string description;
  std::vector<std::string> key_columns;  // of the primary key
  bool has_key = false;                  // PRIMARY KEY or FOREIGN KEY, not enforced
  bool requires_filter = false;          // queries and MERGE must name the partition
  bool has_streaming_buffer = false;

  // What the credentials may not see, each with the missing permission: "row access policies
  // (bigquery.rowAccessPolicies.list)". It must be treated as there.
  std::vector<std::string> unseen;

  // What WRITE_TRUNCATE (copy, load or query) takes away [BigQuery: row-level security, column-level
  // security, customer-managed encryption, managing tables].
  bool LostByTruncate() const {
    return !row_policies.empty() || !tagged_columns.empty() || !kms_key.empty() || has_key ||
           !described_columns.empty() || !unseen.empty();
  }
  // Row access policies, which WRITE_TRUNCATE_DATA is not documented to keep: DML (MERGE … ON FALSE) does.
  bool NeedsDml() const { return !row_policies.empty() || !unseen.empty(); }
  // Why ALTER COLUMN … SET DATA TYPE and RENAME COLUMN are refused for the column: never for one of the key,
  // and not while rows are streamed in (usually until 5 hours after the last) [data-definition-language;
  // managing schemas]. Empty: they are not refused for such a reason. Where they are, a column beside the old
  // one, or the table put in place anew, is the way.
  std::string WhyFixed(std::string_view column) const;
  // For a person: "row access policies a, b; policy tags on mail; IAM roles …". Empty: nothing.
  std::string Describe() const;
};

// tables.get, rowAccessPolicies.list and tables.getIamPolicy. A table that does not exist is OK and
// `exists` false; a refusal of one of the latter two goes to `unseen`; anything else is an error.
absl::StatusOr<Hanging> WhatHangs(Rest& rest, const TableName& table);
// The part that the Table resource tells. Pure.
absl::StatusOr<Hanging> ReadHanging(std::string_view table_json);

absl::StatusOr<std::vector<std::string>> ListRowPolicies(Rest& rest, const TableName& table);

}  // namespace hakobu
