#include "localbq/auth/identities.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <set>
#include <sstream>

#include "absl/strings/ascii.h"
#include "base/status.h"

namespace hakobu::localbq::auth {
namespace {

using nlohmann::json;

bool IsMember(std::string_view text) {
  for (const std::string_view kind : {"user:", "serviceAccount:", "group:", "domain:"}) {
    if (text.starts_with(kind)) return text.size() > kind.size();
  }
  return text.starts_with("principal://") || text.starts_with("principalSet://") ||
         text == "allAuthenticatedUsers" || text == "allUsers";
}

// Reads the document key by key, and goes on after each problem.
class Reader {
 public:
  explicit Reader(std::string path) : path_(std::move(path)) {}

  absl::StatusOr<Identities> Read(std::string_view text) {
    try {
      const YAML::Node root = YAML::Load(std::string(text));
      if (root.IsMap()) {
        ReadRoot(root);
        CheckMetadata(root);
      } else {
        Problem(root, "", "a mapping: service_accounts, users, groups, projects …", Shown(root));
      }
    } catch (const YAML::Exception& error) {
      problems_.push_back(fmt::format("{}:{}:{}: expected YAML or JSON: {}", path_, error.mark.line + 1,
                                      error.mark.column + 1, error.msg));
    }
    if (problems_.empty()) return std::move(result_);
    std::string all;
    for (const std::string& problem : problems_) all += (all.empty() ? "" : "\n") + problem;
    return absl::InvalidArgumentError(all);
  }

 private:
  using Visit = std::function<void(const std::string& key, const YAML::Node& value, const std::string& path)>;

