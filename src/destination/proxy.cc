#include "destination/proxy.h"

#include <cstdlib>

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"
#include "base/address.h"
#include "base/status.h"

namespace hakobu {
namespace {

std::string FirstOf(const ReadVariable& environment, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    if (const auto value = environment(name)) return *value;
  }
  return "";
}

// "example.com", ".example.com", "example.com:443" and "*", as curl reads them.
bool IsExcepted(std::string_view host, const std::string& list) {
  for (absl::string_view item : absl::StrSplit(list, absl::ByAnyChar(", "), absl::SkipEmpty())) {
    if (item == "*") return true;
    std::string name = absl::AsciiStrToLower(item.substr(0, item.find(':')));
    if (name.starts_with("*")) name.erase(0, 1);
    if (name.starts_with(".")) name.erase(0, 1);
    if (name.empty() || !host.ends_with(name)) continue;
    if (host.size() == name.size() || host[host.size() - name.size() - 1] == '.') return true;
  }
  return false;
}

}  // namespace

std::optional<std::string> EnvironmentVariable(std::string_view name) {
  const char* value = std::getenv(std::string(name).c_str());
  if (value == nullptr || *value == 0) return std::nullopt;
  return std::string(value);
}

std::string ProxyFor(std::string_view host, std::string_view configured, const ReadVariable& environment) {
  if (IsLoopback(host) || IsLinkLocal(host)) return "";
  std::string proxy(configured);
  if (proxy.empty()) proxy = FirstOf(environment, {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"});
  if (proxy.empty() || IsExcepted(host, FirstOf(environment, {"no_proxy", "NO_PROXY"}))) return "";
  return proxy.find("://") == std::string::npos ? "http://" + proxy : proxy;
}

}  // namespace hakobu
