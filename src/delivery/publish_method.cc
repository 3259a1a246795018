#include "delivery/publish_method.h"

#include <algorithm>

namespace hakobu {
namespace {

using Answer = PublishTarget::Answer;

// A query is billed for at least 10 MiB of each table it reads [bigquery/pricing].
constexpr uint64_t kLeastBilled = 10 << 20;

// A commit takes 1 TB in a region [bigquery/quotas], and the rows' bytes are an estimate.
constexpr uint64_t kMostCommitted = uint64_t{500} << 30;

uint64_t Billed(uint64_t bytes) {
  return std::max(bytes, kLeastBilled);
}

std::string WhatHangs(const PublishTarget& target) {
  if (target.policy_tags) return "its columns have policy tags";
  if (!target.kms_key.empty()) return "it has an encryption key of its own";
  return "it has grants of its own";
}

PublishChoice ForAppend(const PublishQuestion& question) {
  if (question.write == WriteBy::kLoad) {
    if (question.chunks <= 1) return {PublishMethod::kLoad, "one load job adds the rows", 0};
    return {PublishMethod::kCopy, "several loads, added by one copy job", 0};
  }
  if (question.bytes > kMostCommitted) {
    return {PublishMethod::kQuery, "one commit of streams does not take as much", Billed(question.bytes)};
  }
  if (!question.partitioned) return {PublishMethod::kStreams, "streams of the target, committed together", 0};
  // Streams refuse partitions more than ten years back or one ahead [D: write-api-streaming].
  return {PublishMethod::kQuery, "the target is partitioned, and streams take few partitions",
          Billed(question.bytes)};
}

// The target has row access policies, or may have some.
PublishChoice WithPolicies(const PublishQuestion& question) {
  if (question.service.load_keeps_policies == Answer::kYes && question.write == WriteBy::kLoad &&
      question.chunks <= 1) {
    return {PublishMethod::kLoad, "fits one load job, which keeps row access policies here (hakobu probe)",
            0};
  }
  if (question.service.query_keeps_policies == Answer::kYes) {
    return {PublishMethod::kQuery, "a query job keeps the target's row access policies here (hakobu probe)",
            Billed(question.bytes)};
  }
  return {PublishMethod::kMerge, "the target has row access policies, which no other way is known to keep",
          Billed(question.bytes) + Billed(question.target_bytes)};
}

PublishChoice ForReplace(const PublishQuestion& question, const PublishTarget& target) {
  if (target.row_policies == Answer::kYes) return WithPolicies(question);
  if (target.row_policies == Answer::kUnknown && question.service.load_keeps_policies == Answer::kNo) {
    return WithPolicies(question);
  }
  const bool changes_schema = question.replaces_schema && !target.MayBeProtected();
  if (question.write == WriteBy::kLoad && question.chunks <= 1 && !changes_schema) {
    return {PublishMethod::kLoad, "fits one load job", 0};
  }
  if (question.write == WriteBy::kStorage) {
    return {PublishMethod::kQuery, "rows just streamed are seen by queries, not by copies",
            Billed(question.bytes)};
  }
  if (target.IsProtected()) {
    return {PublishMethod::kQuery, WhatHangs(target) + ", which a copy could lose", Billed(question.bytes)};
  }
  if (target.row_policies == Answer::kUnknown) {
    return {PublishMethod::kQuery,
            "whether it has row access policies may not be looked at (a copy would lose them)",
            Billed(question.bytes)};
  }
  return {PublishMethod::kCopy,
          changes_schema ? "the schema is replaced, and nothing hangs on the target"
                         : "several loads, and nothing hangs on the target that a copy would lose",
          0};
}

}  // namespace

PublishChoice ChoosePublish(const PublishQuestion& question, const PublishTarget& target) {
  if (question.mode == WriteMode::kAppend) return ForAppend(question);
  if (question.mode == WriteMode::kReplace) return ForReplace(question, target);
  return {PublishMethod::kUpsert, "what changed is merged by key",
          Billed(question.bytes) + Billed(question.target_bytes)};
}

bool IsDirect(PublishMethod method) {
  return method == PublishMethod::kLoad || method == PublishMethod::kStreams;
}

bool KeepsSchema(PublishMethod method, const PublishQuestion& question, const PublishTarget& target) {
  if (!target.exists) return false;
  if (question.mode != WriteMode::kReplace) return true;
  if (method == PublishMethod::kCopy) return false;
  return !question.replaces_schema || target.MayBeProtected();
}

}  // namespace hakobu
