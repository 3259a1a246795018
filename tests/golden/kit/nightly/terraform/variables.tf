variable "cluster_arn" {
  type        = string
  description = "ECS cluster with container instances that have the attribute hakobu=nightly and /var/lib/hakobu/nightly on EBS."
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
