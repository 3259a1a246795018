#include "source/log_stream.h"

// clang-format off
#define HAVE_TLS 1  // ma_pvio.h leaves out what the library was built with
using uchar = unsigned char;
#include <mysql.h>
#include <ma_pvio.h>
// clang-format on

#include <fmt/format.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <random>

#include "base/byte_reader.h"
#include "source/log_failure.h"
#include "source/server_facts.h"

namespace hakobu {
namespace {

constexpr auto kComBinlogDump = static_cast<enum_server_command>(0x12);
constexpr auto kComRegisterSlave = static_cast<enum_server_command>(0x15);
constexpr auto kComBinlogDumpGtid = static_cast<enum_server_command>(0x1e);
constexpr uint16_t kDumpNonBlocking = 1;  // BINLOG_DUMP_NON_BLOCK
constexpr size_t kEventHeaderBytes = 19;
constexpr size_t kChecksumBytes = 4;
constexpr uint8_t kRotateEvent = 4, kFormatDescriptionEvent = 15;

void AppendLittleEndian(std::string* out, uint64_t value, size_t bytes) {
  for (size_t i = 0; i < bytes; ++i) out->push_back(static_cast<char>(value >> (8 * i)));
}

std::string RandomUuid() {
  std::random_device random;
  std::string text;
  for (const char place : std::string_view("xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx")) {
    text += place == 'x' ? "0123456789abcdef"[random() % 16] : place;
  }
  return text;
}

uint8_t TypeOf(std::string_view event) {
  return event.size() < kEventHeaderBytes ? 0 : static_cast<uint8_t>(event[4]);
}

class ServerLogStream : public LogStream {
 public:
  ServerLogStream(std::unique_ptr<Connection> connection, absl::Duration read_timeout,
                  const LogStreamOptions& options)
      : connection_(std::move(connection)),
        read_timeout_(read_timeout),
        options_(options),
        server_id_(options.server_id),
        replica_uuid_(options.replica_uuid.empty() ? RandomUuid() : options.replica_uuid),
        silence_(options.silence > absl::ZeroDuration() ? options.silence : options.heartbeat * 2.5),
        last_heard_(absl::Now()) {}

  absl::Status Begin(const LogStart& start) {
    HAKOBU_RETURN_IF_ERROR(ChooseServerId());
    HAKOBU_RETURN_IF_ERROR(Negotiate(start));
    HAKOBU_RETURN_IF_ERROR(Register());
    HAKOBU_RETURN_IF_ERROR(Dump(start));
    // What stalls within a packet is found by the library's own time-out.
    MARIADB_PVIO* pvio = mysql()->net.pvio;
    const auto seconds = static_cast<int>(absl::ToInt64Seconds(absl::Ceil(silence_, absl::Seconds(1))));
    pvio->methods->set_timeout(pvio, PVIO_READ_TIMEOUT, seconds);
    last_heard_ = absl::Now();
    return absl::OkStatus();
  }

  absl::StatusOr<std::optional<std::string_view>> Next(absl::Duration timeout) override {
    if (connection_->interrupted()) return Failed();
    if (at_end_) return std::optional<std::string_view>();
    if (!HasBuffered()) {
      HAKOBU_ASSIGN_OR_RETURN(const bool readable, WaitReadable(timeout));
      if (!readable) return std::optional<std::string_view>();
    }
    const unsigned long size = mysql_net_read_packet(mysql());
    if (size == packet_error) return Failed();
    last_heard_ = absl::Now();
    const auto* packet = reinterpret_cast<const char*>(mysql()->net.read_pos);
    const auto status = size == 0 ? uint8_t{0xff} : static_cast<uint8_t>(packet[0]);
    constexpr uint8_t kEventFollows = 0, kEndOfFile = 0xfe;
    if (status == kEndOfFile && size < 9) {
      if (options_.stop_at_end) {
        at_end_ = true;
        return std::optional<std::string_view>();
      }
      return absl::UnavailableError(fmt::format("{}: the server ended the stream", phrase()));
    }
    if (status != kEventFollows || size < 1 + kEventHeaderBytes) {
      return absl::DataLossError(fmt::format(
          "{}: expected an event, found a packet of {} bytes that begins with {}", phrase(), size, status));
    }
    bytes_read_ += size - 1;
    const std::string_view event(packet + 1, size - 1);
    if (!format_seen_) [[unlikely]]
      return BeforeFormat(event);
    return std::optional<std::string_view>(event);
  }

