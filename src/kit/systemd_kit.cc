#include <fmt/format.h>

#include "kit/kit.h"

namespace hakobu {
namespace {

std::string EnvironmentExample(const KitFacts& facts) {
  std::string text =
      "# Values of the ${env:…} of the configuration: root's alone, mode 0600, and in no repository.\n";
  for (const std::string& name : facts.references.variables) text += name + "=\n";
  return text;
}

std::string ServiceDropIn(const KitFacts& facts) {
  std::string text = fmt::format("# Of hakobu-run@{0} and hakobu-stream@{0}.\n[Service]\n", facts.name);
  if (!facts.references.variables.empty())
    text += fmt::format("EnvironmentFile=/etc/hakobu/{}.environment\n", facts.name);
  text += fmt::format("MemoryMax={}M\n", 2 * facts.memory_mib);
  if (!facts.ledger_folder.empty()) text += fmt::format("ReadWritePaths={}\n", facts.ledger_folder);
  if (!facts.spool_folder.empty()) text += fmt::format("ReadWritePaths={}\n", facts.spool_folder);
  return text;
}

std::string TimerDropIn(const KitFacts& facts) {
  return fmt::format("[Timer]\nOnCalendar=\nOnCalendar=*-*-* {:02}:{:02}:00 {}\n", facts.start_minute / 60,
                     facts.start_minute % 60, facts.zone);
}

std::string InstallScript(const KitFacts& facts) {
  const std::string& name = facts.name;
  std::string text = fmt::format(
      "#!/bin/sh\n# Puts the kit of {0} in its place, as root. The package brings the units.\nset -eu\n"
      "cd \"$(dirname \"$0\")\"\n"
      "install -D -m 0644 {0}.yaml /etc/hakobu/{0}.yaml\n"
      "install -d -m 0700 /etc/hakobu/{0}.credentials\n",
      name);
  if (!facts.references.variables.empty()) {
    text += fmt::format(
        "if [ ! -e /etc/hakobu/{0}.environment ]; then\n"
        "  install -m 0600 {0}.environment.example /etc/hakobu/{0}.environment\n"
        "  echo 'fill in /etc/hakobu/{0}.environment, then start this once more' >&2\n  exit 1\nfi\n",
        name);
  }
  const auto drop_in = [&](const std::string& unit, const std::string& file) {
    text += fmt::format("install -D -m 0644 {} /etc/systemd/system/{}.d/kit.conf\n", file, unit);
  };
  if (facts.has_runs) {
    drop_in(fmt::format("hakobu-run@{}.service", name), "service.conf");
    drop_in(fmt::format("hakobu-run@{}.timer", name), "timer.conf");
  }
  if (facts.has_stream) drop_in(fmt::format("hakobu-stream@{}.service", name), "service.conf");
  text += "systemctl daemon-reload\n";
  if (facts.has_runs) text += fmt::format("systemctl enable --now hakobu-run@{}.timer\n", name);
  if (facts.has_stream) text += fmt::format("systemctl enable --now hakobu-stream@{}.service\n", name);
  return text;
}

std::string SystemdNotes(const KitFacts& facts) {
  std::string text = fmt::format(
      "# {0} under systemd\n\nWith hakobu's package installed (docs/installing.md): `./install.sh` as "
      "root.\n\n",
      facts.name);
  if (!facts.references.variables.empty())
    text += fmt::format("- `/etc/hakobu/{}.environment` gets the values of the variables.\n", facts.name);
  for (const std::string& file : facts.references.files) {
    text += fmt::format(
        "- `{}` must be readable by the service, whose user exists only while it runs: put it into "
        "`/etc/hakobu/{}.credentials/` and let the configuration say "
        "`${{command:cat \"$CREDENTIALS_DIRECTORY/hakobu_NAME\"}}`.\n",
        file, facts.name);
  }
  if (!facts.google_file.empty()) text += fmt::format("- `{}` must be readable by all.\n", facts.google_file);
  if (facts.has_runs) {
    text += fmt::format("- A run begins every day at {:02}:{:02} {}.\n", facts.start_minute / 60,
                        facts.start_minute % 60, facts.zone);
  }
  return text;
}

}  // namespace

std::vector<KitFile> SystemdKit(const KitFacts& facts) {
  std::vector<KitFile> files = {{facts.name + ".yaml", facts.config_text},
                                {"service.conf", ServiceDropIn(facts)}};
  if (facts.has_runs) files.push_back({"timer.conf", TimerDropIn(facts)});
  if (!facts.references.variables.empty())
    files.push_back({facts.name + ".environment.example", EnvironmentExample(facts)});
  files.push_back({"install.sh", InstallScript(facts)});
  files.push_back({"README.md", SystemdNotes(facts)});
  return files;
}

}  // namespace hakobu
