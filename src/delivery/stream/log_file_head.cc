#include "delivery/stream/log_file_head.h"

#include "base/status.h"
#include "decode/binlog/log_decoder.h"

namespace hakobu {
namespace {

class HeadVisitor : public binlog::LogVisitor {
 public:
  absl::Status OnBegin(const binlog::LogContext&) override { return Stop(); }
  absl::Status OnRows(const binlog::LogContext&, const binlog::TableMap&, const binlog::RowsEvent&) override {
    return Stop();
  }
  absl::Status OnStatement(const binlog::LogContext&, const binlog::LogStatement&) override { return Stop(); }
  absl::Status OnEnd(const binlog::LogContext&, binlog::TransactionEnd) override { return Stop(); }
  absl::Status OnPreviousGtids(const binlog::LogContext&, const binlog::GtidSet& set) override {
    previous_gtids = set.Text();
    return Stop();
  }

  std::optional<std::string> previous_gtids;
  bool stopped = false;

 private:
  absl::Status Stop() {
    stopped = true;
    return absl::OkStatus();
  }
};

absl::StatusOr<LogFileHead> ReadHead(const ConnectOptions& connect, const std::string& file) {
  LogStreamOptions options;
  options.stop_at_end = true;
  HAKOBU_ASSIGN_OR_RETURN(const auto stream, LogStream::Open(connect, LogStart::At(file), options));
  LogFileHead head;
  HeadVisitor visitor;
  binlog::LogDecoder decoder(&visitor);
  while (!visitor.stopped && !stream->at_end()) {
    HAKOBU_ASSIGN_OR_RETURN(const auto event, stream->Next(connect.read_timeout));
    if (!event) break;
    if (const auto identity = IdentityOf(*event)) {
      if (head.identity.known()) break;  // of the next file already
      head.identity = *identity;
    }
    HAKOBU_RETURN_IF_ERROR(decoder.Feed(*event));
  }
  head.previous_gtids = visitor.previous_gtids;
  return head;
}

}  // namespace

absl::StatusOr<LogFileHead> ReadLogFileHead(const ConnectOptions& connect, const std::string& file) {
  auto head = ReadHead(connect, file);
  if (head.ok() || LogFailureOf(head.status()) == LogFailure::kNone) return head;
  return LogFileHead();
}

}  // namespace hakobu
