#include <fmt/format.h>

#include "destination/permissions.h"
#include "kit/kit.h"

namespace hakobu {
namespace {

std::string Replaced(std::string text, std::string_view from, std::string_view to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

// `@NAME@` and `@PROJECT@` … in `text`.
std::string Filled(std::string_view text, const KitFacts& facts) {
  std::string filled = Replaced(std::string(text), "@NAME@", facts.name);
  filled = Replaced(filled, "@PROJECT@", facts.destination.project);
  filled = Replaced(filled, "@LOCATION@", facts.destination.location);
  filled = Replaced(filled, "@MEMORY@", fmt::format("{}", 2 * facts.memory_mib));
  filled = Replaced(filled, "@ZONE@", facts.zone);
  return Replaced(filled, "@CRON@",
                  fmt::format("cron({} {} * * ? *)", facts.start_minute % 60, facts.start_minute / 60));
}

constexpr std::string_view kVersions = R"(terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.60"
    }
    google = {
      source  = "hashicorp/google"
      version = "~> 6.0"
    }
  }
}

provider "google" {
  project = "@PROJECT@"
}

data "aws_caller_identity" "current" {}

data "aws_region" "current" {}
)";

constexpr std::string_view kVariables = R"(variable "cluster_arn" {
  type        = string
  description = "ECS cluster with container instances that have the attribute hakobu=@NAME@ and )"
                                        R"(/var/lib/hakobu/@NAME@ on EBS."
}

variable "vpc_id" {
  type = string
}

variable "subnet_ids" {
  type        = list(string)
  description = "Private subnets with a way to Google's APIs."
}

variable "database_security_group_id" {
  type        = string
  description = "Of the database that is read."
}

variable "database_port" {
  type    = number
  default = 3306
}

variable "route_table_ids" {
  type        = list(string)
  default     = []
  description = "With any, VPC endpoints are made for what a task needs of AWS."
}
)";

constexpr std::string_view kAws = R"(resource "aws_ecr_repository" "hakobu" {
  name                 = "hakobu-@NAME@"
  image_tag_mutability = "MUTABLE"
}

resource "aws_cloudwatch_log_group" "hakobu" {
  name              = "/hakobu/@NAME@"
  retention_in_days = 90
}

data "aws_iam_policy_document" "tasks" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["ecs-tasks.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "execution" {
  name               = "hakobu-@NAME@-execution"
  assume_role_policy = data.aws_iam_policy_document.tasks.json
}

resource "aws_iam_role_policy_attachment" "execution" {
  role       = aws_iam_role.execution.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
}

resource "aws_iam_role" "task" {
  name               = "hakobu-@NAME@-task"
  assume_role_policy = data.aws_iam_policy_document.tasks.json
}

resource "aws_security_group" "hakobu" {
  name        = "hakobu-@NAME@"
  description = "hakobu: to the database and to HTTPS, nothing inwards"
  vpc_id      = var.vpc_id
}

resource "aws_vpc_security_group_egress_rule" "database" {
  security_group_id            = aws_security_group.hakobu.id
  referenced_security_group_id = var.database_security_group_id
  ip_protocol                  = "tcp"
  from_port                    = var.database_port
  to_port                      = var.database_port
}

resource "aws_vpc_security_group_egress_rule" "https" {
  security_group_id = aws_security_group.hakobu.id
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_security_group_ingress_rule" "database" {
  security_group_id            = var.database_security_group_id
  referenced_security_group_id = aws_security_group.hakobu.id
  ip_protocol                  = "tcp"
  from_port                    = var.database_port
  to_port                      = var.database_port
}

resource "aws_security_group" "endpoints" {
  count       = length(var.route_table_ids) > 0 ? 1 : 0
  name        = "hakobu-@NAME@-endpoints"
  description = "hakobu: its VPC endpoints"
  vpc_id      = var.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "endpoints" {
  count                        = length(var.route_table_ids) > 0 ? 1 : 0
  security_group_id            = aws_security_group.endpoints[0].id
  referenced_security_group_id = aws_security_group.hakobu.id
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
}

resource "aws_vpc_endpoint" "interface" {
  for_each            = length(var.route_table_ids) > 0 ? toset(["ecr.api", "ecr.dkr", "logs", )"
                                  R"("secretsmanager", "sts"]) : toset([])
  vpc_id              = var.vpc_id
  service_name        = "com.amazonaws.${data.aws_region.current.name}.${each.key}"
  vpc_endpoint_type   = "Interface"
  subnet_ids          = var.subnet_ids
  security_group_ids  = [aws_security_group.endpoints[0].id]
  private_dns_enabled = true
}

resource "aws_vpc_endpoint" "s3" {
  count             = length(var.route_table_ids) > 0 ? 1 : 0
  vpc_id            = var.vpc_id
  service_name      = "com.amazonaws.${data.aws_region.current.name}.s3"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = var.route_table_ids
}
)";

constexpr std::string_view kSecretsHead = R"(
# Empty: their values are put in by hand, and are in no state.
resource "aws_secretsmanager_secret" "variable" {
  for_each = toset([@VARIABLES@])
  name     = "hakobu/@NAME@/${each.key}"
}

resource "aws_iam_role_policy" "secrets" {
  name = "secrets"
  role = aws_iam_role.execution.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = ["secretsmanager:GetSecretValue"]
      Resource = [for secret in aws_secretsmanager_secret.variable : secret.arn]
    }]
  })
}
)";

