#include "destination/retry_rules.h"

#include <gtest/gtest.h>

#include <set>

#include "destination/retry.h"

namespace hakobu {
namespace {

using Code = absl::StatusCode;
using Storage = StorageErrorCode;

struct Case {
  Where where;
  int http_status;
  std::string_view reason;
  Code code;
  std::optional<Storage> storage;
  std::string_view message;
  Remedy remedy;
};

constexpr Case Http(int status, std::string_view reason, Remedy remedy, std::string_view message = "m") {
  return {Where::kRest, status, reason, Code::kUnknown, std::nullopt, message, remedy};
}
constexpr Case OfJob(std::string_view reason, Remedy remedy, std::string_view message = "m") {
  return {Where::kJob, 0, reason, Code::kUnknown, std::nullopt, message, remedy};
}
constexpr Case Unary(Code code, Remedy remedy, std::string_view message = "m",
                     std::optional<Storage> storage = std::nullopt) {
  return {Where::kUnary, 0, "", code, storage, message, remedy};
}
constexpr Case Append(Code code, Remedy remedy, std::string_view message = "m",
                      std::optional<Storage> storage = std::nullopt) {
  return {Where::kAppend, 0, "", code, storage, message, remedy};
}

// Messages as the service words them [BigQuery's error pages; recorded by others on the real service].
constexpr std::string_view kDenied =
    "Permission 'TABLES_UPDATE_DATA' denied on resource 'projects/p/datasets/d/tables/t' (or it may not "
    "exist)";
constexpr Case kCases[] = {
    Http(400, "invalidQuery", Remedy::kRetryWithNewJobId,
         "Exceeded rate limits: too many table update operations"),
    OfJob("invalidQuery", Remedy::kRetryWithNewJobId,
          "Job exceeded rate limits: Your table exceeded quota for table update operations. For more "
          "information"),
    OfJob("invalidQuery", Remedy::kRetryWithNewJobId,
          "Your table exceeded quota for table update operations. For more information"),
    OfJob("invalidQuery", Remedy::kRetryWithNewJobId,
          "Could not serialize access to table p:d.t due to concurrent update"),
    OfJob("invalidQuery", Remedy::kRetryWithNewJobId,
          "Transaction is aborted due to concurrent update against table p:d.t"),
    Http(403, "quotaExceeded", Remedy::kRetry,
         "Quota exceeded: Your user_method exceeded quota for concurrent api requests per user per method."),
    OfJob("quotaExceeded", Remedy::kRetry,
          "Quota exceeded: Your project exceeded quota for concurrent number of jobs that can be in the "
          "pending state"),
    Http(403, "quotaExceeded", Remedy::kLater,
         "Quota exceeded: Your table exceeded quota for imports or query appends per table"),
    Http(429, "quotaExceeded", Remedy::kLater,
         "Quota exceeded: Your project exceeded quota for copies per project"),
    Http(500, "backendError", Remedy::kRetry),
    Http(503, "backendError", Remedy::kRetry),
    OfJob("backendError", Remedy::kRetry),
    Http(500, "internalError", Remedy::kRetry),
    Http(403, "rateLimitExceeded", Remedy::kRetry,
         "Exceeded rate limits: too many table update operations for this table."),
    Http(429, "rateLimitExceeded", Remedy::kRetry),
    Http(403, "userRateLimitExceeded", Remedy::kRetry),
    Http(502, "badGateway", Remedy::kRetry),
    Http(400, "jobBackendError", Remedy::kRetryWithNewJobId),
    Http(400, "jobInternalError", Remedy::kRetryWithNewJobId),
    OfJob("jobRateLimitExceeded", Remedy::kRetryWithNewJobId),
    {Where::kJobInsert,
     409,
     "duplicate",
     Code::kAlreadyExists,
     {},
     "Already Exists: Job p:US.j",
     Remedy::kAlreadyDone},
    {Where::kJobInsert, 409, "", Code::kAlreadyExists, {}, "no body", Remedy::kAlreadyDone},
    {Where::kJobInsert, 403, "accessDenied", Code::kPermissionDenied, {}, "denied", Remedy::kGiveUp},
    Http(409, "duplicate", Remedy::kGiveUp),
    Http(409, "", Remedy::kGiveUp),
    Http(403, "accessDenied", Remedy::kGiveUp,
         "Access Denied: Table p:d.t: Permission bigquery.tables.update denied"),
    Http(403, "billingNotEnabled", Remedy::kGiveUp),
    Http(403, "billingTierLimitExceeded", Remedy::kGiveUp),
    Http(403, "blocked", Remedy::kGiveUp),
    Http(403, "responseTooLarge", Remedy::kGiveUp),
    Http(404, "notFound", Remedy::kGiveUp),
    Http(400, "invalid", Remedy::kGiveUp),
    Http(400, "invalidQuery", Remedy::kGiveUp, "Syntax error: Unexpected identifier \"SLECT\" at [1:1]"),
    Http(400, "resourceInUse", Remedy::kGiveUp, "Dataset p:d is still in use"),
    Http(400, "resourcesExceeded", Remedy::kGiveUp),
    Http(400, "badRequest", Remedy::kGiveUp),
    Http(501, "notImplemented", Remedy::kGiveUp),
    OfJob("stopped", Remedy::kGiveUp),
    Http(412, "conditionNotMet", Remedy::kGiveUp, "Precondition check failed."),
    Http(408, "", Remedy::kRetry),
    Http(429, "", Remedy::kRetry),
    Http(500, "", Remedy::kRetry),
    Http(502, "", Remedy::kRetry, "<html>"),
    Http(503, "", Remedy::kRetry),
    Http(504, "", Remedy::kRetry),
    Http(401, "", Remedy::kGiveUp),
    Http(501, "", Remedy::kGiveUp),
    Http(400, "invalid_grant", Remedy::kGiveUp),  // a token endpoint's

    Unary(Code::kPermissionDenied, Remedy::kRetry,
          "Exceeded rate limits: too many table update operations for this table."),
    Unary(Code::kPermissionDenied, Remedy::kAwaitTable, kDenied),
    Append(Code::kPermissionDenied, Remedy::kAwaitTable,
           "Permission 'TABLES_GET' denied on resource 'projects/p'"),
    Append(Code::kInvalidArgument, Remedy::kAwaitTable, "(or it may not exist)"),
    Unary(Code::kNotFound, Remedy::kAwaitTable, "Requested entity was not found."),
    Append(Code::kNotFound, Remedy::kTableReplaced, "Table is truncated."),
    Append(Code::kNotFound, Remedy::kTableReplaced, "Table is re-created."),
    Append(Code::kFailedPrecondition, Remedy::kTableReplaced, "Table p:d.t is re-created"),
    Unary(Code::kFailedPrecondition, Remedy::kAwaitTable, "Table is deleted: p:d.t"),
    Append(Code::kInvalidArgument, Remedy::kAwaitTable, "m", Storage::kTableNotFound),
    Append(Code::kInvalidArgument, Remedy::kNewStream, "m", Storage::kStreamFinalized),
    Append(Code::kNotFound, Remedy::kNewStream, "m", Storage::kStreamNotFound),
    Append(Code::kInvalidArgument, Remedy::kNewStream, "m", Storage::kInvalidStreamState),
    Append(Code::kInvalidArgument, Remedy::kNewStream, "Stream has been finalized"),
    Append(Code::kInvalidArgument, Remedy::kAwaitSchema, "m", Storage::kSchemaMismatchExtraFields),
    Append(Code::kInvalidArgument, Remedy::kAwaitSchema, "Input schema has more fields than BigQuery schema"),
    Append(Code::kInvalidArgument, Remedy::kAwaitSchema, "Field c is missing in the proto message"),
    Append(Code::kInvalidArgument, Remedy::kAwaitSchema, "found extra proto fields: c"),
    Append(Code::kInvalidArgument, Remedy::kGiveUp, "The proto field mismatched with BigQuery field at D.c"),
    Append(Code::kInvalidArgument, Remedy::kGiveUp, "AppendRows request too large: 19923131 limit 10485760"),
    Append(Code::kResourceExhausted, Remedy::kGiveUp,
           "Received message larger than max (20971521 vs. 20971520)"),
    Append(Code::kInvalidArgument, Remedy::kGiveUp, "Field value of c cannot be empty."),
    Append(Code::kAlreadyExists, Remedy::kAlreadyDone,
           "The offset is within stream, expected offset 1, received 0", Storage::kOffsetAlreadyExists),
    Append(Code::kOutOfRange, Remedy::kRewind, "The offset is beyond stream, expected offset 0, received 10",
           Storage::kOffsetOutOfRange),
    Append(Code::kOutOfRange, Remedy::kGiveUp, "something else"),
    Unary(Code::kUnavailable, Remedy::kRetry),
    Append(Code::kUnavailable, Remedy::kRetry),
    Unary(Code::kDeadlineExceeded, Remedy::kRetry),
    Append(Code::kResourceExhausted, Remedy::kRetry),
    Append(Code::kAborted, Remedy::kRetry,
           "Closing the stream because it has been inactive for 600 seconds."),
    Append(Code::kCancelled, Remedy::kRetry),
    Append(Code::kInternal, Remedy::kRetry),
    Append(Code::kUnknown, Remedy::kRetry),
    Append(Code::kFailedPrecondition, Remedy::kGiveUp),
    Append(Code::kInvalidArgument, Remedy::kGiveUp, "m", Storage::kInvalidStreamType),
    Unary(Code::kInternal, Remedy::kGiveUp),
    Unary(Code::kAborted, Remedy::kGiveUp),
    Unary(Code::kUnauthenticated, Remedy::kGiveUp),
    Unary(Code::kUnimplemented, Remedy::kGiveUp),
};

FailureFacts Facts(const Case& c) {
  return {c.where, c.http_status, std::string(c.reason), c.code, c.storage, std::string(c.message)};
}

TEST(RetryRules, EveryFailureHasItsRemedy) {
  for (const Case& c : kCases) {
    EXPECT_EQ(RemedyName(RemedyFor(Facts(c))), RemedyName(c.remedy))
        << c.http_status << " " << c.reason << " " << static_cast<int>(c.code) << " " << c.message;
  }
}

TEST(RetryRules, EveryRuleDecidesACaseAndNamesItsSource) {
  std::set<const RetryRule*> used;
  for (const Case& c : kCases) used.insert(FindRetryRule(Facts(c)));
  for (const RetryRule& rule : RetryRules()) {
    EXPECT_TRUE(used.contains(&rule)) << "no case meets: " << rule.reason << " " << rule.text << " "
                                      << rule.http_status << " " << RemedyName(rule.remedy);
    EXPECT_NE(rule.source, "");
    EXPECT_NE(rule.where, 0);
  }
}

TEST(RetryRules, StatusesAreReadFromTheirPayloads) {
  EXPECT_EQ(
      RemedyFor(RestError("x", 403, R"({"error":{"errors":[{"reason":"quotaExceeded"}],"message":"m"}})")),
      Remedy::kLater);
  EXPECT_EQ(RemedyFor(JobError("x", "invalidQuery", "Could not serialize access to table p:d.t")),
            Remedy::kRetryWithNewJobId);
  EXPECT_EQ(RemedyFor(absl::UnavailableError("no answer")), Remedy::kRetry);
  EXPECT_EQ(RemedyForAppend(WithStorageCode(absl::InvalidArgumentError("x"), Storage::kStreamFinalized)),
            Remedy::kNewStream);
  EXPECT_EQ(RemedyForAppend(absl::OutOfRangeError("expected offset x")), Remedy::kGiveUp);
}

}  // namespace
}  // namespace hakobu
