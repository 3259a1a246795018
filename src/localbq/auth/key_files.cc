// Credential files whose addresses are this server's, for those who test with Google's clients.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/status.h"
#include "localbq/auth/authority.h"

namespace hakobu::localbq::auth {
namespace {

using nlohmann::json;

absl::Status WriteSecret(const std::string& path, const json& document) {
  const std::string text = document.dump(2) + "\n";
  const std::string part = path + ".part";
  ::unlink(part.c_str());
  const int file = ::open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  bool written = file >= 0;
  for (size_t done = 0; written && done < text.size();) {
    const ssize_t count = ::write(file, text.data() + done, text.size() - done);
    written = count > 0;
    done += written ? static_cast<size_t>(count) : 0;
  }
  if (file >= 0) ::close(file);
  if (!written || ::rename(part.c_str(), path.c_str()) != 0)
    return absl::UnavailableError(fmt::format("write the key file {}: {}", path, std::strerror(errno)));
  return absl::OkStatus();
}

std::string ProjectOf(const std::string& email) {
  const size_t at = email.find('@'), dot = email.find('.', at);
  return at == std::string::npos ? "" : email.substr(at + 1, dot == std::string::npos ? dot : dot - at - 1);
}

}  // namespace

absl::Status Authority::WriteKeyFiles(const std::string& folder, const std::string& url) const {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error)
    return absl::InvalidArgumentError(fmt::format("make the folder {}: {}", folder, error.message()));
  for (const auto& [email, account] : identities_.service_accounts) {
    if (!account.own_key) continue;
    HAKOBU_RETURN_IF_ERROR(WriteSecret(fmt::format("{}/{}.json", folder, email),
                                       {{"type", "service_account"},
                                        {"project_id", ProjectOf(email)},
                                        {"private_key_id", account.own_key_id},
                                        {"private_key", PrivatePem(account.own_key)},
                                        {"client_email", email},
                                        {"client_id", "100000000000000000000"},
                                        {"auth_uri", "https://accounts.google.com/o/oauth2/auth"},
                                        {"token_uri", url + "/token"},
                                        {"universe_domain", "googleapis.com"}}));
  }
  for (const auto& [email, user] : identities_.users) {
    if (user.refresh_tokens.empty()) continue;
    HAKOBU_RETURN_IF_ERROR(
        WriteSecret(fmt::format("{}/{}.json", folder, email), {{"type", "authorized_user"},
                                                               {"client_id", identities_.client_id},
                                                               {"client_secret", identities_.client_secret},
                                                               {"refresh_token", user.refresh_tokens.front()},
                                                               {"token_uri", url + "/token"},
                                                               {"universe_domain", "googleapis.com"}}));
  }
  return absl::OkStatus();
}

}  // namespace hakobu::localbq::auth