constexpr std::string_view kTask = R"(
resource "aws_ecs_task_definition" "@COMMAND@" {
  family                   = "hakobu-@NAME@-@COMMAND@"
  requires_compatibilities = ["EC2"]
  network_mode             = "awsvpc"
  cpu                      = "512"
  memory                   = "@MEMORY@"
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.task.arn

  volume {
    name      = "ledger"
    host_path = "/var/lib/hakobu/@NAME@"
  }

  volume {
    name = "tmp"
  }

  placement_constraints {
    type       = "memberOf"
    expression = "attribute:hakobu == @NAME@"
  }

  container_definitions = jsonencode([@CONTAINER@])
}
)";

constexpr std::string_view kScheduled = R"(
data "aws_iam_policy_document" "scheduler" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["scheduler.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "schedule" {
  name               = "hakobu-@NAME@-schedule"
  assume_role_policy = data.aws_iam_policy_document.scheduler.json
}

resource "aws_iam_role_policy" "schedule" {
  name = "run"
  role = aws_iam_role.schedule.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Action   = ["ecs:RunTask"]
        Resource = [aws_ecs_task_definition.run.arn]
      },
      {
        Effect   = "Allow"
        Action   = ["iam:PassRole"]
        Resource = [aws_iam_role.execution.arn, aws_iam_role.task.arn]
      },
    ]
  })
}

resource "aws_scheduler_schedule" "run" {
  name                         = "hakobu-@NAME@-run"
  schedule_expression          = "@CRON@"
  schedule_expression_timezone = "@ZONE@"

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = var.cluster_arn
    role_arn = aws_iam_role.schedule.arn

    retry_policy {
      maximum_event_age_in_seconds = 3600
      maximum_retry_attempts       = 10
    }

    ecs_parameters {
      task_definition_arn = aws_ecs_task_definition.run.arn
      launch_type         = "EC2"
      task_count          = 1

      network_configuration {
        subnets         = var.subnet_ids
        security_groups = [aws_security_group.hakobu.id]
      }
    }
  }
}
)";

constexpr std::string_view kServed = R"(
resource "aws_ecs_service" "stream" {
  name                               = "hakobu-@NAME@-stream"
  cluster                            = var.cluster_arn
  task_definition                    = aws_ecs_task_definition.stream.arn
  desired_count                      = 1
  launch_type                        = "EC2"
  deployment_minimum_healthy_percent = 0
  deployment_maximum_percent         = 100

  network_configuration {
    subnets         = var.subnet_ids
    security_groups = [aws_security_group.hakobu.id]
  }
}
)";

constexpr std::string_view kGoogle =
    R"(# Keyless: tasks show the role that AWS gave them, and act as the service account.
resource "google_service_account" "hakobu" {
  account_id   = "@ACCOUNT@"
  display_name = "hakobu @NAME@"
}

resource "google_iam_workload_identity_pool" "aws" {
  workload_identity_pool_id = "@ACCOUNT@"
  display_name              = "hakobu @NAME@"
}

resource "google_iam_workload_identity_pool_provider" "aws" {
  workload_identity_pool_id          = google_iam_workload_identity_pool.aws.workload_identity_pool_id
  workload_identity_pool_provider_id = "aws"

  attribute_mapping = {
    "google.subject"     = "assertion.arn"
    "attribute.aws_role" = "assertion.arn.contains('assumed-role') ? )"
    R"(assertion.arn.extract('{account_arn}assumed-role/') + 'assumed-role/' + )"
    R"(assertion.arn.extract('assumed-role/{role_name}/') : assertion.arn"
  }

  aws {
    account_id = data.aws_caller_identity.current.account_id
  }
}

