#include "destination/sigv4.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <algorithm>

#include "destination/http.h"

namespace hakobu {
namespace {

std::string Hex(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return text;
}

std::string Sha256(std::string_view text) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  return digest;
}

std::string Hmac(std::string_view key, std::string_view text) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  unsigned int size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(),
       reinterpret_cast<unsigned char*>(digest.data()), &size);
  return digest;
}

struct UrlParts {
  std::string host;
  std::string path = "/";
  std::string query;  // canonical: pairs sorted, each with '='
};

UrlParts Split(std::string_view url) {
  UrlParts parts;
  url.remove_prefix(url.find("://") + 3);
  const size_t end_of_host = std::min(url.find_first_of("/?"), url.size());
  parts.host = url.substr(0, end_of_host);
  url.remove_prefix(end_of_host);
  const size_t question = url.find('?');
  if (!url.empty() && url[0] == '/') parts.path = url.substr(0, question);
  if (question == std::string_view::npos) return parts;
  std::vector<std::string> pairs;
  std::string_view query = url.substr(question + 1);
  while (!query.empty()) {
    const size_t end = std::min(query.find('&'), query.size());
    std::string pair(query.substr(0, end));
    if (pair.find('=') == std::string::npos) pair += '=';
    pairs.push_back(std::move(pair));
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  std::sort(pairs.begin(), pairs.end());
  for (const std::string& pair : pairs) parts.query += (parts.query.empty() ? "" : "&") + pair;
  return parts;
}

std::string SigningKey(const AwsKeys& keys, std::string_view date, std::string_view region,
                       std::string_view service) {
  return Hmac(Hmac(Hmac(Hmac("AWS4" + keys.secret_access_key, date), region), service), "aws4_request");
}

}  // namespace

HeaderList SignV4(std::string_view method, std::string_view url, std::string_view region,
                  std::string_view service, const AwsKeys& keys, absl::Time now, const HeaderList& extra,
                  std::string_view body) {
  const UrlParts parts = Split(url);
  const std::string stamp = absl::FormatTime("%Y%m%dT%H%M%SZ", now, absl::UTCTimeZone());
  const std::string date = stamp.substr(0, 8);
  HeaderList headers = extra;
  headers.emplace_back("host", parts.host);
  headers.emplace_back("x-amz-date", stamp);
  if (!keys.session_token.empty()) headers.emplace_back("x-amz-security-token", keys.session_token);
  std::sort(headers.begin(), headers.end());
  std::string names;
  std::string lines;
  for (const auto& [name, value] : headers) {
    names += (names.empty() ? "" : ";") + name;
    lines += fmt::format("{}:{}\n", name, value);
  }
  const std::string canonical =
      fmt::format("{}\n{}\n{}\n{}\n{}\n{}", method, parts.path, parts.query, lines, names, Hex(Sha256(body)));
  const std::string scope = fmt::format("{}/{}/{}/aws4_request", date, region, service);
  const std::string to_sign =
      fmt::format("AWS4-HMAC-SHA256\n{}\n{}\n{}", stamp, scope, Hex(Sha256(canonical)));
  const std::string signature = Hex(Hmac(SigningKey(keys, date, region, service), to_sign));
  headers.emplace_back("Authorization",
                       fmt::format("AWS4-HMAC-SHA256 Credential={}/{}, SignedHeaders={}, Signature={}",
                                   keys.access_key_id, scope, names, signature));
  return headers;
}

std::string RdsToken(std::string_view host, uint16_t port, std::string_view user, std::string_view region,
                     const AwsKeys& keys, absl::Time now) {
  constexpr int kLastsSeconds = 900;
  const std::string stamp = absl::FormatTime("%Y%m%dT%H%M%SZ", now, absl::UTCTimeZone());
  const std::string date = stamp.substr(0, 8);
  const std::string scope = fmt::format("{}/{}/rds-db/aws4_request", date, region);
  // In the order of their names, as they are signed.
  std::vector<std::pair<std::string, std::string>> query = {
      {"Action", "connect"},
      {"DBUser", std::string(user)},
      {"X-Amz-Algorithm", "AWS4-HMAC-SHA256"},
      {"X-Amz-Credential", fmt::format("{}/{}", keys.access_key_id, scope)},
      {"X-Amz-Date", stamp},
      {"X-Amz-Expires", fmt::format("{}", kLastsSeconds)}};
  if (!keys.session_token.empty()) query.emplace_back("X-Amz-Security-Token", keys.session_token);
  query.emplace_back("X-Amz-SignedHeaders", "host");
  const std::string pairs = FormEncode(query);
  const std::string place = fmt::format("{}:{}", host, port);
  const std::string canonical = fmt::format("GET\n/\n{}\nhost:{}\n\nhost\n{}", pairs, place, Hex(Sha256("")));
  const std::string to_sign =
      fmt::format("AWS4-HMAC-SHA256\n{}\n{}\n{}", stamp, scope, Hex(Sha256(canonical)));
  return fmt::format("{}/?{}&X-Amz-Signature={}", place, pairs,
                     Hex(Hmac(SigningKey(keys, date, region, "rds-db"), to_sign)));
}

}  // namespace hakobu
