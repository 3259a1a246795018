// Names and addresses of this machine alone.
#pragma once

#include <string_view>

namespace hakobu::localbq::auth {

// "127.0.0.1:9050" -> "127.0.0.1", "[::1]:80" -> "[::1]".
std::string_view HostOf(std::string_view host_and_port);
// 127.0.0.0/8, ::1 in brackets or not, localhost and names under it [RFC 6761, 6.3]. Exactly:
// "127.0.0.1.evil.com" is not.
bool IsLoopback(std::string_view host);
// "http://localhost:9050/x": http or https, nothing before an @.
bool IsLoopbackUrl(std::string_view url);
// Is `url` https on exactly this host, at any path and no port of its own?
bool IsOnHost(std::string_view url, std::string_view host);

}  // namespace hakobu::localbq::auth
