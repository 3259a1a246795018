#include <fmt/format.h>

#include "base/byte_reader.h"
#include "source/log_stream.h"

namespace hakobu {
namespace {

constexpr size_t kIdentityHeaderBytes = 19;
constexpr size_t kVersionBytes = 50;
constexpr uint8_t kIdentityFormatEvent = 15;

}  // namespace

std::optional<LogFileIdentity> IdentityOf(std::string_view event) {
  if (event.size() < kIdentityHeaderBytes + 2 + kVersionBytes) return std::nullopt;
  ByteReader reader(event);
  LogFileIdentity identity;
  identity.created = reader.U32();
  if (reader.U8() != kIdentityFormatEvent) return std::nullopt;
  identity.server_id = reader.U32();
  const std::string_view version = event.substr(kIdentityHeaderBytes + 2, kVersionBytes);
  identity.server_version = version.substr(0, version.find('\0'));
  return identity;
}

absl::StatusOr<LogFileIdentity> ReadLogFileIdentity(const ConnectOptions& connect, const std::string& file) {
  LogStreamOptions options;
  options.stop_at_end = true;
  HAKOBU_ASSIGN_OR_RETURN(const auto stream, LogStream::Open(connect, LogStart::At(file), options));
  while (!stream->at_end()) {
    HAKOBU_ASSIGN_OR_RETURN(const auto event, stream->Next(connect.read_timeout));
    if (!event) break;
    if (const auto identity = IdentityOf(*event)) return *identity;
  }
  return absl::DataLossError(fmt::format("log file {} begins with no FORMAT_DESCRIPTION", file));
}

}  // namespace hakobu
