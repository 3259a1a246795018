// Rules as they are written: YAML, or JSON, which is YAML too.
#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/status.h"
#include "localbq/faults/faults.h"

namespace hakobu::localbq {
namespace {

using absl::StatusCode;

struct ErrorRow {
  std::string_view name;
  StatusCode code;
  std::string_view reason, message;
};
constexpr char kTooManyRequests[] =
    "Exceeded rate limits: too many api requests per user per method for this user_method. For more "
    "information, see https://cloud.google.com/bigquery/docs/troubleshoot-quotas";
constexpr char kBackend[] = "Error encountered during execution. Retrying may solve the problem.";
constexpr char kInternal[] =
    "An internal error occurred and the request could not be completed. This is usually caused by a "
    "transient issue. Retrying the job with back-off as described in the BigQuery SLA should solve the "
    "problem";
// Reasons as REST says them, and gRPC's codes; each has its counterpart on the other side.
constexpr ErrorRow kErrors[] = {
    {"rateLimitExceeded", StatusCode::kResourceExhausted, "rateLimitExceeded", kTooManyRequests},
    {"quotaExceeded", StatusCode::kResourceExhausted, "quotaExceeded",
     "Quota exceeded: Your project exceeded quota. For more information, see "
     "https://cloud.google.com/bigquery/docs/troubleshoot-quotas"},
    {"backendError", StatusCode::kUnavailable, "backendError", kBackend},
    {"internalError", StatusCode::kInternal, "internalError", kInternal},
    {"jobBackendError", StatusCode::kInvalidArgument, "jobBackendError", kBackend},
    {"jobInternalError", StatusCode::kInvalidArgument, "jobInternalError", kInternal},
    {"jobRateLimitExceeded", StatusCode::kInvalidArgument, "jobRateLimitExceeded",
     "Exceeded rate limits: too many table update operations for this table. For more information, see "
     "https://cloud.google.com/bigquery/docs/troubleshoot-quotas"},
    {"resourcesExceeded", StatusCode::kInvalidArgument, "resourcesExceeded",
     "Resources exceeded during query execution"},
    {"invalid", StatusCode::kInvalidArgument, "invalid", "Invalid value"},
    {"accessDenied", StatusCode::kPermissionDenied, "accessDenied", "Access Denied: Permission denied"},
    {"notFound", StatusCode::kNotFound, "notFound", "Requested entity was not found."},
    {"conditionNotMet", StatusCode::kFailedPrecondition, "conditionNotMet", "Precondition check failed."},
    {"ABORTED", StatusCode::kAborted, "aborted",
     "Closing the stream because server is restarted. This is expected and client is advised to reconnect."},
    {"UNAVAILABLE", StatusCode::kUnavailable, "backendError", "The service is currently unavailable."},
    {"RESOURCE_EXHAUSTED", StatusCode::kResourceExhausted, "rateLimitExceeded",
     "Exceeds 'AppendRows throughput' quota, you can issue a raise quota request through Google Cloud "
     "console. Be sure to include this full error message in the request description."},
    {"INTERNAL", StatusCode::kInternal, "internalError", "Internal error encountered."},
    {"CANCELLED", StatusCode::kCancelled, "stopped", "The operation was cancelled."},
    {"UNKNOWN", StatusCode::kUnknown, "internalError", "Unknown error."},
    {"DEADLINE_EXCEEDED", StatusCode::kDeadlineExceeded, "backendError", "Deadline exceeded."},
    {"PERMISSION_DENIED", StatusCode::kPermissionDenied, "accessDenied", "Permission denied."},
    {"UNAUTHENTICATED", StatusCode::kUnauthenticated, "authError",
     "Request had invalid authentication credentials."},
    {"NOT_FOUND", StatusCode::kNotFound, "notFound", "Requested entity was not found."},
    {"INVALID_ARGUMENT", StatusCode::kInvalidArgument, "invalid", "Request contains an invalid argument."},
    {"FAILED_PRECONDITION", StatusCode::kFailedPrecondition, "conditionNotMet", "Precondition check failed."},
};
struct KindRow {
  std::string_view name;
  FaultKind kind;
};
constexpr KindRow kKinds[] = {{"slow", FaultKind::kSlow},
                              {"drop", FaultKind::kDrop},
                              {"truncate", FaultKind::kTruncate},
                              {"idle_close", FaultKind::kIdleClose},
                              {"stale_schema", FaultKind::kStaleSchema},
                              {"recreated", FaultKind::kRecreated}};

std::string Written(const YAML::Node& node) {
  if (node.IsScalar()) return fmt::format("'{}'", node.Scalar());
  return node.IsSequence() ? "a list" : node.IsMap() ? "a mapping" : "nothing";
}

class Reader {
 public:
  explicit Reader(std::string_view name) : name_(name) {}
  const std::vector<std::string>& problems() const { return problems_; }

