#include "kit/kit.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "base/address.h"
#include "base/status.h"
#include "config/budget.h"

namespace hakobu {
namespace {

constexpr int kMinutesOfDay = 24 * 60;
constexpr int kBeforePromise = 4 * 60;
constexpr int kDefaultStart = 2 * 60;
constexpr size_t kLongestName = 40;  // platforms add to it, up to 63
// Code, libraries and buffers beside what `memory` counts, as measured for runs and streams.
constexpr uint32_t kBaseMib = 192;
constexpr uint32_t kMibStep = 256;

std::string NameFrom(const std::string& path) {
  std::string name;
  for (const unsigned char c : std::filesystem::path(path).stem().string())
    name += std::isalnum(c) != 0 ? static_cast<char>(std::tolower(c)) : '-';
  return name;
}

bool IsKitName(std::string_view name) {
  const auto fits = [](unsigned char c) { return std::islower(c) != 0 || std::isdigit(c) != 0 || c == '-'; };
  return !name.empty() && name.size() <= kLongestName &&
         std::islower(static_cast<unsigned char>(name[0])) != 0 && name.back() != '-' &&
         std::all_of(name.begin(), name.end(), fits);
}

absl::Status SetStart(const Config& config, const std::string& start, KitFacts* facts) {
  if (!start.empty()) {
    const std::optional<DailyHour> hour = ParseDailyHour(start);
    if (!hour) {
      return absl::InvalidArgumentError(fmt::format(
          "--start: expected an hour of the day and a zone, such as '02:00 Asia/Tokyo', found '{}'", start));
    }
    facts->start_minute = hour->minute;
    facts->zone = hour->zone_name;
  } else if (const std::optional<DailyHour> promise = ParseDailyHour(config.promise)) {
    facts->start_minute = (promise->minute - kBeforePromise + kMinutesOfDay) % kMinutesOfDay;
    facts->zone = promise->zone_name;
  } else {
    facts->start_minute = kDefaultStart;
    facts->zone = "UTC";
  }
  return absl::OkStatus();
}

uint32_t MemoryMib(const Config& config, bool streams) {
  const uint64_t rows = streams ? config.stream.memory : config.limits.memory;
  const uint64_t needed = kBaseMib + 2 * (rows >> 20);
  return static_cast<uint32_t>((needed + kMibStep - 1) / kMibStep * kMibStep);
}

}  // namespace

absl::StatusOr<KitFacts> FactsOf(const Config& config, std::string_view config_text,
                                 const KitOptions& options) {
  KitFacts facts;
  facts.name = options.name.empty() ? NameFrom(config.path) : options.name;
  if (!IsKitName(facts.name)) {
    return WithHint(absl::InvalidArgumentError(fmt::format(
                        "expected a name of at most {} lower-case letters, digits and -, found '{}'",
                        kLongestName, facts.name)),
                    "--name gives another than the file's");
  }
  facts.image = options.image.empty() ? "hakobu:" + options.version : options.image;
  facts.config_text = config_text;
  facts.references = ReferencesOf(config_text);
  for (const TableRule& rule : config.tables) {
    facts.has_stream |= rule.options.mode == TableMode::kStream;
    facts.has_runs |= rule.options.mode != TableMode::kStream;
  }
  HAKOBU_RETURN_IF_ERROR(SetStart(config, options.start, &facts));
  if (const absl::StatusOr<Address> listen = ParseAddress("http://" + config.stream.listen);
      !config.stream.listen.empty() && listen.ok()) {
    facts.port = listen->port;
    facts.is_port_reachable = !IsLoopback(listen->host);
  }
  facts.memory_mib =
      std::max(facts.has_runs ? MemoryMib(config, false) : 0, facts.has_stream ? MemoryMib(config, true) : 0);
  const std::filesystem::path ledger = config.ledger;
  if (ledger.is_absolute()) facts.ledger_folder = ledger.parent_path().string();
  facts.spool_folder = config.stream.spool.folder;
  facts.destination = config.destination;
  facts.google_file = config.destination.credentials.file;
  return facts;
}

std::vector<KitFile> MakeKit(KitKind kind, const KitFacts& facts) {
  switch (kind) {
    case KitKind::kSystemd:
      return SystemdKit(facts);
    case KitKind::kKubernetes:
      return KubernetesKit(facts);
    case KitKind::kEcs:
      return EcsKit(facts);
    case KitKind::kTerraform:
      return TerraformKit(facts);
  }
  return {};
}

}  // namespace hakobu
