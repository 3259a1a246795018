#include <fmt/format.h>

#include "kit/kit.h"

namespace hakobu {
namespace {

std::string Indented(std::string_view text, int spaces) {
  std::string result;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    if (!line.empty()) result += std::string(static_cast<size_t>(spaces), ' ') + std::string(line);
    result += '\n';
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return result;
}

// A secret's key for a file: its path, as far as keys go.
std::string KeyOf(const std::string& path) {
  std::string key;
  for (const char c : path) key += c == '/' ? '-' : c;
  return key.starts_with('-') ? key.substr(1) : key;
}

std::vector<std::string> SecretFiles(const KitFacts& facts) {
  std::vector<std::string> files = facts.references.files;
  if (!facts.google_file.empty()) files.push_back(facts.google_file);
  return files;
}

std::string LedgerFolder(const KitFacts& facts) {
  return facts.ledger_folder.empty() ? std::string(kContainerHome) : facts.ledger_folder;
}

std::string ConfigMap(const KitFacts& facts) {
  return fmt::format(
      "# The configuration; it holds no secret.\n"
      "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: hakobu-{0}\n  labels:\n    "
      "app.kubernetes.io/name: hakobu\n"
      "    app.kubernetes.io/instance: {0}\ndata:\n  hakobu.yaml: |\n{1}",
      facts.name, Indented(facts.config_text, 4));
}

std::string Claim(const KitFacts& facts) {
  return fmt::format(
      "# The ledger: what has been delivered. It outlives pods, and one node has it at a time.\n"
      "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata:\n  name: hakobu-{0}\nspec:\n  accessModes:\n"
      "    - {2}\n  resources:\n    requests:\n      storage: {1}\n",
      facts.name, facts.spool_folder.empty() ? "1Gi" : "20Gi",
      facts.has_runs && facts.has_stream ? "ReadWriteOnce" : "ReadWriteOncePod");
}

std::string Account(const KitFacts& facts) {
  return fmt::format(
      "# With GKE's Workload Identity, annotate it with iam.gke.io/gcp-service-account; elsewhere the "
      "configuration's\n"
      "# credentials.file is a workload identity federation file, mounted below.\n"
      "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: hakobu-{}\n",
      facts.name);
}

std::string Environment(const KitFacts& facts) {
  std::string text;
  for (const std::string& name : facts.references.variables) {
    text += fmt::format(
        "{0}- name: {1}\n  valueFrom:\n    secretKeyRef:\n      name: hakobu-{2}\n      key: {1}\n",
        text.empty() ? "env:\n" : "", name, facts.name);
  }
  return text;
}

std::string Mounts(const KitFacts& facts) {
  std::string text = fmt::format(
      "volumeMounts:\n- name: config\n  mountPath: {}\n  subPath: hakobu.yaml\n  readOnly: true\n- name: "
      "ledger\n"
      "  mountPath: {}\n- name: tmp\n  mountPath: /tmp\n",
      kContainerConfig, LedgerFolder(facts));
  if (!facts.spool_folder.empty())
    text += fmt::format("- name: ledger\n  mountPath: {}\n  subPath: spool\n", facts.spool_folder);
  for (const std::string& file : SecretFiles(facts)) {
    text +=
        fmt::format("- name: files\n  mountPath: {}\n  subPath: {}\n  readOnly: true\n", file, KeyOf(file));
  }
  return text;
}

std::string Volumes(const KitFacts& facts) {
  std::string text = fmt::format(
      "volumes:\n- name: config\n  configMap:\n    name: hakobu-{0}\n- name: ledger\n  "
      "persistentVolumeClaim:\n"
      "    claimName: hakobu-{0}\n- name: tmp\n  emptyDir: {{}}\n",
      facts.name);
  if (!SecretFiles(facts).empty()) {
    text += fmt::format("- name: files\n  secret:\n    secretName: hakobu-{}-files\n    defaultMode: 288\n",
                        facts.name);
  }
  return text;
}

// Of a stream that listens where the kubelet can reach it.
std::string Probes(const KitFacts& facts) {
  return fmt::format(
      "ports:\n- name: metrics\n  containerPort: {}\n"
      "startupProbe:\n  httpGet:\n    path: /healthz\n    port: metrics\n  periodSeconds: 5\n  "
      "failureThreshold: 24\n"
      "livenessProbe:\n  httpGet:\n    path: /healthz\n    port: metrics\n  periodSeconds: 20\n  "
      "timeoutSeconds: 5\n"
      "  failureThreshold: 6\n"
      "readinessProbe:\n  httpGet:\n    path: /readyz\n    port: metrics\n  periodSeconds: 10\n",
      *facts.port);
}

std::string PodSpec(const KitFacts& facts, const std::string& command, bool is_stream) {
  std::string text = fmt::format(
      "serviceAccountName: hakobu-{0}\nterminationGracePeriodSeconds: {1}\n"
      "securityContext:\n  runAsNonRoot: true\n  runAsUser: {2}\n  runAsGroup: {2}\n  fsGroup: {2}\n"
      "  seccompProfile:\n    type: RuntimeDefault\n",
      facts.name, kStopSeconds, kContainerUser);
  if (!is_stream) text += "restartPolicy: Never\n";
  if (!is_stream && facts.has_stream) {
    text += fmt::format(
        "# Beside the stream: both have the ledger, which is on one node.\n"
        "affinity:\n  podAffinity:\n    requiredDuringSchedulingIgnoredDuringExecution:\n"
        "    - topologyKey: kubernetes.io/hostname\n      labelSelector:\n        matchLabels:\n"
        "          app.kubernetes.io/instance: {}\n          app.kubernetes.io/component: stream\n",
        facts.name);
  }
  std::string container = fmt::format(
      "- name: hakobu\n  image: {}\n  args:\n  - --config\n  - {}\n  - --log-format\n  - json\n  - {}\n"
      "  workingDir: {}\n  securityContext:\n    allowPrivilegeEscalation: false\n    "
      "readOnlyRootFilesystem: true\n"
      "    capabilities:\n      drop:\n      - ALL\n  resources:\n    requests:\n      cpu: 250m\n      "
      "memory: {}Mi\n"
      "    limits:\n      memory: {}Mi\n",
      facts.image, kContainerConfig, command, LedgerFolder(facts), facts.memory_mib, 2 * facts.memory_mib);
  container += Indented(Environment(facts) + Mounts(facts), 2);
  if (is_stream && facts.port && facts.is_port_reachable) container += Indented(Probes(facts), 2);
  return text + "containers:\n" + container + Volumes(facts);
}

std::string CronJob(const KitFacts& facts) {
  return fmt::format(
      "apiVersion: batch/v1\nkind: CronJob\nmetadata:\n  name: hakobu-{0}-run\nspec:\n  schedule: \"{1} {2} "
      "* * *\"\n"
      "  timeZone: {3}\n  concurrencyPolicy: Forbid\n  startingDeadlineSeconds: 3600\n"
      "  successfulJobsHistoryLimit: 3\n  failedJobsHistoryLimit: 7\n  jobTemplate:\n    spec:\n"
      "      # Exit codes 2 to 4 are for a person; what was cut off goes on in the next run.\n"
      "      backoffLimit: 0\n      template:\n        metadata:\n          labels:\n"
      "            app.kubernetes.io/name: hakobu\n            app.kubernetes.io/instance: {0}\n"
      "            app.kubernetes.io/component: run\n        spec:\n{4}",
      facts.name, facts.start_minute % 60, facts.start_minute / 60, facts.zone,
      Indented(PodSpec(facts, "run", false), 10));
}

std::string Deployment(const KitFacts& facts) {
  std::string annotations;
  if (facts.port && facts.is_port_reachable) {
    annotations = fmt::format(
        "      annotations:\n        prometheus.io/scrape: \"true\"\n        prometheus.io/port: \"{}\"\n",
        *facts.port);
  }
  return fmt::format(
      "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: hakobu-{0}-stream\nspec:\n"
      "  # One at a time: the ledger is one process's.\n  replicas: 1\n  strategy:\n    type: Recreate\n"
      "  selector:\n    matchLabels:\n      app.kubernetes.io/name: hakobu\n      "
      "app.kubernetes.io/instance: {0}\n"
      "      app.kubernetes.io/component: stream\n  template:\n    metadata:\n      labels:\n"
      "        app.kubernetes.io/name: hakobu\n        app.kubernetes.io/instance: {0}\n"
      "        app.kubernetes.io/component: stream\n{1}    spec:\n{2}",
      facts.name, annotations, Indented(PodSpec(facts, "stream", true), 6));
}

std::string KubernetesNotes(const KitFacts& facts) {
  std::string text = fmt::format(
      "# {0} on Kubernetes\n\nMake the secrets, then `kubectl apply -f hakobu.yaml`:\n\n", facts.name);
  if (!facts.references.variables.empty()) {
    text += fmt::format("    kubectl create secret generic hakobu-{}", facts.name);
    for (const std::string& name : facts.references.variables)
      text += fmt::format(" --from-literal={}=…", name);
    text += "\n";
  }
  if (!SecretFiles(facts).empty()) {
    text += fmt::format("    kubectl create secret generic hakobu-{}-files", facts.name);
    for (const std::string& file : SecretFiles(facts)) text += fmt::format(" --from-file={}=…", KeyOf(file));
    text += "\n";
  }
  text +=
      "\n- The ledger lies on a volume of one node. A second stream or run that is started meanwhile is "
      "refused by the "
      "ledger's lock.\n";
  if (facts.has_stream && !(facts.port && facts.is_port_reachable)) {
    text +=
        "- There are no probes: `stream.listen` is not set, or listens on loopback alone. With `listen: "
        "0.0.0.0:9464` the kit has them.\n";
  }
  for (const std::string& command : facts.references.commands)
    text += fmt::format("- `${{command:{}}}` needs what it runs in the image.\n", command);
  return text;
}

}  // namespace

std::vector<KitFile> KubernetesKit(const KitFacts& facts) {
  std::string all = ConfigMap(facts) + "---\n" + Claim(facts) + "---\n" + Account(facts);
  if (facts.has_runs) all += "---\n" + CronJob(facts);
  if (facts.has_stream) all += "---\n" + Deployment(facts);
  return {{"hakobu.yaml", all}, {"README.md", KubernetesNotes(facts)}};
}

}  // namespace hakobu