resource "google_service_account_iam_member" "task" {
  service_account_id = google_service_account.hakobu.name
  role               = "roles/iam.workloadIdentityUser"
  member             = "principalSet://iam.googleapis.com/${google_iam_workload_identity_pool.aws.na)"
    R"(me}/attribute.aws_role/arn:aws:sts::${data.aws_caller_identity.current.account_id}:assumed-role/${aw)"
    R"(s_iam_role.task.name}"
}

)";

// Without access: `hakobu grants` owns who may see it, or whoever did before.
constexpr std::string_view kDataset = R"(resource "google_bigquery_dataset" "@DATASET@" {
  dataset_id = "@DATASET@"
  location   = "@LOCATION@"

  lifecycle {
    ignore_changes  = [access]
    prevent_destroy = true
  }
}

)";

std::string AwsFile(const KitFacts& facts) {
  std::string text(kAws);
  if (!facts.references.variables.empty()) {
    std::string names;
    for (const std::string& name : facts.references.variables)
      names += (names.empty() ? "\"" : ", \"") + name + "\"";
    text += Replaced(std::string(kSecretsHead), "@VARIABLES@", names);
  }
  const auto task = [&](std::string_view command) {
    // A JSON object is an expression of HCL's; what stands for account and region becomes theirs.
    std::string container = EcsContainerJson(facts, command);
    container = Replaced(container, kAccount, "${data.aws_caller_identity.current.account_id}");
    container = Replaced(container, kRegion, "${data.aws_region.current.name}");
    text += Replaced(Replaced(std::string(kTask), "@CONTAINER@", container), "@COMMAND@", command);
  };
  if (facts.has_runs) {
    task("run");
    text += kScheduled;
  }
  if (facts.has_stream) {
    task("stream");
    text += kServed;
  }
  return Filled(text, facts);
}

// [a-z](?:[-a-z0-9]{4,28}[a-z0-9]), as Google names service accounts and pools.
std::string AccountId(const KitFacts& facts) {
  std::string id = ("hakobu-" + facts.name).substr(0, 30);
  while (id.ends_with('-')) id.pop_back();
  return id;
}

// The part of the printed roles that is for one use: from its heading to the next.
std::string RolesOf(const std::string& roles, Use use) {
  const size_t begin = roles.find(fmt::format("# {}:", UseName(use)));
  if (begin == std::string::npos) return "";
  return roles.substr(begin, roles.find("\n# ", begin) - begin + 1);
}

std::string GoogleFile(const KitFacts& facts) {
  const DestinationConfig& destination = facts.destination;
  std::string text = Replaced(std::string(kGoogle), "@ACCOUNT@", AccountId(facts));
  text += Replaced(std::string(kDataset), "@DATASET@", destination.dataset);
  if (destination.staging_dataset != destination.dataset)
    text += Replaced(std::string(kDataset), "@DATASET@", destination.staging_dataset);
  const std::string roles =
      RolesAsTerraform({.project = destination.project,
                        .billing_project = destination.billing_project,
                        .dataset = destination.dataset,
                        .staging_dataset = destination.staging_dataset,
                        .member = "serviceAccount:${google_service_account.hakobu.email}"});
  if (facts.has_runs) text += RolesOf(roles, Use::kNightly);
  if (facts.has_stream) text += RolesOf(roles, Use::kStream);
  return Filled(text, facts);
}

std::string TerraformNotes(const KitFacts& facts) {
  return fmt::format(
      "# {0} by Terraform\n\nBoth sides: roles, network, secrets (empty), tasks and schedule on AWS; service "
      "account, "
      "workload identity, datasets and custom roles on Google Cloud.\n\n"
      "    terraform init && terraform plan\n"
      "    aws secretsmanager put-secret-value --secret-id hakobu/{0}/NAME --secret-string …\n"
      "    gcloud iam workload-identity-pools create-cred-config …/providers/aws --aws "
      "--service-account=… --output-file=google.json\n\n"
      "- google.json is no secret; the image has it, and the configuration names it in `credentials.file`.\n"
      "- Datasets that are there already: `terraform import` them first. They have no `access` blocks: "
      "`hakobu grants` "
      "owns those.\n"
      "- Private networking to Google: private.googleapis.com or restricted.googleapis.com must answer for "
      "bigquery.googleapis.com, bigquerystorage.googleapis.com, sts.googleapis.com and "
      "iamcredentials.googleapis.com.\n",
      facts.name);
}

}  // namespace

std::vector<KitFile> TerraformKit(const KitFacts& facts) {
  return {{"versions.tf", Filled(kVersions, facts)},
          {"variables.tf", Filled(kVariables, facts)},
          {"aws.tf", AwsFile(facts)},
          {"google.tf", GoogleFile(facts)},
          {"README.md", TerraformNotes(facts)}};
}

}  // namespace hakobu