  void Problem(const YAML::Node& node, const std::string& key, std::string_view expected,
               std::string_view found) {
    ProblemAt(node.Mark(), key, expected, found);
  }
  void ProblemAt(const YAML::Mark& mark, const std::string& key, std::string_view expected,
                 std::string_view found) {
    problems_.push_back(fmt::format("{}:{}:{}: {}{}expected {}, found {}", path_, mark.line + 1,
                                    mark.column + 1, key, key.empty() ? "" : ": ", expected, found));
  }
  // Never a value that may be a secret.
  static std::string Shown(const YAML::Node& node) {
    if (node.IsMap()) return "a mapping";
    if (node.IsSequence()) return "a list";
    return node.IsNull() || !node.IsDefined() ? "nothing" : "another value";
  }
  void EachKey(const YAML::Node& map, const std::string& path, const Visit& visit) {
    if (map.IsNull()) return;
    if (!map.IsMap()) return Problem(map, path, "a mapping", Shown(map));
    std::set<std::string> seen;
    for (const auto& pair : map) {
      if (!pair.first.IsScalar()) {
        Problem(pair.first, path, "names as keys", Shown(pair.first));
        continue;
      }
      const std::string key = pair.first.Scalar(), whole = path.empty() ? key : path + "." + key;
      if (!seen.insert(key).second) Problem(pair.first, whole, "each key once", "it again");
      key_mark_ = pair.first.Mark();
      visit(key, pair.second, whole);
    }
  }
  void Unknown(const YAML::Node& node, const std::string& path, std::string_view known) {
    Problem(node, path, fmt::format("one of {}", known), "another key");
  }
  std::string Text(const YAML::Node& node, const std::string& path) {
    if (node.IsScalar() && !node.Scalar().empty()) return node.Scalar();
    Problem(node, path, "a text", Shown(node));
    return {};
  }
  std::vector<std::string> Texts(const YAML::Node& node, const std::string& path) {
    std::vector<std::string> texts;
    if (node.IsScalar()) return {Text(node, path)};
    if (!node.IsSequence()) {
      if (!node.IsNull()) Problem(node, path, "a list of texts", Shown(node));
      return texts;
    }
    for (size_t i = 0; i < node.size(); ++i) {
      std::string text = Text(node[i], fmt::format("{}[{}]", path, i));
      if (!text.empty()) texts.push_back(std::move(text));
    }
    return texts;
  }
  std::vector<std::string> Members(const YAML::Node& node, const std::string& path) {
    std::vector<std::string> members = Texts(node, path);
    for (const std::string& member : members) {
      if (IsMember(member)) continue;
      Problem(node, path,
              "members as user:…, serviceAccount:…, group:…, domain:…, principal://… or "
              "allAuthenticatedUsers",
              member);
    }
    return members;
  }
  // Of the key that is being visited.
  std::string Email(const std::string& key, const std::string& path) {
    if (key.find('@') == std::string::npos || key.find(':') != std::string::npos)
      ProblemAt(key_mark_, path, "an e-mail address as the key", key);
    return absl::AsciiStrToLower(key);
  }
  std::vector<std::string> Tokens(const YAML::Node& node, const std::string& path) {
    std::vector<std::string> tokens = Texts(node, path);
    for (const std::string& token : tokens) {
      if (!tokens_.insert(token).second) Problem(node, path, "every token once in the file", "one again");
    }
    return tokens;
  }
  std::string FileText(const YAML::Node& node, const std::string& path) {
    const std::string name = Text(node, path);
    if (name.empty()) return {};
    const std::filesystem::path whole = std::filesystem::path(path_).parent_path() / name;
    std::ifstream file(whole, std::ios::binary);
    std::stringstream text;
    if (!file || !(text << file.rdbuf())) {
      Problem(node, path, "a file that can be read", whole.string());
      return {};
    }
    return text.str();
  }
  void AddKey(const YAML::Node& node, const std::string& path, std::string_view pem, std::string id,
              std::vector<VerifyKey>* keys) {
    const absl::StatusOr<RsaKey> key = ReadRsaKey(pem);
    if (key.ok()) {
      keys->push_back({std::move(id), *key});
    } else {
      Problem(node, path, "an RSA key or certificate in PEM form", "something else");
    }
  }
  // A key file as Google's console writes it.
  void AddKeyFile(const YAML::Node& node, const std::string& path, const std::string& email,
                  ServiceAccount* account) {
    const std::string text = FileText(node, path);
    if (text.empty()) return;
    const json file = json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (!file.is_object() || !file.contains("private_key") || !file["private_key"].is_string())
      return Problem(node, path, "a service account's key file", "another file");
    if (const std::string owner = file.value("client_email", ""); absl::AsciiStrToLower(owner) != email)
      Problem(node, path, fmt::format("a key of {}", email), fmt::format("one of {}", owner));
    AddKey(node, path, file["private_key"].get_ref<const std::string&>(), file.value("private_key_id", ""),
           &account->keys);
  }
  void ReadServiceAccount(const std::string& key, const YAML::Node& node, const std::string& path) {
    const std::string email = Email(key, path);
    ServiceAccount account;
    std::string key_id;
    if (node.IsMap() && node["key_id"]) key_id = Text(node["key_id"], path + ".key_id");
    EachKey(node, path, [&](const std::string& name, const YAML::Node& value, const std::string& at) {
      if (name == "public_key") {
        AddKey(value, at, Text(value, at), key_id, &account.keys);
      } else if (name == "public_key_file") {
        if (const std::string pem = FileText(value, at); !pem.empty())
          AddKey(value, at, pem, key_id, &account.keys);
      } else if (name == "key_file") {
        AddKeyFile(value, at, email, &account);
      } else if (name == "tokens") {
        account.tokens = Tokens(value, at);
      } else if (name == "token_creators") {
        account.token_creators = Members(value, at);
      } else if (name != "key_id") {
        Unknown(value, at, "public_key, public_key_file, key_file, key_id, tokens, token_creators");
      }
    });
    result_.service_accounts[email] = std::move(account);
  }
  void ReadUser(const std::string& key, const YAML::Node& node, const std::string& path) {
    const std::string email = Email(key, path);
    User user;
    EachKey(node, path, [&](const std::string& name, const YAML::Node& value, const std::string& at) {
      if (name == "tokens") {
        user.tokens = Tokens(value, at);
      } else if (name == "refresh_tokens") {
        user.refresh_tokens = Tokens(value, at);
      } else {
        Unknown(value, at, "tokens, refresh_tokens");
      }
    });
    result_.users[email] = std::move(user);
  }
  void ReadJwks(const YAML::Node& node, const std::string& path, const std::string& text,
                Provider* provider) {
    if (text.empty()) return;
    const json keys = json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (!keys.is_object() || !keys.contains("keys") || !keys["keys"].is_array())
      return Problem(node, path, R"(a JSON Web Key Set: {"keys": […]})", "something else");
    for (const json& key : keys["keys"]) {
      if (!key.is_object()) continue;
      absl::StatusOr<RsaKey> read = RsaKeyFromJwk(key.value("n", ""), key.value("e", ""));
      if (read.ok()) {
        provider->keys.push_back({key.value("kid", ""), *std::move(read)});
      } else {
        Problem(node, path, "RSA keys with n and e", "another key");
      }
    }
  }
  void ReadAws(const YAML::Node& node, const std::string& path, Provider* provider) {
    AwsRole role;
    EachKey(node, path, [&](const std::string& name, const YAML::Node& value, const std::string& at) {
      std::string* const field = name == "access_key_id"       ? &role.access_key_id
                                 : name == "secret_access_key" ? &role.secret_access_key
                                 : name == "session_token"     ? &role.session_token
                                 : name == "arn"               ? &role.arn
                                                               : nullptr;
      if (field == nullptr) return Unknown(value, at, "access_key_id, secret_access_key, session_token, arn");
      *field = Text(value, at);
    });
    for (const auto& [name, value] :
         {std::pair("access_key_id", &role.access_key_id),
          std::pair("secret_access_key", &role.secret_access_key), std::pair("arn", &role.arn)}) {
      if (value->empty()) Problem(node, fmt::format("{}.{}", path, name), "a text", "nothing");
    }
    provider->aws = std::move(role);
  }
  void ReadProvider(const std::string& key, const YAML::Node& node, const std::string& path) {
    if (!key.starts_with("//iam.googleapis.com/") || key.find("/providers/") == std::string::npos) {
      Problem(node, path,
              "a provider's name as the key: //iam.googleapis.com/projects/NUMBER/locations/global/"
              "workloadIdentityPools/POOL/providers/PROVIDER",
              key);
    }
    Provider provider;
    EachKey(node, path, [&](const std::string& name, const YAML::Node& value, const std::string& at) {
      if (name == "aws") {
        ReadAws(value, at, &provider);
      } else if (name == "issuer") {
        provider.issuer = Text(value, at);
      } else if (name == "audiences") {
        provider.audiences = Texts(value, at);
      } else if (name == "jwks") {
        ReadJwks(value, at, Text(value, at), &provider);
      } else if (name == "jwks_file") {
        ReadJwks(value, at, FileText(value, at), &provider);
      } else if (name == "public_key") {
        AddKey(value, at, Text(value, at), "", &provider.keys);
      } else if (name == "principal") {
        provider.principal = Text(value, at);
      } else {
        Unknown(value, at, "aws, issuer, audiences, jwks, jwks_file, public_key, principal");
      }
    });
    if (!provider.aws && (provider.issuer.empty() || provider.keys.empty()))
      Problem(node, path, "aws, or issuer and keys (jwks, jwks_file or public_key)", "neither");
    result_.federation[key] = std::move(provider);
  }
  void ReadProject(const std::string& project, const YAML::Node& node, const std::string& path) {
    EachKey(node, path, [&](const std::string& role, const YAML::Node& value, const std::string& at) {
      if (!role.starts_with("roles/") && !role.starts_with("projects/"))
        Problem(value, at, "roles as keys: roles/owner, roles/bigquery.jobUser …", role);
      roles_.emplace_back(
          role, fmt::format("{}:{}:{}: {}", path_, value.Mark().line + 1, value.Mark().column + 1, at));
      result_.projects[project][role] = Members(value, at);
    });
  }
  void ReadMetadata(const YAML::Node& node, const std::string& path) {
    EachKey(node, path, [&](const std::string& name, const YAML::Node& value, const std::string& at) {
      if (name == "account") {
        result_.metadata_account = absl::AsciiStrToLower(Text(value, at));
      } else if (name == "project") {
        result_.metadata_project = Text(value, at);
      } else {
        Unknown(value, at, "account, project");
      }
    });
  }
  void ReadOAuthClient(const YAML::Node& node, const std::string& path) {
    EachKey(node, path, [&](const std::string& name, const YAML::Node& value, const std::string& at) {
      if (name == "id") {
        result_.client_id = Text(value, at);
      } else if (name == "secret") {
        result_.client_secret = Text(value, at);
      } else {
        Unknown(value, at, "id, secret");
      }
    });
  }
  void ReadRoot(const YAML::Node& root) {
    using Each = void (Reader::*)(const std::string&, const YAML::Node&, const std::string&);
    const auto all = [this](const YAML::Node& node, const std::string& path, Each each) {
      EachKey(node, path, [&](const std::string& key, const YAML::Node& value, const std::string& at) {
        (this->*each)(key, value, at);
      });
    };
    EachKey(root, "", [&](const std::string& key, const YAML::Node& value, const std::string& path) {
      if (key == "service_accounts") {
        all(value, path, &Reader::ReadServiceAccount);
      } else if (key == "users") {
        all(value, path, &Reader::ReadUser);
      } else if (key == "groups") {
        EachKey(value, path, [&](const std::string& group, const YAML::Node& node, const std::string& at) {
          result_.groups[Email(group, at)] = Members(node, at);
        });
      } else if (key == "projects") {
        all(value, path, &Reader::ReadProject);
      } else if (key == "roles") {
        EachKey(value, path, [&](const std::string& role, const YAML::Node& node, const std::string& at) {
          result_.roles[role] = Texts(node, at);
        });
      } else if (key == "federation") {
        all(value, path, &Reader::ReadProvider);
      } else if (key == "metadata") {
        ReadMetadata(value, path);
      } else if (key == "oauth_client") {
        ReadOAuthClient(value, path);
      } else if (key == "token_lifetime_seconds") {
        ReadLifetime(value, path);
      } else {
        Unknown(value, path,
                "service_accounts, users, groups, projects, roles, federation, metadata, oauth_client, "
                "token_lifetime_seconds");
      }
    });
    for (const auto& [role, place] : roles_) {
      if (!IsKnownRole(role, result_.roles))
        problems_.push_back(
            fmt::format("{}: expected a role of BigQuery, a basic one or one under roles:, "
                        "found {}",
                        place, role));
    }
  }
  void ReadLifetime(const YAML::Node& node, const std::string& path) {
    int seconds = 0;
    if (node.IsScalar() && YAML::convert<int>::decode(node, seconds) && seconds >= 1 && seconds <= 43'200) {
      result_.token_lifetime_seconds = seconds;
    } else {
      Problem(node, path, "1 to 43200 seconds", Shown(node));
    }
  }
  void CheckMetadata(const YAML::Node& root) {
    const std::string& account = result_.metadata_account;
    if (!account.empty() && !result_.service_accounts.contains(account))
      Problem(root["metadata"], "metadata.account", "one of service_accounts", account);
  }

  const std::string path_;
  YAML::Mark key_mark_;
  Identities result_;
  std::vector<std::string> problems_;
  std::set<std::string> tokens_;
  std::vector<std::pair<std::string, std::string>> roles_;  // with where they are
};

}  // namespace

absl::StatusOr<Identities> ParseIdentities(std::string_view text, const std::string& path) {
  return Reader(path).Read(text);
}

absl::StatusOr<Identities> LoadIdentities(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  if (!file || !(text << file.rdbuf())) {
    return WithHint(
        absl::InvalidArgumentError(fmt::format("read {}: no such file, or it cannot be read", path)),
        "--auth names the file of identities; docs/local-bigquery.md shows one");
  }
  return ParseIdentities(text.str(), path);
}

}  // namespace hakobu::localbq::auth
