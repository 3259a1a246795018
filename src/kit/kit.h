// What a platform needs to run a configuration: files made from it, for systemd, Kubernetes, ECS and
// Terraform. Pure. No file holds a secret: a configuration has none, and what it refers to stays where it is.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "kit/references.h"

namespace hakobu {

enum class KitKind : uint8_t { kSystemd, kKubernetes, kEcs, kTerraform };
inline constexpr std::string_view kKitKindNames[] = {"systemd", "kubernetes", "ecs", "terraform"};
constexpr std::span<const std::string_view> NamesOf(KitKind) {
  return kKitKindNames;
}

struct KitFile {
  std::string path;  // below the kit's folder
  std::string text;
};

// What the kits are made of.
struct KitFacts {
  std::string name;  // "gyms": lower-case letters, digits and -, as every platform takes it
  std::string image;
  std::string config_text;
  ConfigReferences references;
  bool has_runs = false;
  bool has_stream = false;
  int start_minute = 0;            // of the day, in `zone`
  std::string zone;                // IANA
  std::optional<uint16_t> port;    // of stream.listen
  bool is_port_reachable = false;  // from outside of the container: not on loopback
  uint32_t memory_mib = 0;
  std::string ledger_folder;  // absolute; empty: below the working folder
  std::string spool_folder;   // empty: none
  DestinationConfig destination;
  std::string google_file;  // credentials.file
};

struct KitOptions {
  std::string name;   // empty: the file's
  std::string start;  // "02:00 Asia/Tokyo"; empty: four hours before the promise, or 02:00 UTC
  std::string image;  // empty: hakobu:VERSION
  std::string version;
};

// InvalidArgument for a name or an hour that cannot be one.
absl::StatusOr<KitFacts> FactsOf(const Config& config, std::string_view config_text,
                                 const KitOptions& options);

std::vector<KitFile> MakeKit(KitKind kind, const KitFacts& facts);
std::vector<KitFile> SystemdKit(const KitFacts& facts);
std::vector<KitFile> KubernetesKit(const KitFacts& facts);
std::vector<KitFile> EcsKit(const KitFacts& facts);
std::vector<KitFile> TerraformKit(const KitFacts& facts);

// The one container of a task, as ECS' JSON has it; also part of Terraform's.
std::string EcsContainerJson(const KitFacts& facts, std::string_view command);
// What stands for the account in ECS' files.
inline constexpr std::string_view kAccount = "ACCOUNT_ID";
inline constexpr std::string_view kRegion = "AWS_REGION";

// Where a container has the configuration and, as its working folder, the ledger.
inline constexpr std::string_view kContainerConfig = "/etc/hakobu/hakobu.yaml";
inline constexpr std::string_view kContainerHome = "/var/lib/hakobu";
inline constexpr int kContainerUser = 65532;  // as the image's
// Between SIGTERM and the end: hakobu needs 8 s at the most; a chunk on its way is finished first.
inline constexpr int kStopSeconds = 120;

}  // namespace hakobu