  FaultPlan Plan(const YAML::Node& root) {
    FaultPlan plan;
    if (root.IsNull()) return plan;
    if (!root.IsMap()) {
      Problem(root, "", "a mapping with seed, quotas, rules, behaviours, delays or advance_seconds");
      return plan;
    }
    for (const auto& pair : root) {
      const YAML::Node &key = pair.first, &value = pair.second;
      const std::string name = key.Scalar();
      if (name == "seed") {
        plan.seed = static_cast<uint64_t>(Whole(value, name, 0));
      } else if (name == "quotas") {
        plan.quotas = Quotas(value);
      } else if (name == "behaviours") {
        ReadBehaviours(value, &plan);
      } else if (name == "delays" && value.IsScalar() &&
                 (value.Scalar() == "short" || value.Scalar() == "real")) {
        plan.delays = value.Scalar() == "real" ? DelayLength::kReal : DelayLength::kShort;
      } else if (name == "delays") {
        Problem(value, name, "short or real");
      } else if (name == "advance_seconds") {
        plan.advance = absl::Seconds(Whole(value, name, 0));
      } else if (name == "rules" && value.IsSequence()) {
        for (size_t i = 0; i < value.size(); ++i)
          plan.rules.push_back(Rule(value[i], fmt::format("rules[{}]", i)));
      } else if (name == "rules") {
        Problem(value, name, "a list of rules");
      } else {
        Unknown(key, name, "seed, quotas, rules, behaviours, delays, advance_seconds");
      }
    }
    return plan;
  }

 private:
  void Problem(const YAML::Node& node, std::string_view key, std::string_view expected) {
    problems_.push_back(fmt::format("{}:{}: {}{}expected {}, found {}", name_, node.Mark().line + 1, key,
                                    key.empty() ? "" : ": ", expected, Written(node)));
  }
  void Unknown(const YAML::Node& key, std::string_view path, std::string_view known) {
    problems_.push_back(fmt::format("{}:{}: {}: there is no such key, there are {}", name_,
                                    key.Mark().line + 1, path, known));
  }
  int64_t Whole(const YAML::Node& node, std::string_view key, int64_t least) {
    int64_t value = 0;
    const std::string text = node.IsScalar() ? node.Scalar() : "";
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (!text.empty() && error == std::errc() && end == text.data() + text.size() && value >= least) {
      return value;
    }
    Problem(node, key, fmt::format("a whole number from {}", least));
    return least;
  }
  double Real(const YAML::Node& node, std::string_view key, double most) {
    double value = 0;
    const std::string text = node.IsScalar() ? node.Scalar() : "";
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool good = !text.empty() && error == std::errc() && end == text.data() + text.size();
    if (good && std::isfinite(value) && value >= 0 && value <= most) return value;
    Problem(node, key, most == 1 ? "a number from 0 to 1" : fmt::format("a number from 0 to {}", most));
    return 0;
  }
  std::string Glob(const YAML::Node& node, std::string_view key) {
    if (node.IsScalar() && !node.Scalar().empty()) return node.Scalar();
    Problem(node, key, "a name, in which * and ? stand for others");
    return "*";
  }

