#include <fmt/format.h>

#include <charconv>

#include "base/byte_reader.h"
#include "source/log_stream.h"

namespace hakobu {
namespace {

constexpr size_t kIdentityHeaderBytes = 19;
constexpr size_t kVersionBytes = 50;
constexpr uint8_t kIdentityFormatEvent = 15;

bool TakeNumber(std::string_view* text, uint32_t* number) {
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), *number);
  if (error != std::errc() || end == text->data() + text->size() || *end != '/') return false;
  text->remove_prefix(static_cast<size_t>(end - text->data()) + 1);
  return true;
}

}  // namespace

std::string LogFileIdentity::Text() const {
  return known() ? fmt::format("{}/{}/{}", created, server_id, server_version) : "";
}

LogFileIdentity LogFileIdentity::Parse(std::string_view text) {
  LogFileIdentity identity;
  if (!TakeNumber(&text, &identity.created) || !TakeNumber(&text, &identity.server_id)) return {};
  identity.server_version = text;
  return identity;
}

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
