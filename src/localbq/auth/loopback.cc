#include "localbq/auth/loopback.h"

#include <arpa/inet.h>

#include <string>

#include "absl/strings/ascii.h"
#include "base/status.h"

namespace hakobu::localbq::auth {
namespace {

// "host:port" of a URL; empty when it has another scheme or a user.
std::string_view AuthorityOf(std::string_view url, std::string_view scheme) {
  if (!url.starts_with(scheme)) return {};
  url.remove_prefix(scheme.size());
  const std::string_view authority = url.substr(0, url.find_first_of("/?#\\"));
  return authority.find('@') == std::string_view::npos ? authority : std::string_view();
}

}  // namespace

std::string_view HostOf(std::string_view host_and_port) {
  if (host_and_port.starts_with('[')) {
    const size_t end = host_and_port.find(']');
    return end == std::string_view::npos ? std::string_view() : host_and_port.substr(0, end + 1);
  }
  return host_and_port.substr(0, host_and_port.find(':'));
}

bool IsLoopback(std::string_view host) {
  std::string name = absl::AsciiStrToLower(View(host));
  if (name.ends_with('.')) name.pop_back();
  if (name == "localhost" || name.ends_with(".localhost")) return true;
  if (name.starts_with('[') && name.ends_with(']')) name = name.substr(1, name.size() - 2);
  in6_addr six{};
  if (inet_pton(AF_INET6, name.c_str(), &six) == 1) return IN6_IS_ADDR_LOOPBACK(&six);
  in_addr four{};
  return inet_pton(AF_INET, name.c_str(), &four) == 1 && (ntohl(four.s_addr) >> 24) == 127;
}

bool IsLoopbackUrl(std::string_view url) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    const std::string_view authority = AuthorityOf(url, scheme);
    if (!authority.empty()) return IsLoopback(HostOf(authority));
  }
  return false;
}

bool IsOnHost(std::string_view url, std::string_view host) {
  return AuthorityOf(url, "https://") == host;
}

}  // namespace hakobu::localbq::auth
