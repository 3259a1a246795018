resource "aws_ecr_repository" "hakobu" {
  name                 = "hakobu-nightly"
  image_tag_mutability = "MUTABLE"
}

resource "aws_cloudwatch_log_group" "hakobu" {
  name              = "/hakobu/nightly"
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
  name               = "hakobu-nightly-execution"
  assume_role_policy = data.aws_iam_policy_document.tasks.json
}

resource "aws_iam_role_policy_attachment" "execution" {
  role       = aws_iam_role.execution.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
}

resource "aws_iam_role" "task" {
  name               = "hakobu-nightly-task"
  assume_role_policy = data.aws_iam_policy_document.tasks.json
}

resource "aws_security_group" "hakobu" {
  name        = "hakobu-nightly"
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
  name        = "hakobu-nightly-endpoints"
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
  for_each            = length(var.route_table_ids) > 0 ? toset(["ecr.api", "ecr.dkr", "logs", "secretsmanager", "sts"]) : toset([])
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

# Empty: their values are put in by hand, and are in no state.
resource "aws_secretsmanager_secret" "variable" {
  for_each = toset(["HAKOBU_SALT", "MYSQL_PASSWORD"])
  name     = "hakobu/nightly/${each.key}"
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

resource "aws_ecs_task_definition" "run" {
  family                   = "hakobu-nightly-run"
  requires_compatibilities = ["EC2"]
  network_mode             = "awsvpc"
  cpu                      = "512"
  memory                   = "512"
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.task.arn

  volume {
    name      = "ledger"
    host_path = "/var/lib/hakobu/nightly"
  }

  volume {
    name = "tmp"
  }

  placement_constraints {
    type       = "memberOf"
    expression = "attribute:hakobu == nightly"
  }

  container_definitions = jsonencode([{
  "name": "hakobu",
  "image": "${data.aws_caller_identity.current.account_id}.dkr.ecr.${data.aws_region.current.name}.amazonaws.com/hakobu-nightly:latest",
  "essential": true,
  "command": [
    "--config",
    "/etc/hakobu/hakobu.yaml",
    "--log-format",
    "json",
    "run"
  ],
  "user": "65532:65532",
  "workingDirectory": "/var/lib/hakobu",
  "readonlyRootFilesystem": true,
  "stopTimeout": 120,
  "linuxParameters": {
    "capabilities": {
      "drop": [
        "ALL"
      ]
    },
    "initProcessEnabled": true
  },
  "secrets": [
    {
      "name": "HAKOBU_SALT",
      "valueFrom": "arn:aws:secretsmanager:${data.aws_region.current.name}:${data.aws_caller_identity.current.account_id}:secret:hakobu/nightly/HAKOBU_SALT"
    },
    {
      "name": "MYSQL_PASSWORD",
      "valueFrom": "arn:aws:secretsmanager:${data.aws_region.current.name}:${data.aws_caller_identity.current.account_id}:secret:hakobu/nightly/MYSQL_PASSWORD"
    }
  ],
  "mountPoints": [
    {
      "sourceVolume": "ledger",
      "containerPath": "/var/lib/hakobu"
    },
    {
      "sourceVolume": "tmp",
      "containerPath": "/tmp"
    }
  ],
  "logConfiguration": {
    "logDriver": "awslogs",
    "options": {
      "awslogs-group": "/hakobu/nightly",
      "awslogs-region": "${data.aws_region.current.name}",
      "awslogs-stream-prefix": "run",
      "mode": "non-blocking",
      "max-buffer-size": "4m"
    }
  }
}])
}

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
  name               = "hakobu-nightly-schedule"
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
  name                         = "hakobu-nightly-run"
  schedule_expression          = "cron(0 2 * * ? *)"
  schedule_expression_timezone = "UTC"

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
