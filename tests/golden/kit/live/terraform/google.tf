# Keyless: tasks show the role that AWS gave them, and act as the service account.
resource "google_service_account" "hakobu" {
  account_id   = "hakobu-live"
  display_name = "hakobu live"
}

resource "google_iam_workload_identity_pool" "aws" {
  workload_identity_pool_id = "hakobu-live"
  display_name              = "hakobu live"
}

resource "google_iam_workload_identity_pool_provider" "aws" {
  workload_identity_pool_id          = google_iam_workload_identity_pool.aws.workload_identity_pool_id
  workload_identity_pool_provider_id = "aws"

  attribute_mapping = {
    "google.subject"     = "assertion.arn"
    "attribute.aws_role" = "assertion.arn.contains('assumed-role') ? assertion.arn.extract('{account_arn}assumed-role/') + 'assumed-role/' + assertion.arn.extract('assumed-role/{role_name}/') : assertion.arn"
  }

  aws {
    account_id = data.aws_caller_identity.current.account_id
  }
}

resource "google_service_account_iam_member" "task" {
  service_account_id = google_service_account.hakobu.name
  role               = "roles/iam.workloadIdentityUser"
  member             = "principalSet://iam.googleapis.com/${google_iam_workload_identity_pool.aws.name}/attribute.aws_role/arn:aws:sts::${data.aws_caller_identity.current.account_id}:assumed-role/${aws_iam_role.task.name}"
}

resource "google_bigquery_dataset" "shop_live" {
  dataset_id = "shop_live"
  location   = "asia-northeast1"

  lifecycle {
    ignore_changes  = [access]
    prevent_destroy = true
  }
}

# stream: what `hakobu check` tries, and nothing else
resource "google_project_iam_custom_role" "hakobuStreamJobs" {
  project     = "example-warehouse"
  role_id     = "hakobuStreamJobs"
  title       = "hakobu stream, jobs"
  permissions = [
    "bigquery.jobs.create",  # loads, queries, copies, ALTER and GRANT
    # "bigquery.datasets.create",  # only where hakobu is to make the dataset
    # "serviceusage.services.use",  # only with destination.quota_project
  ]
}

resource "google_project_iam_member" "hakobuStreamJobs" {
  project = "example-warehouse"
  role    = google_project_iam_custom_role.hakobuStreamJobs.name
  member  = "serviceAccount:${google_service_account.hakobu.email}"
}

resource "google_project_iam_custom_role" "hakobuStreamTarget" {
  project     = "example-warehouse"
  role_id     = "hakobuStreamTarget"
  title       = "hakobu stream, targets"
  permissions = [
    "bigquery.datasets.get",  # where the dataset is
    "bigquery.tables.create",  # new tables
    "bigquery.tables.get",  # what a table is, and what hangs on it
    "bigquery.tables.getData",  # counting, comparing, MERGE, and row access policies
    "bigquery.tables.updateData",  # loads, appends and MERGE
    "bigquery.tables.update",  # new columns, descriptions, max_staleness
    "bigquery.tables.delete",  # tables that repair makes beside a target
    "bigquery.tables.list",  # tables that a repair left; tables whose grants are compared
  ]
}

resource "google_bigquery_dataset_iam_member" "hakobuStreamTarget" {
  project    = "example-warehouse"
  dataset_id = "shop_live"
  role       = google_project_iam_custom_role.hakobuStreamTarget.name
  member     = "serviceAccount:${google_service_account.hakobu.email}"
}