  std::optional<Setting> SettingOf(const YAML::Node& node) {
    const std::string text = node.IsScalar() ? node.Scalar() : "";
    if (text == "on" || text == "true") return Setting::kOn;
    if (text == "off" || text == "false") return Setting::kOff;
    if (text == "always") return Setting::kAlways;
    return std::nullopt;
  }
  // One setting for all, or a mapping from names to settings.
  void ReadBehaviours(const YAML::Node& node, FaultPlan* plan) {
    if (const std::optional<Setting> all = SettingOf(node)) {
      for (const BehaviourName& row : BehaviourNames()) plan->behaviours.emplace_back(row.behaviour, *all);
      return;
    }
    if (!node.IsMap())
      return Problem(node, "behaviours", "on, off, always, or a mapping from names to these");
    for (const auto& pair : node) {
      const std::string path = "behaviours." + pair.first.Scalar();
      const std::optional<Behaviour> behaviour = ParseBehaviour(pair.first.Scalar());
      const std::optional<Setting> setting = SettingOf(pair.second);
      if (!setting) Problem(pair.second, path, "on, off or always");
      if (behaviour && setting) plan->behaviours.emplace_back(*behaviour, *setting);
      if (behaviour) continue;
      std::string known;
      for (const BehaviourName& row : BehaviourNames()) {
        if (!known.empty()) known += ", ";
        known += row.name;
      }
      Unknown(pair.first, path, known);
    }
  }

  QuotaSettings Quotas(const YAML::Node& node) {
    QuotaSettings settings;
    settings.is_on = true;
    if (node.IsScalar() && (node.Scalar() == "real" || node.Scalar() == "off")) {
      settings.is_on = node.Scalar() == "real";
    } else if (node.IsMap()) {
      for (const auto& pair : node) {
        const YAML::Node &key = pair.first, &value = pair.second;
        const std::string path = "quotas." + key.Scalar();
        if (key.Scalar() == "scale") {
          settings.scale = Real(value, path, 1000);
        } else if (key.Scalar() == "windows") {
          settings.windows = Real(value, path, 1000);
        } else {
          Unknown(key, path, "scale, windows");
        }
      }
    } else {
      Problem(node, "quotas", "real, off, or a mapping with scale and windows");
    }
    return settings;
  }

  void Fault(const YAML::Node& node, const std::string& path, FaultRule* rule) {
    rule->text = node.IsScalar() ? node.Scalar() : "";
    for (const KindRow& row : kKinds) {
      if (row.name != rule->text) continue;
      rule->kind = row.kind;
      return;
    }
    for (const ErrorRow& row : kErrors) {
      if (row.name != rule->text) continue;
      rule->code = row.code;
      rule->reason = row.reason;
      if (rule->message.empty()) rule->message = row.message;
      return;
    }
    std::string known;
    for (const KindRow& row : kKinds) known += fmt::format("{}, ", row.name);
    for (const ErrorRow& row : kErrors) known += fmt::format("{}, ", row.name);
    known.resize(known.size() - 2);
    Problem(node, path, "one of " + known);
  }

  FaultRule Rule(const YAML::Node& node, const std::string& path) {
    FaultRule rule;
    if (!node.IsMap()) {
      Problem(node, path, "a mapping with fault");
      return rule;
    }
    for (const auto& pair : node) Key(pair.first, pair.second, path + "." + pair.first.Scalar(), &rule);
    if (!node["fault"]) {
      problems_.push_back(fmt::format("{}:{}: {}.fault: expected what goes wrong, found nothing", name_,
                                      node.Mark().line + 1, path));
      return rule;
    }
    Check(node, path, &rule);
    return rule;
  }

