#include "base/address.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "base/status.h"

namespace hakobu {
namespace {

constexpr uint16_t kHttps = 443;

absl::Status Bad(std::string_view why) {
  return absl::InvalidArgumentError(fmt::format("expected scheme://host[:port], found {}", why));
}

bool IsHost(std::string_view host, bool brackets) {
  if (host.empty() || host.size() > 253) return false;
  return std::all_of(host.begin(), host.end(), [&](unsigned char c) {
    if (brackets) return absl::ascii_isxdigit(c) || c == ':' || c == '.';
    return absl::ascii_isalnum(c) || c == '-' || c == '.' || c == '_';
  });
}

// Fills host and port from what stands between scheme and path.
absl::Status ReadAuthority(std::string_view authority, Address* address) {
  if (authority.find('@') != std::string_view::npos) return Bad("user information before the host");
  const bool brackets = authority.starts_with('[');
  size_t end = authority.find(brackets ? ']' : ':');
  if (brackets && end == std::string_view::npos) return Bad("a [ without ]");
  std::string_view host = authority.substr(0, end);
  std::string_view port;
  if (brackets) {
    host.remove_prefix(1);
    port = authority.substr(end + 1);
  } else if (end != std::string_view::npos) {
    port = authority.substr(end);
  }
  if (!IsHost(host, brackets)) return Bad("no host, or one that cannot be");
  address->host = absl::AsciiStrToLower(View(host));
  if (port.empty()) return absl::OkStatus();
  if (port[0] != ':') return Bad("something after the host");
  port.remove_prefix(1);
  const auto [last, error] = std::from_chars(port.data(), port.data() + port.size(), address->port);
  if (error != std::errc() || last != port.data() + port.size() || address->port == 0) {
    return Bad("a port that is none");
  }
  return absl::OkStatus();
}

bool IsDottedQuad(std::string_view host) {
  int dots = 0, digits = 0;
  for (const char c : host) {
    if (c == '.') {
      if (digits == 0) return false;
      ++dots;
      digits = 0;
    } else if (absl::ascii_isdigit(static_cast<unsigned char>(c))) {
      if (++digits > 3) return false;
    } else {
      return false;
    }
  }
  return dots == 3 && digits > 0;
}

}  // namespace

std::string Address::HostAndPort(uint16_t default_port) const {
  const bool brackets = host.find(':') != std::string::npos;
  return fmt::format("{}{}{}:{}", brackets ? "[" : "", host, brackets ? "]" : "",
                     port == 0 ? default_port : port);
}

std::string Address::Origin() const {
  const std::string with_port = HostAndPort(0);
  return scheme + "://" + (port == 0 ? with_port.substr(0, with_port.size() - 2) : with_port);
}

absl::StatusOr<Address> ParseAddress(std::string_view text) {
  if (!IsHeaderText(text) || text.find(' ') != std::string_view::npos) {
    return Bad("white space or control characters");
  }
  const size_t scheme_end = text.find("://");
  if (scheme_end == std::string_view::npos || scheme_end == 0) return Bad("no scheme");
  Address address;
  address.scheme = absl::AsciiStrToLower(View(text.substr(0, scheme_end)));
  text.remove_prefix(scheme_end + 3);
  if (text.find('#') != std::string_view::npos) return Bad("a fragment (#)");
  if (text.find('\\') != std::string_view::npos) return Bad("a backslash");
  const size_t authority_end = std::min(text.find_first_of("/?"), text.size());
  HAKOBU_RETURN_IF_ERROR(ReadAuthority(text.substr(0, authority_end), &address));
  address.rest = std::string(text.substr(authority_end));
  return address;
}

bool IsLoopback(std::string_view host) {
  return host == "localhost" || host == "::1" || (host.starts_with("127.") && IsDottedQuad(host));
}

bool IsLinkLocal(std::string_view host) {
  return host == "metadata.google.internal" || host.starts_with("fd00:ec2::") ||
         (host.starts_with("169.254.") && IsDottedQuad(host));
}

absl::StatusOr<Address> CheckAddress(std::string_view text, std::string_view what, PlainHttp plain) {
  absl::StatusOr<Address> address = ParseAddress(text);
  if (!address.ok()) return Annotate(address.status(), what);
  if (address->scheme == "https") return address;
  const bool near =
      IsLoopback(address->host) || (plain == PlainHttp::kLinkLocal && IsLinkLocal(address->host));
  if (address->scheme == "http" && near) return address;
  return WithHint(absl::InvalidArgumentError(
                      fmt::format("{}: expected an https address, found {}", what, address->Origin())),
                  "plain http is only for this machine");
}

absl::StatusOr<GrpcAddress> CheckGrpcAddress(std::string_view text, std::string_view what) {
  if (text.find("://") == std::string_view::npos) {
    absl::StatusOr<Address> address = ParseAddress(fmt::format("grpc://{}", text));
    if (!address.ok() || address->port == 0 || !address->rest.empty()) {
      return absl::InvalidArgumentError(
          fmt::format("{}: expected https://HOST[:PORT], or HOST:PORT of this machine", what));
    }
    if (IsLoopback(address->host)) return GrpcAddress{address->HostAndPort(0), false};
    return WithHint(
        absl::InvalidArgumentError(fmt::format("{}: expected https://{}, found the same without TLS", what,
                                               address->HostAndPort(0))),
        "an address without https:// has no TLS, and is only for this machine");
  }
  HAKOBU_ASSIGN_OR_RETURN(const Address address, CheckAddress(text, what, PlainHttp::kLoopback));
  if (address.scheme != "https" || (!address.rest.empty() && address.rest != "/")) {
    return absl::InvalidArgumentError(
        fmt::format("{}: expected https://HOST[:PORT], or HOST:PORT of this machine", what));
  }
  return GrpcAddress{address.HostAndPort(kHttps), true};
}

std::string OriginOf(std::string_view text) {
  const absl::StatusOr<Address> address = ParseAddress(text);
  return address.ok() ? address->Origin() : "an address";
}

bool IsHeaderText(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

}  // namespace hakobu
