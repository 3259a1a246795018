resource "aws_ecr_repository" "hakobu" {
  name                 = "hakobu-live"
  image_tag_mutability = "MUTABLE"
}

resource "aws_cloudwatch_log_group" "hakobu" {
  name              = "/hakobu/live"
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
  name               = "hakobu-live-execution"
  assume_role_policy = data.aws_iam_policy_document.tasks.json
}

resource "aws_iam_role_policy_attachment" "execution" {
  role       = aws_iam_role.execution.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
}

resource "aws_iam_role" "task" {
  name               = "hakobu-live-task"
  assume_role_policy = data.aws_iam_policy_document.tasks.json
}

resource "aws_security_group" "hakobu" {
  name        = "hakobu-live"
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
  name        = "hakobu-live-endpoints"
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
  for_each = toset(["HAKOBU_SALT", "PAGERDUTY_ROUTING_KEY", "PING_URL", "SLACK_WEBHOOK"])
  name     = "hakobu/live/${each.key}"
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

resource "aws_ecs_task_definition" "stream" {
  family                   = "hakobu-live-stream"
  requires_compatibilities = ["EC2"]
  network_mode             = "awsvpc"
  cpu                      = "512"
  memory                   = "512"
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.task.arn

  volume {
    name      = "ledger"
    host_path = "/var/lib/hakobu/live"
  }

  volume {
    name = "tmp"
  }

  placement_constraints {
    type       = "memberOf"
    expression = "attribute:hakobu == live"
  }

  container_definitions = jsonencode([{
  "name": "hakobu",
  "image": "${data.aws_caller_identity.current.account_id}.dkr.ecr.${data.aws_region.current.name}.amazonaws.com/hakobu-live:latest",
  "essential": true,
  "command": [
    "--config",
    "/etc/hakobu/hakobu.yaml",
    "--log-format",
    "json",
    "stream"
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
      "valueFrom": "arn:aws:secretsmanager:${data.aws_region.current.name}:${data.aws_caller_identity.current.account_id}:secret:hakobu/live/HAKOBU_SALT"
    },
    {
      "name": "PAGERDUTY_ROUTING_KEY",
      "valueFrom": "arn:aws:secretsmanager:${data.aws_region.current.name}:${data.aws_caller_identity.current.account_id}:secret:hakobu/live/PAGERDUTY_ROUTING_KEY"
    },
    {
      "name": "PING_URL",
      "valueFrom": "arn:aws:secretsmanager:${data.aws_region.current.name}:${data.aws_caller_identity.current.account_id}:secret:hakobu/live/PING_URL"
    },
    {
      "name": "SLACK_WEBHOOK",
      "valueFrom": "arn:aws:secretsmanager:${data.aws_region.current.name}:${data.aws_caller_identity.current.account_id}:secret:hakobu/live/SLACK_WEBHOOK"
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
      "awslogs-group": "/hakobu/live",
      "awslogs-region": "${data.aws_region.current.name}",
      "awslogs-stream-prefix": "stream",
      "mode": "non-blocking",
      "max-buffer-size": "4m"
    }
  },
  "healthCheck": {
    "command": [
      "CMD",
      "hakobu",
      "--config",
      "/etc/hakobu/hakobu.yaml",
      "status",
      "--max-age",
      "1h"
    ],
    "interval": 60,
    "timeout": 30,
    "retries": 10,
    "startPeriod": 300
  },
  "portMappings": [
    {
      "containerPort": 9464,
      "protocol": "tcp"
    }
  ]
}])
}

resource "aws_ecs_service" "stream" {
  name                               = "hakobu-live-stream"
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