  void Key(const YAML::Node& key, const YAML::Node& value, const std::string& path, FaultRule* rule) {
    const std::string name = key.Scalar();
    if (name == "fault") return Fault(value, path, rule);
    if (name == "method") return Methods(value, path, rule);
    if (name == "project") return void(rule->project = Glob(value, path));
    if (name == "dataset") return void(rule->dataset = Glob(value, path));
    if (name == "table") return void(rule->table = Glob(value, path));
    if (name == "after") return void(rule->after = Whole(value, path, 0));
    if (name == "every") return void(rule->every = Whole(value, path, 1));
    if (name == "times") return void(rule->times = Whole(value, path, 1));
    if (name == "probability") return void(rule->probability = Real(value, path, 1));
    if (name == "ms") return void(rule->duration_ms = Whole(value, path, 0));
    if (name == "seconds") {
      rule->duration_ms = static_cast<int64_t>(Real(value, path, 86'400) * 1000);
      return;
    }
    if (name == "bytes") return void(rule->bytes = Whole(value, path, 0));
    if (name == "message" && value.IsScalar()) return void(rule->message = value.Scalar());
    if (name == "when" && value.IsScalar() && (value.Scalar() == "before" || value.Scalar() == "after")) {
      return void(rule->is_after_effect = value.Scalar() == "after");
    }
    if (name == "when") return Problem(value, path, "before or after");
    if (name == "in_band" && value.IsScalar() && (value.Scalar() == "true" || value.Scalar() == "false")) {
      return void(rule->is_in_band = value.Scalar() == "true");
    }
    if (name == "in_band") return Problem(value, path, "true or false");
    if (name == "message") return Problem(value, path, "a text");
    Unknown(key, path,
            "fault, method, project, dataset, table, after, every, times, probability, when, message, "
            "in_band, ms, seconds, bytes");
  }

  void Methods(const YAML::Node& value, const std::string& path, FaultRule* rule) {
    if (value.IsSequence()) {
      for (const YAML::Node& each : value) rule->methods.push_back(Glob(each, path));
    } else {
      rule->methods.push_back(Glob(value, path));
    }
  }

  void Check(const YAML::Node& node, const std::string& path, FaultRule* rule) {
    const auto wrong = [&](std::string_view key, std::string_view text) {
      problems_.push_back(fmt::format("{}:{}: {}.{}: {}", name_, node.Mark().line + 1, path, key, text));
    };
    const bool lasts = rule->kind == FaultKind::kIdleClose || rule->kind == FaultKind::kStaleSchema ||
                       rule->kind == FaultKind::kRecreated;
    if (rule->kind == FaultKind::kSlow && !node["ms"]) wrong("ms", "slow needs the milliseconds to wait");
    if (lasts && !node["seconds"]) wrong("seconds", rule->text + " needs the seconds it holds");
    if (lasts && node["method"]) wrong("method", rule->text + " is about AppendRows, and needs no method");
    const auto about_jobs = [](const std::string& method) { return method.starts_with("job."); };
    if (std::ranges::any_of(rule->methods, about_jobs) &&
        (rule->kind == FaultKind::kDrop || rule->kind == FaultKind::kTruncate || rule->is_after_effect)) {
      wrong("method", "a job has no connection to lose: it can be slow, or end with an error before it runs");
    }
  }

  const std::string_view name_;
  std::vector<std::string> problems_;
};

}  // namespace

absl::StatusOr<FaultPlan> ReadFaultPlan(std::string_view text, std::string_view name) {
  YAML::Node root;
  try {
    root = YAML::Load(std::string(text));
  } catch (const YAML::Exception& error) {
    return absl::InvalidArgumentError(
        fmt::format("{}:{}: expected YAML or JSON: {}", name, error.mark.line + 1, error.msg));
  }
  Reader reader(name);
  FaultPlan plan = reader.Plan(root);
  if (reader.problems().empty()) return plan;
  std::string all;
  for (const std::string& problem : reader.problems()) all += (all.empty() ? "" : "\n") + problem;
  return absl::InvalidArgumentError(all);
}

}  // namespace hakobu::localbq
