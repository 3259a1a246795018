// Addresses that secrets travel to: one check for all of them. Nothing but scheme, host and port of an
// address ever goes into a message: user information, paths and queries may hold what nobody should read.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace hakobu {

struct Address {
  std::string scheme;  // lower case
  std::string host;    // lower case, IPv6 without brackets
  uint16_t port = 0;   // 0: the scheme's own
  std::string rest;    // path, query: from the first / or ? on
  // "https://host:8443": what a message may say.
  std::string Origin() const;
  std::string HostAndPort(uint16_t default_port) const;  // "[::1]:443"
};

// scheme://host[:port][/…][?…]. InvalidArgument for user information (user@host), white space and control
// characters, a fragment, an empty or impossible host, a port that is none.
absl::StatusOr<Address> ParseAddress(std::string_view text);

// This machine: localhost, 127.0.0.0/8, ::1.
bool IsLoopback(std::string_view host);
// What never leaves the machine's own link: 169.254.0.0/16, fd00:ec2::/32, and the metadata server's name.
bool IsLinkLocal(std::string_view host);

enum class PlainHttp : uint8_t {
  kLoopback,   // only to this machine
  kLinkLocal,  // also to the platform's metadata addresses
};
// `what` names the address in messages: "destination.rest_address". InvalidArgument unless it is https, or
// http where `plain` allows it.
absl::StatusOr<Address> CheckAddress(std::string_view text, std::string_view what, PlainHttp plain);

// Where gRPC goes: https://host[:port], or host:port of this machine, which is without TLS. A remote
// host:port is refused: whether it has TLS must be said.
struct GrpcAddress {
  std::string target;  // "host:443"
  bool tls = true;
};
absl::StatusOr<GrpcAddress> CheckGrpcAddress(std::string_view text, std::string_view what);

// scheme://host:port of an address as far as it can be read; "an address" when it cannot.
std::string OriginOf(std::string_view text);

// No control characters, CR and LF among them: may stand in a header.
bool IsHeaderText(std::string_view text);

}  // namespace hakobu
