#include "localbq/auth/aws_request.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "base/status.h"

namespace hakobu::localbq::auth {
namespace {

using nlohmann::json;
using Headers = std::map<std::string, std::string>;  // names in lower case

constexpr absl::Duration kGoodFor = absl::Minutes(15);
constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256 ";

std::string Hmac(std::string_view key, std::string_view text) {
  std::string digest(EVP_MAX_MD_SIZE, '\0');
  unsigned int size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(),
       reinterpret_cast<unsigned char*>(digest.data()), &size);
  digest.resize(size);
  return digest;
}

std::string HexDigest(std::string_view text) {
  std::string digest(EVP_MAX_MD_SIZE, '\0');
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), reinterpret_cast<unsigned char*>(digest.data()), &size, EVP_sha256(),
             nullptr);
  return absl::BytesToHexString(absl::string_view(digest.data(), size));
}

std::string PercentDecoded(std::string_view text) {
  std::string decoded;
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '%' && at + 2 < text.size() && std::isxdigit(static_cast<unsigned char>(text[at + 1])) &&
        std::isxdigit(static_cast<unsigned char>(text[at + 2]))) {
      decoded += absl::HexStringToBytes(View(text.substr(at + 1, 2)));
      at += 2;
    } else {
      decoded += text[at];
    }
  }
  return decoded;
}

std::vector<std::string> Split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (true) {
    const size_t end = std::min(text.find(separator), text.size());
    parts.emplace_back(text.substr(0, end));
    if (end == text.size()) return parts;
    text.remove_prefix(end + 1);
  }
}

absl::Status Wrong(std::string_view what) {
  return absl::InvalidArgumentError(fmt::format("Invalid AWS subject token: {}", what));
}

struct Signature {
  std::string key_id, date, region, scope, signed_headers, value;
};

absl::StatusOr<Signature> ReadSignature(std::string_view header) {
  if (!header.starts_with(kAlgorithm)) return Wrong("expected a Signature Version 4 in Authorization");
  header.remove_prefix(kAlgorithm.size());
  Signature signature;
  for (std::string part : Split(header, ',')) {
    part.erase(0, part.find_first_not_of(' '));
    const size_t equals = part.find('=');
    const std::string name = part.substr(0, equals);
    const std::string value = equals == std::string::npos ? "" : part.substr(equals + 1);
    if (name == "SignedHeaders") signature.signed_headers = value;
    if (name == "Signature") signature.value = value;
    if (name != "Credential") continue;
    const std::vector<std::string> credential = Split(value, '/');
    if (credential.size() != 5 || credential[3] != "sts" || credential[4] != "aws4_request")
      return Wrong("expected a credential of the service sts");
    signature.key_id = credential[0];
    signature.date = credential[1];
    signature.region = credential[2];
    signature.scope = value.substr(credential[0].size() + 1);
  }
  if (signature.key_id.empty() || signature.value.empty()) return Wrong("the signature is not complete");
  return signature;
}

struct Target {
  std::string host, query;  // the query canonical: sorted
};

absl::StatusOr<Target> ReadUrl(std::string_view url) {
  constexpr std::string_view kScheme = "https://";
  if (!url.starts_with(kScheme)) return Wrong("expected an https url");
  url.remove_prefix(kScheme.size());
  Target target;
  target.host = url.substr(0, std::min(url.find_first_of("/?"), url.size()));
  const size_t question = url.find('?');
  if (question == std::string_view::npos) return Wrong("expected Action=GetCallerIdentity in the url");
  const std::string_view path = url.substr(target.host.size(), question - target.host.size());
  std::vector<std::string> pairs = Split(url.substr(question + 1), '&');
  std::ranges::sort(pairs);
  for (const std::string& pair : pairs) target.query += (target.query.empty() ? "" : "&") + pair;
  const bool is_sts = target.host.starts_with("sts.") && target.host.ends_with(".amazonaws.com");
  if (!is_sts || (path != "" && path != "/")) return Wrong("the url is not of AWS's security token service");
  if (target.query != "Action=GetCallerIdentity&Version=2011-06-15")
    return Wrong("expected Action=GetCallerIdentity&Version=2011-06-15 in the url");
  return target;
}

std::string ExpectedSignature(const Signature& given, const Target& target, const Headers& headers,
                              const AwsRole& role) {
  std::string lines;
  for (const std::string& name : Split(given.signed_headers, ';')) {
    const auto found = headers.find(name);
    lines += fmt::format("{}:{}\n", name, found == headers.end() ? "" : found->second);
  }
  const std::string canonical =
      fmt::format("POST\n/\n{}\n{}\n{}\n{}", target.query, lines, given.signed_headers, HexDigest(""));
  const auto date = headers.find("x-amz-date");
  const std::string to_sign =
      fmt::format("AWS4-HMAC-SHA256\n{}\n{}\n{}", date == headers.end() ? "" : date->second, given.scope,
                  HexDigest(canonical));
  const std::string key = Hmac(
      Hmac(Hmac(Hmac("AWS4" + role.secret_access_key, given.date), given.region), "sts"), "aws4_request");
  return absl::BytesToHexString(Hmac(key, to_sign));
}

absl::Status CheckDate(const Headers& headers, const Signature& signature, absl::Time now) {
  const auto date = headers.find("x-amz-date");
  absl::Time time;
  std::string error;
  if (date == headers.end() ||
      !absl::ParseTime("%E4Y%m%dT%H%M%SZ", View(std::string_view(date->second)), &time, &error) ||
      !date->second.starts_with(signature.date)) {
    return Wrong("expected x-amz-date, of the credential's day");
  }
  if (time > now + kGoodFor || time < now - kGoodFor) return Wrong("the signature has expired");
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckCallerIdentityRequest(std::string_view subject_token, std::string_view audience,
                                        const AwsRole& role, absl::Time now) {
  const json request = json::parse(PercentDecoded(subject_token), nullptr, /*allow_exceptions=*/false);
  if (!request.is_object() || !request.contains("headers") || !request["headers"].is_array() ||
      !request.contains("url") || !request["url"].is_string()) {
    return Wrong("expected percent-encoded JSON with url, method and headers");
  }
  if (!request.contains("method") || request["method"] != "POST") return Wrong("expected the method POST");
  Headers headers;
  for (const json& header : request["headers"]) {
    if (!header.is_object() || !header.contains("key") || !header["key"].is_string() ||
        !header.contains("value") || !header["value"].is_string())
      return Wrong("expected headers of key and value");
    headers[absl::AsciiStrToLower(header["key"].get_ref<const std::string&>())] = header["value"];
  }
  HAKOBU_ASSIGN_OR_RETURN(const Target target, ReadUrl(request["url"].get_ref<const std::string&>()));
  HAKOBU_ASSIGN_OR_RETURN(const Signature signature, ReadSignature(headers["authorization"]));
  if (headers["host"] != target.host) return Wrong("the host header is not the url's");
  if (headers["x-goog-cloud-target-resource"] != audience)
    return Wrong("x-goog-cloud-target-resource is not the audience");
  if (signature.key_id != role.access_key_id) return Wrong("the access key is not known");
  if (headers["x-amz-security-token"] != role.session_token)
    return Wrong("the session token does not belong to the access key");
  HAKOBU_RETURN_IF_ERROR(CheckDate(headers, signature, now));
  if (ExpectedSignature(signature, target, headers, role) != signature.value)
    return Wrong("the signature does not match");
  return absl::OkStatus();
}

}  // namespace hakobu::localbq::auth