  bool at_end() const override { return at_end_; }
  void Interrupt() override { connection_->Interrupt(); }
  ServerFlavor flavor() const override { return connection_->flavor(); }
  uint32_t server_id() const override { return server_id_; }
  const std::string& replica_uuid() const override { return replica_uuid_; }
  uint64_t bytes_read() const override { return bytes_read_; }
  absl::Time last_heard() const override { return last_heard_; }
  absl::Time waited_at() const override { return waited_at_; }

 private:
  MYSQL* mysql() { return connection_->handle(); }
  bool mariadb() const { return connection_->flavor() == ServerFlavor::kMariaDb; }
  std::string phrase() const { return fmt::format("read the log of {}", connection_->where()); }

  absl::Status Failed() {
    if (connection_->interrupted()) return Annotate(absl::CancelledError("stopped on request"), phrase());
    return Annotate(LogServerError(mysql_errno(mysql()), mysql_error(mysql())), phrase());
  }

  // A replica's id must be none of its fellows', nor the source's.
  absl::Status ChooseServerId() {
    if (server_id_ != 0) return absl::OkStatus();
    std::vector<uint32_t> taken;
    HAKOBU_ASSIGN_OR_RETURN(const std::string own, connection_->QueryValue("SELECT @@GLOBAL.server_id"));
    taken.push_back(static_cast<uint32_t>(std::strtoul(own.c_str(), nullptr, 10)));
    const bool replicas = !mariadb() && connection_->version_number() >= 80022;
    // Not everybody may see them; a random number of 31 bits is safe enough then.
    if (auto hosts = connection_->Query(replicas ? "SHOW REPLICAS" : "SHOW SLAVE HOSTS"); hosts.ok()) {
      const size_t column = hosts->Column("Server_id");
      for (const auto& row : hosts->rows) {
        if (column < row.size() && row[column])
          taken.push_back(static_cast<uint32_t>(std::strtoul(row[column]->c_str(), nullptr, 10)));
      }
    } else if (absl::IsUnavailable(hosts.status())) {
      return hosts.status();
    }
    std::random_device random;
    do {
      server_id_ = 0x40000000u | (random() & 0x3fffffffu);  // out of the way of ids that people choose
    } while (std::find(taken.begin(), taken.end(), server_id_) != taken.end());
    return absl::OkStatus();
  }

  absl::Status Negotiate(const LogStart& start) {
    // Events come with the checksums that the files hold; this only says that we know them.
    constexpr std::string_view checksum = "@@GLOBAL.binlog_checksum";
    const int64_t heartbeat = absl::ToInt64Nanoseconds(options_.heartbeat);
    std::vector<std::string> statements = {
        fmt::format("SET @master_binlog_checksum = {0}, @source_binlog_checksum = {0}", checksum),
        fmt::format("SET @master_heartbeat_period = {0}, @source_heartbeat_period = {0}", heartbeat),
        fmt::format("SET @slave_uuid = {0}, @replica_uuid = {0}", QuoteText(replica_uuid_)),
    };
    if (mariadb()) {
      constexpr int kKnowsGtids = 4;  // MARIA_SLAVE_CAPABILITY_GTID
      statements.push_back(fmt::format("SET @mariadb_slave_capability = {}", kKnowsGtids));
      if (start.kind == LogStart::Kind::kGtids) {
        statements.push_back(fmt::format("SET @slave_connect_state = {}", QuoteText(start.point.gtid_set)));
        statements.emplace_back("SET @slave_gtid_strict_mode = 0, @slave_gtid_ignore_duplicates = 0");
      }
    }
    for (const std::string& statement : statements) {
      HAKOBU_RETURN_IF_ERROR(Annotate(connection_->Execute(statement), "negotiate the log stream"));
    }
    HAKOBU_ASSIGN_OR_RETURN(const std::string agreed,
                            connection_->QueryValue("SELECT @master_binlog_checksum"));
    checksummed_ = agreed == "CRC32";
    return absl::OkStatus();
  }

