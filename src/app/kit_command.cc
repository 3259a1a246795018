#include "app/kit_command.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>

#include "base/status.h"
#include "config/load.h"
#include "kit/kit.h"

namespace hakobu {
namespace {

struct KitChoices {
  std::string kind;
  std::string out;
  KitOptions options;
  bool force = false;
};

// Others read them: nothing in them is secret.
constexpr mode_t kKitFolderMode = 0755;
constexpr mode_t kKitFileMode = 0644;
constexpr mode_t kKitScriptMode = 0755;

absl::Status WriteKitFile(const std::filesystem::path& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  const mode_t mode = path.extension() == ".sh" ? kKitScriptMode : kKitFileMode;
  if (!file || chmod(path.c_str(), mode) != 0)
    return absl::UnavailableError(fmt::format("write {}", path.string()));
  return absl::OkStatus();
}

absl::StatusOr<int> WriteKit(const GlobalOptions& globals, const KitChoices& choices) {
  // Checked as a whole, but no secret is read.
  HAKOBU_ASSIGN_OR_RETURN(const Config config,
                          LoadConfig(globals.config_path, ProcessEnvironment(), SecretUse::kUnread));
  std::ifstream file(globals.config_path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  HAKOBU_ASSIGN_OR_RETURN(const KitFacts facts, FactsOf(config, text.str(), choices.options));
  const std::vector<KitFile> files = MakeKit(*FromName<KitKind>(choices.kind), facts);
  const std::filesystem::path folder = choices.out;
  std::error_code error;
  for (const KitFile& one : files) {
    if (!std::filesystem::equivalent(folder / one.path, globals.config_path, error)) continue;
    return WithHint(absl::InvalidArgumentError(
                        fmt::format("{} is the configuration that is read", (folder / one.path).string())),
                    "--out names another folder");
  }
  if (!choices.force) {
    for (const KitFile& one : files) {
      if (!std::filesystem::exists(folder / one.path)) continue;
      return WithHint(
          absl::InvalidArgumentError(fmt::format("{} is there already", (folder / one.path).string())),
          "--force writes over it, --out names another folder");
    }
  }
  const bool made = std::filesystem::create_directories(folder, error);
  if (error) return absl::UnavailableError(fmt::format("make {}: {}", folder.string(), error.message()));
  if (made && chmod(folder.c_str(), kKitFolderMode) != 0)
    return absl::UnavailableError(fmt::format("set the mode of {}", folder.string()));
  for (const KitFile& one : files) {
    HAKOBU_RETURN_IF_ERROR(WriteKitFile(folder / one.path, one.text));
    fmt::print("{}\n", (folder / one.path).string());
  }
  return kExitDone;
}

}  // namespace

void RegisterKitCommand(CLI::App& app, CommandLine& line) {
  CLI::App* command = app.add_subcommand(
      "kit", "Write what systemd, Kubernetes, ECS or Terraform need to run the configuration");
  auto choices = std::make_shared<KitChoices>();
  choices->options.version = HAKOBU_VERSION;
  command->add_option("platform", choices->kind, "Where it is to run")
      ->required()
      ->check(CLI::IsMember({"systemd", "kubernetes", "ecs", "terraform"}))
      ->type_name("PLATFORM");
  command->add_option("-o,--out", choices->out, "The folder to write into")->required()->type_name("DIR");
  command->add_option("--name", choices->options.name, "What it is called there (default: the file's name)")
      ->type_name("NAME");
  command
      ->add_option("--start", choices->options.start,
                   "When a run begins, as '02:00 Asia/Tokyo' (default: four hours before the promise)")
      ->type_name("HOUR");
  command->add_option("--image", choices->options.image, "The container image (default: hakobu:VERSION)")
      ->type_name("IMAGE");
  command->add_flag("--force", choices->force, "Write over files that are there");
  command->footer(
      R"(Made from the configuration: schedule, memory, ports, names of secrets, folders, permissions. No secret is in a kit, and
none is read to make it. Each has a README.md with what is left to do.
Examples:
  hakobu -c gyms.yaml kit systemd --out kit/systemd
  hakobu -c gyms.yaml kit kubernetes --out kit/kubernetes --start '01:30 Asia/Tokyo'
)");
  command->callback([&line, choices] {
    line.action = [&line, choices] {
      const absl::StatusOr<int> result = WriteKit(line.options, *choices);
      return result.ok() ? *result : ReportError(result.status());
    };
  });
}

}  // namespace hakobu
