#include "destination/retry_rules.h"

#include "absl/strings/ascii.h"

namespace hakobu {
namespace {

using Code = absl::StatusCode;
using Storage = StorageErrorCode;

constexpr uint8_t Bits(Where where) {
  return static_cast<uint8_t>(where);
}
constexpr uint8_t kRest = Bits(Where::kRest) | Bits(Where::kJobInsert);
constexpr uint8_t kJobInsert = Bits(Where::kJobInsert);
constexpr uint8_t kJob = Bits(Where::kJob);
constexpr uint8_t kAnyHttp = kRest | kJob;
constexpr uint8_t kUnary = Bits(Where::kUnary);
constexpr uint8_t kAppend = Bits(Where::kAppend);
constexpr uint8_t kGrpc = kUnary | kAppend;

constexpr std::string_view kErrorPage = "cloud.google.com/bigquery/docs/error-messages";
constexpr std::string_view kQuotaPage = "cloud.google.com/bigquery/docs/troubleshoot-quotas";
constexpr std::string_view kPythonClient = "googleapis/python-bigquery retry.py, _job_helpers.py";
constexpr std::string_view kWriteConfig = "googleapis bigquerystorage_grpc_service_config.json";
constexpr std::string_view kStorageProto = "google/cloud/bigquery/storage/v1/storage.proto";
constexpr std::string_view kFlinkWindow = "flink-connector-gcp ADR 0030, measured 2026-08-08";
constexpr std::string_view kEstuary = "estuary/connectors materialize-bigquery query.go";
constexpr std::string_view kSchemaPages = "abdolence/bigquery-rs docs, schema-management, measured 2026-10";
constexpr std::string_view kSupabase = "supabase/etl client.rs";
constexpr std::string_view kJavaTests = "googleapis/java-bigquerystorage ITBigQueryStorageWriteClientTest";
constexpr std::string_view kGrpcCodes = "grpc.io/docs/guides/status-codes";

constexpr RetryRule kRules[] = {
    // Jobs and REST: words under a reason that says otherwise.
    {.where = kAnyHttp,
     .reason = "invalidQuery",
     .text = "exceeded rate limits",
     .remedy = Remedy::kRetryWithNewJobId,
     .source = kEstuary},
    {.where = kAnyHttp,
     .reason = "invalidQuery",
     .text = "exceeded quota for table update operations",
     .remedy = Remedy::kRetryWithNewJobId,
     .source = "abdolence/bigquery-rs src/errors.rs, measured"},
    {.where = kAnyHttp,
     .reason = "invalidQuery",
     .text = "could not serialize access to table",
     .remedy = Remedy::kRetryWithNewJobId,
     .source = kEstuary},
    {.where = kAnyHttp,
     .reason = "invalidQuery",
     .text = "due to concurrent update",
     .remedy = Remedy::kRetryWithNewJobId,
     .source = kEstuary},
    {.where = kAnyHttp,
     .reason = "quotaExceeded",
     .text = "concurrent api requests per user per method",
     .remedy = Remedy::kRetry,
     .source = kQuotaPage},
    {.where = kAnyHttp,
     .reason = "quotaExceeded",
     .text = "concurrent number of jobs that can be in the pending",
     .remedy = Remedy::kRetry,
     .source = kQuotaPage},
    {.where = kAnyHttp, .reason = "quotaExceeded", .remedy = Remedy::kLater, .source = kQuotaPage},

    // Jobs and REST: reasons.
    {.where = kAnyHttp, .reason = "backendError", .remedy = Remedy::kRetry, .source = kErrorPage},
    {.where = kAnyHttp, .reason = "internalError", .remedy = Remedy::kRetry, .source = kErrorPage},
    {.where = kAnyHttp, .reason = "rateLimitExceeded", .remedy = Remedy::kRetry, .source = kErrorPage},
    {.where = kAnyHttp, .reason = "userRateLimitExceeded", .remedy = Remedy::kRetry, .source = kErrorPage},
    {.where = kAnyHttp, .reason = "badGateway", .remedy = Remedy::kRetry, .source = kPythonClient},
    {.where = kAnyHttp,
     .reason = "jobBackendError",
     .remedy = Remedy::kRetryWithNewJobId,
     .source = kErrorPage},
    {.where = kAnyHttp,
     .reason = "jobInternalError",
     .remedy = Remedy::kRetryWithNewJobId,
     .source = kErrorPage},
    {.where = kAnyHttp,
     .reason = "jobRateLimitExceeded",
     .remedy = Remedy::kRetryWithNewJobId,
     .source = kErrorPage},
    {.where = kJobInsert, .http_status = 409, .remedy = Remedy::kAlreadyDone, .source = kPythonClient},
    {.where = kAnyHttp, .reason = "duplicate", .remedy = Remedy::kGiveUp, .source = kErrorPage},
    {.where = kAnyHttp, .reason = "accessDenied", .remedy = Remedy::kGiveUp, .source = kErrorPage},
    {.where = kAnyHttp, .reason = "billingNotEnabled", .remedy = Remedy::kGiveUp, .source = kErrorPage},
    {.where = kAnyHttp,
     .reason = "billingTierLimitExceeded",
     .remedy = Remedy::kGiveUp,
     .source = kErrorPage},
    {.where = kAnyHttp, .reason = "blocked", .remedy = Remedy::kGiveUp, .source = kErrorPage},
    {.where = kAnyHttp, .reason = "responseTooLarge", .remedy = Remedy::kGiveUp, .source = kErrorPage},
    {.where = kAnyHttp, .reason = "notFound", .remedy = Remedy::kGiveUp, .source = kErrorPage},
    {.where = kAnyHttp, .reason = "invalid", .remedy = Remedy::kGiveUp, .source = kErrorPage},
    {.where = kAnyHttp, .reason = "invalidQuery", .remedy = Remedy::kGiveUp, .source = kErrorPage},
    {.where = kAnyHttp, .reason = "resourceInUse", .remedy = Remedy::kGiveUp, .source = kErrorPage},
    {.where = kAnyHttp, .reason = "resourcesExceeded", .remedy = Remedy::kGiveUp, .source = kErrorPage},
    {.where = kAnyHttp, .reason = "badRequest", .remedy = Remedy::kGiveUp, .source = kErrorPage},
    {.where = kAnyHttp, .reason = "notImplemented", .remedy = Remedy::kGiveUp, .source = kErrorPage},
    {.where = kAnyHttp, .reason = "stopped", .remedy = Remedy::kGiveUp, .source = kErrorPage},
    {.where = kAnyHttp, .reason = "conditionNotMet", .remedy = Remedy::kGiveUp, .source = kErrorPage},

    // REST: the status alone (a proxy's answer, a token endpoint's).
    {.where = kRest, .http_status = 408, .remedy = Remedy::kRetry, .source = kErrorPage},
    {.where = kRest, .http_status = 429, .remedy = Remedy::kRetry, .source = kErrorPage},
    {.where = kRest, .http_status = 500, .remedy = Remedy::kRetry, .source = kErrorPage},
    {.where = kRest, .http_status = 502, .remedy = Remedy::kRetry, .source = kErrorPage},
    {.where = kRest, .http_status = 503, .remedy = Remedy::kRetry, .source = kErrorPage},
    {.where = kRest, .http_status = 504, .remedy = Remedy::kRetry, .source = kErrorPage},

    // Storage Write: a table's or a stream's state, told by the words before the code.
    {.where = kGrpc,
     .code = Code::kPermissionDenied,
     .text = "exceeded rate limits",
     .remedy = Remedy::kRetry,
     .source = "abdolence/bigquery-rs src/errors.rs, measured"},
    {.where = kAppend,
     .storage = Storage::kStreamFinalized,
     .remedy = Remedy::kNewStream,
     .source = kJavaTests},
    {.where = kAppend,
     .storage = Storage::kStreamNotFound,
     .remedy = Remedy::kNewStream,
     .source = kStorageProto},
    {.where = kAppend,
     .storage = Storage::kInvalidStreamState,
     .remedy = Remedy::kNewStream,
     .source = kStorageProto},
    {.where = kAppend,
     .text = "stream has been finalized",
     .remedy = Remedy::kNewStream,
     .source = kJavaTests},
    {.where = kAppend, .text = "is truncated", .remedy = Remedy::kTableReplaced, .source = kSchemaPages},
    {.where = kAppend, .text = "is re-created", .remedy = Remedy::kTableReplaced, .source = kSchemaPages},
    {.where = kGrpc,
     .text = "table is deleted",
     .remedy = Remedy::kAwaitTable,
     .source = "Aiven bigquery-connector-for-apache-kafka"},
    {.where = kGrpc, .text = "(or it may not exist)", .remedy = Remedy::kAwaitTable, .source = kFlinkWindow},
    {.where = kGrpc, .code = Code::kPermissionDenied, .remedy = Remedy::kAwaitTable, .source = kFlinkWindow},
    {.where = kGrpc,
     .storage = Storage::kTableNotFound,
     .remedy = Remedy::kAwaitTable,
     .source = kStorageProto},
    {.where = kGrpc, .code = Code::kNotFound, .remedy = Remedy::kAwaitTable, .source = kStorageProto},
    {.where = kAppend,
     .storage = Storage::kSchemaMismatchExtraFields,
     .remedy = Remedy::kAwaitSchema,
     .source = kStorageProto},
    {.where = kAppend,
     .text = "input schema has more fields than bigquery schema",
     .remedy = Remedy::kAwaitSchema,
     .source = kSchemaPages},
    {.where = kAppend,
     .text = "missing in the proto message",
     .remedy = Remedy::kAwaitSchema,
     .source = kSupabase},
    {.where = kAppend, .text = "extra proto fields", .remedy = Remedy::kAwaitSchema, .source = kSupabase},
    {.where = kAppend,
     .text = "the proto field mismatched with bigquery field",
     .remedy = Remedy::kGiveUp,
     .source = "abdolence/bigquery-rs connection.rs"},
    {.where = kAppend,
     .text = "appendrows request too large",
     .remedy = Remedy::kGiveUp,
     .source = kJavaTests},
    {.where = kGrpc,
     .code = Code::kResourceExhausted,
     .text = "message larger than max",
     .remedy = Remedy::kGiveUp,
     .source = "grpc/grpc message_size_filter.cc"},

    // Storage Write: codes.
    {.where = kAppend, .code = Code::kAlreadyExists, .remedy = Remedy::kAlreadyDone, .source = kStorageProto},
    {.where = kAppend,
     .code = Code::kOutOfRange,
     .text = "expected offset ",
     .remedy = Remedy::kRewind,
     .source = kStorageProto},
    {.where = kGrpc, .code = Code::kUnavailable, .remedy = Remedy::kRetry, .source = kWriteConfig},
    {.where = kGrpc, .code = Code::kDeadlineExceeded, .remedy = Remedy::kRetry, .source = kWriteConfig},
    {.where = kGrpc, .code = Code::kResourceExhausted, .remedy = Remedy::kRetry, .source = kWriteConfig},
    {.where = kAppend, .code = Code::kAborted, .remedy = Remedy::kRetry, .source = kWriteConfig},
    {.where = kAppend, .code = Code::kCancelled, .remedy = Remedy::kRetry, .source = kGrpcCodes},
    {.where = kAppend, .code = Code::kInternal, .remedy = Remedy::kRetry, .source = kGrpcCodes},
    {.where = kAppend, .code = Code::kUnknown, .remedy = Remedy::kRetry, .source = kGrpcCodes},
};

}  // namespace

std::string_view RemedyName(Remedy remedy) {
  switch (remedy) {
    case Remedy::kGiveUp:
      return "give up";
    case Remedy::kRetry:
      return "retry";
    case Remedy::kRetryWithNewJobId:
      return "new job";
    case Remedy::kAlreadyDone:
      return "done already";
    case Remedy::kRewind:
      return "rewind";
    case Remedy::kAwaitTable:
      return "await the table";
    case Remedy::kTableReplaced:
      return "the table was replaced";
    case Remedy::kAwaitSchema:
      return "await the column";
    case Remedy::kNewStream:
      return "new stream";
    case Remedy::kLater:
      return "later";
  }
  return "give up";
}

FailureFacts FactsOf(Where where, const absl::Status& status) {
  FailureFacts facts;
  facts.where = where;
  facts.http_status = HttpStatus(status);
  facts.reason = ErrorReason(status);
  facts.code = status.code();
  facts.storage = StorageCode(status);
  facts.message = std::string(status.message());
  return facts;
}

std::span<const RetryRule> RetryRules() {
  return kRules;
}

bool Fits(const RetryRule& rule, const FailureFacts& facts) {
  return (rule.where & Bits(facts.where)) != 0 &&
         (rule.http_status == 0 || rule.http_status == facts.http_status) &&
         (rule.reason.empty() || rule.reason == facts.reason) && (!rule.code || *rule.code == facts.code) &&
         (!rule.storage || rule.storage == facts.storage) &&
         (rule.text.empty() || absl::AsciiStrToLower(facts.message).find(rule.text) != std::string::npos);
}

const RetryRule* FindRetryRule(const FailureFacts& facts) {
  for (const RetryRule& rule : kRules) {
    if (Fits(rule, facts)) return &rule;
  }
  return nullptr;
}

Remedy RemedyFor(const FailureFacts& facts) {
  const RetryRule* rule = FindRetryRule(facts);
  return rule == nullptr ? Remedy::kGiveUp : rule->remedy;
}

}  // namespace hakobu