  // So that SHOW REPLICAS on the source names this stream.
  absl::Status Register() {
    std::string payload;
    AppendLittleEndian(&payload, server_id_, 4);
    for (const std::string_view text : {"hakobu", "", ""}) {  // host, user, password
      payload.push_back(static_cast<char>(text.size()));
      payload += text;
    }
    AppendLittleEndian(&payload, 0, 2);  // port
    AppendLittleEndian(&payload, 0, 4);  // rank: not used
    AppendLittleEndian(&payload, 0, 4);  // source id: filled in by the server
    return Send(kComRegisterSlave, payload, /*answered=*/true, "register as a replica");
  }

  absl::Status Dump(const LogStart& start) {
    const uint16_t flags = options_.stop_at_end ? kDumpNonBlocking : 0;
    std::string payload;
    if (start.kind == LogStart::Kind::kGtids && !mariadb()) {
      AppendLittleEndian(&payload, flags, 2);
      AppendLittleEndian(&payload, server_id_, 4);
      AppendLittleEndian(&payload, 0, 4);  // no file name
      AppendLittleEndian(&payload, 4, 8);
      AppendLittleEndian(&payload, start.gtid_bytes.size(), 4);
      return Send(kComBinlogDumpGtid, payload + start.gtid_bytes, false, "ask for the log");
    }
    LogStart place = start;
    if (start.kind == LogStart::Kind::kGtids) {
      place.point.file.clear();
      place.point.offset = 4;
    }
    HAKOBU_RETURN_IF_ERROR(ResolvePlace(&place));
    if (place.point.offset > 0xffffffff) {
      return WithHint(absl::OutOfRangeError(fmt::format(
                          "ask for the log at {}: the protocol knows offsets below 4 GiB", place.Text())),
                      "start after a GTID set, or at the next file");
    }
    AppendLittleEndian(&payload, place.point.offset, 4);
    AppendLittleEndian(&payload, flags, 2);
    AppendLittleEndian(&payload, server_id_, 4);
    return Send(kComBinlogDump, payload + place.point.file, false, "ask for the log");
  }

  absl::Status ResolvePlace(LogStart* place) {
    if (place->kind == LogStart::Kind::kNow) {
      std::string why_unknown;
      HAKOBU_ASSIGN_OR_RETURN(const LogPoint now, ReadLogPoint(connection_.get(), &why_unknown));
      if (!now.known()) {
        const bool denied = why_unknown.find("lacks") != std::string::npos;
        return denied ? LogServerError(1227, why_unknown) : LogServerError(1236, "Binary log is not open");
      }
      *place = LogStart::At(now.file, now.offset);
    } else if (place->kind == LogStart::Kind::kOldest) {
      const auto files = connection_->Query("SHOW BINARY LOGS");
      if (!files.ok()) return Failed();
      if (files->rows.empty() || !files->rows[0][0]) return LogServerError(1236, "Binary log is not open");
      *place = LogStart::At(*files->rows[0][0]);
    }
    return absl::OkStatus();
  }

  absl::Status Send(enum_server_command command, const std::string& payload, bool answered,
                    std::string_view what) {
    const int failed = mysql()->methods->db_command(mysql(), command, payload.data(), payload.size(),
                                                    answered ? 0 : 1, nullptr);
    return failed == 0 ? absl::OkStatus() : Annotate(Failed(), what);
  }

  // Whether bytes are held that poll() on the socket does not know of: by TLS, the library or decompression.
  bool HasBuffered() {
    const NET& net = mysql()->net;
    const MARIADB_PVIO* pvio = net.pvio;
    if (pvio == nullptr) return true;  // broken: reading says how
    if (pvio->cache != nullptr && pvio->cache_pos < pvio->cache + pvio->cache_size) return true;
    if (net.compress != 0 && net.remain_in_buf > 0) return true;
    return pvio->ctls != nullptr && pvio->ctls->ssl != nullptr &&
           SSL_pending(static_cast<const SSL*>(pvio->ctls->ssl)) > 0;
  }

