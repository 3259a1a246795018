// Which proxy leads to a host: one answer for REST, tokens and gRPC.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace hakobu {

using ReadVariable = std::function<std::optional<std::string>(std::string_view name)>;
std::optional<std::string> EnvironmentVariable(std::string_view name);  // absent when empty

// "http://proxy:3128", or empty: none. `configured` beats https_proxy, HTTPS_PROXY, all_proxy and ALL_PROXY;
// no_proxy and NO_PROXY (names with the names below them, or *) except a host from either; this machine and
// its link are never behind one.
std::string ProxyFor(std::string_view host, std::string_view configured, const ReadVariable& environment);

}  // namespace hakobu
