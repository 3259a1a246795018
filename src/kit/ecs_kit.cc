#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "kit/kit.h"

namespace hakobu {
namespace {

using nlohmann::ordered_json;

ordered_json EnvironmentSecrets(const KitFacts& facts) {
  ordered_json secrets = ordered_json::array();
  for (const std::string& name : facts.references.variables) {
    secrets.push_back({{"name", name},
                       {"valueFrom", fmt::format("arn:aws:secretsmanager:{}:{}:secret:hakobu/{}/{}", kRegion,
                                                 kAccount, facts.name, name)}});
  }
  return secrets;
}

ordered_json Container(const KitFacts& facts, const std::string& command, bool is_stream) {
  ordered_json container = {
      {"name", "hakobu"},
      {"image", fmt::format("{}.dkr.ecr.{}.amazonaws.com/hakobu-{}:latest", kAccount, kRegion, facts.name)},
      {"essential", true},
      {"command", {"--config", kContainerConfig, "--log-format", "json", command}},
      {"user", fmt::format("{0}:{0}", kContainerUser)},
      {"workingDirectory", facts.ledger_folder.empty() ? std::string(kContainerHome) : facts.ledger_folder},
      {"readonlyRootFilesystem", true},
      {"stopTimeout", kStopSeconds},
      {"linuxParameters", {{"capabilities", {{"drop", {"ALL"}}}}, {"initProcessEnabled", true}}},
      {"secrets", EnvironmentSecrets(facts)},
      {"mountPoints",
       {{{"sourceVolume", "ledger"},
         {"containerPath", facts.ledger_folder.empty() ? std::string(kContainerHome) : facts.ledger_folder}},
        {{"sourceVolume", "tmp"}, {"containerPath", "/tmp"}}}},
      {"logConfiguration",
       {{"logDriver", "awslogs"},
        {"options",
         {{"awslogs-group", "/hakobu/" + facts.name},
          {"awslogs-region", kRegion},
          {"awslogs-stream-prefix", command},
          {"mode", "non-blocking"},
          {"max-buffer-size", "4m"}}}}}};
  if (is_stream) {
    container["healthCheck"] = {
        {"command", {"CMD", "hakobu", "--config", kContainerConfig, "status", "--max-age", "1h"}},
        {"interval", 60},
        {"timeout", 30},
        {"retries", 10},
        {"startPeriod", 300}};
    if (facts.port) {
      container["portMappings"] = {{{"containerPort", *facts.port}, {"protocol", "tcp"}}};
    }
  }
  return container;
}

ordered_json TaskDefinition(const KitFacts& facts, const std::string& command, bool is_stream) {
  return {{"family", fmt::format("hakobu-{}-{}", facts.name, command)},
          {"requiresCompatibilities", {"EC2"}},
          {"networkMode", "awsvpc"},
          {"cpu", "512"},
          {"memory", fmt::format("{}", 2 * facts.memory_mib)},
          {"runtimePlatform", {{"operatingSystemFamily", "LINUX"}, {"cpuArchitecture", "X86_64"}}},
          {"executionRoleArn", fmt::format("arn:aws:iam::{}:role/hakobu-{}-execution", kAccount, facts.name)},
          {"taskRoleArn", fmt::format("arn:aws:iam::{}:role/hakobu-{}-task", kAccount, facts.name)},
          {"volumes",
           {{{"name", "ledger"}, {"host", {{"sourcePath", "/var/lib/hakobu/" + facts.name}}}},
            {{"name", "tmp"}, {"host", ordered_json::object()}}}},
          {"placementConstraints",
           {{{"type", "memberOf"}, {"expression", fmt::format("attribute:hakobu == {}", facts.name)}}}},
          {"containerDefinitions", ordered_json::array({Container(facts, command, is_stream)})}};
}

ordered_json Network() {
  return {
      {"awsvpcConfiguration",
       {{"subnets", {"subnet-PRIVATE"}}, {"securityGroups", {"sg-HAKOBU"}}, {"assignPublicIp", "DISABLED"}}}};
}

// Of `aws scheduler create-schedule --cli-input-json`.
ordered_json Schedule(const KitFacts& facts) {
  return {
      {"Name", fmt::format("hakobu-{}-run", facts.name)},
      {"ScheduleExpression",
       fmt::format("cron({} {} * * ? *)", facts.start_minute % 60, facts.start_minute / 60)},
      {"ScheduleExpressionTimezone", facts.zone},
      {"FlexibleTimeWindow", {{"Mode", "OFF"}}},
      {"Target",
       {{"Arn", fmt::format("arn:aws:ecs:{}:{}:cluster/CLUSTER", kRegion, kAccount)},
        {"RoleArn", fmt::format("arn:aws:iam::{}:role/hakobu-{}-schedule", kAccount, facts.name)},
        // A night that could not be started within the hour is tried no more: the ledger goes on next night.
        {"RetryPolicy", {{"MaximumEventAgeInSeconds", 3600}, {"MaximumRetryAttempts", 10}}},
        {"EcsParameters",
         {{"TaskDefinitionArn",
           fmt::format("arn:aws:ecs:{}:{}:task-definition/hakobu-{}-run", kRegion, kAccount, facts.name)},
          {"LaunchType", "EC2"},
          {"TaskCount", 1},
          {"NetworkConfiguration",
           {{"awsvpcConfiguration",
             {{"Subnets", {"subnet-PRIVATE"}},
              {"SecurityGroups", {"sg-HAKOBU"}},
              {"AssignPublicIp", "DISABLED"}}}}}}}}}};
}

// Of `aws ecs create-service --cli-input-json`.
ordered_json Service(const KitFacts& facts) {
  return {{"cluster", "CLUSTER"},
          {"serviceName", fmt::format("hakobu-{}-stream", facts.name)},
          {"taskDefinition", fmt::format("hakobu-{}-stream", facts.name)},
          {"desiredCount", 1},
          {"launchType", "EC2"},
          // The old one ends before the new one begins: the ledger is one process's.
          {"deploymentConfiguration", {{"minimumHealthyPercent", 0}, {"maximumPercent", 100}}},
          {"networkConfiguration", Network()}};
}

std::string ContainerFile(const KitFacts& facts) {
  return fmt::format(
      "# The configuration, which holds no secret, on top of hakobu's image.\nFROM {}\nCOPY hakobu.yaml {}\n",
      facts.image, kContainerConfig);
}

std::string EcsNotes(const KitFacts& facts) {
  std::string text = fmt::format(
      "# {0} on ECS\n\nFill in ACCOUNT_ID, AWS_REGION, CLUSTER, subnet-PRIVATE and sg-HAKOBU; `hakobu kit "
      "terraform` makes "
      "the roles.\n\n"
      "    docker build -t ACCOUNT_ID.dkr.ecr.AWS_REGION.amazonaws.com/hakobu-{0}:latest . && docker push "
      "…\n",
      facts.name);
  for (const std::string& name : facts.references.variables)
    text += fmt::format("    aws secretsmanager create-secret --name hakobu/{}/{} --secret-string …\n",
                        facts.name, name);
  if (facts.has_runs) {
    text +=
        "    aws ecs register-task-definition --cli-input-json file://task-run.json\n"
        "    aws scheduler create-schedule --cli-input-json file://schedule.json\n";
  }
  if (facts.has_stream) {
    text +=
        "    aws ecs register-task-definition --cli-input-json file://task-stream.json\n"
        "    aws ecs create-service --cli-input-json file://service.json\n";
  }
  text += fmt::format(
      "\n- The ledger must outlive tasks, and SQLite wants a local disk: tasks run on container instances "
      "with "
      "`/var/lib/hakobu/{0}` (owned by {1}, on EBS) and the attribute `hakobu={0}`. Fargate's disk ends with "
      "its task, and "
      "SQLite's log does not work over EFS.\n"
      "- `stopTimeout` is {2} s; hakobu ends within seconds of SIGTERM, and the next task goes on.\n",
      facts.name, kContainerUser, kStopSeconds);
  for (const std::string& file : facts.references.files)
    text += fmt::format(
        "- `${{file:{}}}`: ECS brings secrets as variables; let the configuration say `${{env:…}}`.\n", file);
  return text;
}

std::string Pretty(const ordered_json& json) {
  return json.dump(2) + "\n";
}

}  // namespace

std::string EcsContainerJson(const KitFacts& facts, std::string_view command) {
  return Container(facts, std::string(command), command == "stream").dump(2);
}

std::vector<KitFile> EcsKit(const KitFacts& facts) {
  std::vector<KitFile> files = {{"hakobu.yaml", facts.config_text}, {"Containerfile", ContainerFile(facts)}};
  if (facts.has_runs) {
    files.push_back({"task-run.json", Pretty(TaskDefinition(facts, "run", false))});
    files.push_back({"schedule.json", Pretty(Schedule(facts))});
  }
  if (facts.has_stream) {
    files.push_back({"task-stream.json", Pretty(TaskDefinition(facts, "stream", true))});
    files.push_back({"service.json", Pretty(Service(facts))});
  }
  files.push_back({"README.md", EcsNotes(facts)});
  return files;
}

}  // namespace hakobu