  absl::StatusOr<bool> WaitReadable(absl::Duration timeout) {
    // Until the first event comes, the server may be looking for the start through many files.
    const absl::Time silent_at = last_heard_ + (format_seen_ ? silence_ : std::max(silence_, read_timeout_));
    pollfd now{static_cast<int>(mysql_get_socket(mysql())), POLLIN, 0};
    if (poll(&now, 1, 0) > 0) return true;
    waited_at_ = absl::Now();
    const absl::Time deadline = std::min(waited_at_ + timeout, silent_at);
    for (;;) {
      const absl::Duration left = std::max(deadline - absl::Now(), absl::ZeroDuration());
      pollfd watched{static_cast<int>(mysql_get_socket(mysql())), POLLIN, 0};
      const int64_t wait_ms = absl::ToInt64Milliseconds(absl::Ceil(left, absl::Milliseconds(1)));
      const int ready = poll(&watched, 1, static_cast<int>(std::min<int64_t>(wait_ms, 60'000)));
      if (ready > 0) return true;
      if (ready < 0 && errno != EINTR) {
        return absl::InternalError(fmt::format("{}: poll: {}", phrase(), std::strerror(errno)));
      }
      if (absl::Now() < deadline) continue;
      if (deadline < silent_at) return false;
      return WithHint(absl::UnavailableError(
                          fmt::format("{}: nothing for {}, though the server was asked to say every {} "
                                      "that it lives",
                                      phrase(), absl::FormatDuration(absl::Now() - last_heard_),
                                      absl::FormatDuration(options_.heartbeat))),
                      "the network or the server hangs; a new connection is tried");
    }
  }

  // Until it is known from the FORMAT_DESCRIPTION, a decoder takes events to have no checksum; the server
  // gives them one if that was agreed on. So it is checked and taken off here.
  absl::StatusOr<std::optional<std::string_view>> BeforeFormat(std::string_view event) {
    if (TypeOf(event) == kFormatDescriptionEvent) {
      format_seen_ = true;
      return std::optional<std::string_view>(event);
    }
    if (!checksummed_ || TypeOf(event) != kRotateEvent ||
        event.size() < kEventHeaderBytes + 8 + kChecksumBytes)
      return std::optional<std::string_view>(event);
    const size_t covered = event.size() - kChecksumBytes;
    const uint32_t stored = ByteReader(event.substr(covered)).U32();
    const uLong computed = crc32(0, reinterpret_cast<const Bytef*>(event.data()), static_cast<uInt>(covered));
    if (stored != static_cast<uint32_t>(computed)) {
      return absl::DataLossError(
          fmt::format("{}: the first ROTATE's CRC32 does not match its bytes", phrase()));
    }
    first_.assign(event.substr(0, covered));
    std::string size;
    AppendLittleEndian(&size, covered, 4);
    first_.replace(9, 4, size);
    return std::optional<std::string_view>(first_);
  }

  std::unique_ptr<Connection> connection_;
  const absl::Duration read_timeout_;
  LogStreamOptions options_;
  uint32_t server_id_;
  std::string replica_uuid_;
  absl::Duration silence_;
  absl::Time last_heard_;
  absl::Time waited_at_ = absl::InfinitePast();
  uint64_t bytes_read_ = 0;
  bool checksummed_ = false;
  bool format_seen_ = false;
  bool at_end_ = false;
  std::string first_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<LogStream>> LogStream::Open(const ConnectOptions& connect,
                                                           const LogStart& start,
                                                           const LogStreamOptions& options) {
  HAKOBU_ASSIGN_OR_RETURN(std::unique_ptr<Connection> connection, Connection::Open(connect));
  auto stream = std::make_unique<ServerLogStream>(std::move(connection), connect.read_timeout, options);
  HAKOBU_RETURN_IF_ERROR(stream->Begin(start));
  return stream;
}

}  // namespace hakobu
