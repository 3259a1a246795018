#include "destination/transport.h"

#include <fmt/format.h>

#include <fstream>
#include <sstream>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "base/address.h"
#include "base/status.h"
#include "destination/proxy.h"
#include "google/rpc/status.pb.h"

namespace hakobu {
namespace {

// gRPC's own bundle is not in every distribution; the system's is.
std::string TrustedRoots(const std::string& ca_file) {
  std::vector<std::string> paths = {ca_file};
  if (ca_file.empty()) {
    paths = {EnvironmentVariable("SSL_CERT_FILE").value_or(""), "/etc/ssl/certs/ca-certificates.crt",
             "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"};
  }
  for (const std::string& path : paths) {
    if (path.empty()) continue;
    std::ifstream file(path);
    std::stringstream text;
    if (file && text << file.rdbuf()) return text.str();
  }
  // A file that was named and cannot be read must not come to mean "whoever the library trusts".
  return ca_file.empty() ? "" : "no authorities";
}

std::shared_ptr<grpc::ChannelCredentials> ChannelSecurity(const Endpoint& endpoint) {
  if (endpoint.grpc_insecure) return grpc::InsecureChannelCredentials();
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = TrustedRoots(endpoint.ca_file);
  return grpc::SslCredentials(options);
}

// The host of "host:443" and "[::1]:443".
std::string HostOfTarget(const std::string& target) {
  const absl::StatusOr<Address> address = ParseAddress("grpc://" + target);
  return address.ok() ? address->host : std::string();
}

grpc::ChannelArguments ChannelSettings(const Endpoint& endpoint, int number) {
  grpc::ChannelArguments arguments;
  arguments.SetUserAgentPrefix("hakobu");
  arguments.SetMaxReceiveMessageSize(64 << 20);
  arguments.SetMaxSendMessageSize(-1);
  // Notices a peer that is gone. The service allows pings each 30 s while a call is open [Google's Node
  // client].
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 30'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 20'000);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  // Retries are this folder's: gRPC would need to keep a copy of what it sends.
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 5'000);
  // Without these all channels would share one TCP connection.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt("hakobu.channel", number);
  // gRPC itself reads the lower-case variables only.
  const std::string proxy = ProxyFor(HostOfTarget(endpoint.grpc), endpoint.proxy, EnvironmentVariable);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, proxy.empty() ? 0 : 1);
  if (!proxy.empty()) arguments.SetString(GRPC_ARG_HTTP_PROXY, proxy);
  return arguments;
}

constexpr absl::Duration kLongestTablePause = absl::Seconds(10);

struct UnaryResult {
  absl::Notification done;
  grpc::Status status;
};

}  // namespace

absl::Status FromGrpc(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  google::rpc::Status details;
  if (!status.error_details().empty() && details.ParseFromString(status.error_details())) {
    details.set_code(static_cast<int>(status.error_code()));
    details.set_message(status.error_message());
    return StorageStatus(details);
  }
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
}

StorageWrite::Transport::Transport(StorageWriteOptions options) : options_(std::move(options)) {
  const std::shared_ptr<grpc::ChannelCredentials> security = ChannelSecurity(options_.endpoint);
  for (int i = 0; i < std::max(1, options_.channels); ++i) {
    channels_.push_back(
        grpc::CreateCustomChannel(options_.endpoint.grpc, security, ChannelSettings(options_.endpoint, i)));
  }
}

std::shared_ptr<grpc::Channel> StorageWrite::Transport::NextChannel() {
  return channels_[next_.fetch_add(1, std::memory_order_relaxed) % channels_.size()];
}

absl::Status StorageWrite::Transport::Prepare(grpc::ClientContext& context, std::string_view routing,
                                              std::string* token) {
  HAKOBU_ASSIGN_OR_RETURN(*token, options_.credentials->Token());
  if (!token->empty()) context.AddMetadata("authorization", "Bearer " + *token);
  const std::string quota_project = options_.credentials->QuotaProject();
  if (!quota_project.empty()) context.AddMetadata("x-goog-user-project", quota_project);
  context.AddMetadata("x-goog-request-params", std::string(routing));
  return absl::OkStatus();
}

absl::Status StorageWrite::Transport::CallOnce(
    const Subject& subject, absl::FunctionRef<void(Stub&, grpc::ClientContext*, Done)> start) {
  grpc::ClientContext context;
  std::string token;
  HAKOBU_RETURN_IF_ERROR(Prepare(context, subject.routing, &token));
  context.set_deadline(std::chrono::system_clock::now() + absl::ToChronoMilliseconds(options_.timeout));
  Stub stub(NextChannel());
  UnaryResult result;
  const absl::Time begun = absl::Now();
  start(stub, &context, [&result](grpc::Status status) {
    result.status = std::move(status);
    result.done.Notify();
  });
  const Cancellation* cancellation = options_.context.cancellation;
  while (!result.done.WaitForNotificationWithTimeout(absl::Milliseconds(100))) {
    if (cancellation != nullptr && cancellation->cancelled()) context.TryCancel();
    if (options_.context.outages != nullptr && absl::Now() - begun > kAnswerWithin)
      options_.context.outages->OnSilence(subject.what, begun);
  }
  if (cancellation != nullptr && !result.status.ok()) HAKOBU_RETURN_IF_ERROR(cancellation->Check());
  if (result.status.error_code() == grpc::StatusCode::UNAUTHENTICATED) options_.credentials->Reject(token);
  return FromGrpc(result.status);
}

absl::Status StorageWrite::Transport::CallUnary(
    const Subject& subject, absl::FunctionRef<void(Stub&, grpc::ClientContext*, Done)> start) {
  Backoff backoff(options_.retry, options_.context);
  RetryPolicy often = options_.retry;  // TableWait ends it
  often.longest_delay = std::min(often.longest_delay, kLongestTablePause);
  often.max_elapsed = absl::InfiniteDuration();
  Backoff table_backoff(often, options_.context);
  TableWait table(subject.table, options_.look_at_table, subject.patience);
  bool renewed = false;
  while (true) {
    const absl::Status status = CallOnce(subject, start);
    OutageListener* const outages = options_.context.outages;
    if (outages != nullptr && (status.ok() || RemedyForUnary(status) != Remedy::kRetry)) {
      outages->OnSuccess(subject.what);
    } else if (outages != nullptr) {
      outages->OnFailure(subject.what, Annotate(status, subject.what));
    }
    if (status.ok()) return status;
    if (absl::IsUnauthenticated(status) && !renewed) {
      renewed = true;
      continue;
    }
    const Remedy remedy = RemedyForUnary(status);
    const bool answered = absl::IsNotFound(status) && subject.missing == Missing::kIsAnAnswer;
    if (remedy == Remedy::kAwaitTable && !answered) {
      HAKOBU_RETURN_IF_ERROR(Annotate(table.Refused(status, options_.context.clock->Now()), subject.what));
      HAKOBU_RETURN_IF_ERROR(Annotate(table_backoff.Wait(status), subject.what));
      continue;
    }
    if (remedy != Remedy::kRetry) return Annotate(status, subject.what);
    HAKOBU_RETURN_IF_ERROR(Annotate(backoff.Wait(status), subject.what));
  }
}

}  // namespace hakobu
