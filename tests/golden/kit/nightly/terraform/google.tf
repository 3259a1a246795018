# Keyless: tasks show the role that AWS gave them, and act as the service account.
resource "google_service_account" "hakobu" {
  account_id   = "hakobu-nightly"
  display_name = "hakobu nightly"
}

resource "google_iam_workload_identity_pool" "aws" {
  workload_identity_pool_id = "hakobu-nightly"
  display_name              = "hakobu nightly"
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

resource "google_bigquery_dataset" "shop" {
  dataset_id = "shop"
  location   = "asia-northeast1"

  lifecycle {
    ignore_changes  = [access]
    prevent_destroy = true
  }
}

# nightly: what `hakobu check` tries, and nothing else
resource "google_project_iam_custom_role" "hakobuNightlyJobs" {
  project     = "example-warehouse"
  role_id     = "hakobuNightlyJobs"
  title       = "hakobu nightly, jobs"
  permissions = [
    "bigquery.jobs.create",  # loads, queries, copies, ALTER and GRANT
    # "bigquery.datasets.create",  # only where hakobu is to make the dataset
    # "serviceusage.services.use",  # only with destination.quota_project
  ]
}

resource "google_project_iam_member" "hakobuNightlyJobs" {
  project = "example-warehouse"
  role    = google_project_iam_custom_role.hakobuNightlyJobs.name
  member  = "serviceAccount:${google_service_account.hakobu.email}"
}

resource "google_project_iam_custom_role" "hakobuNightlyStaging" {
  project     = "example-warehouse"
  role_id     = "hakobuNightlyStaging"
  title       = "hakobu nightly, staging"
  permissions = [
    "bigquery.datasets.get",  # where the dataset is
    "bigquery.tables.list",  # staging tables that a run left
    "bigquery.tables.create",  # staging tables
    "bigquery.tables.get",  # staging tables
    "bigquery.tables.getData",  # counting, and putting in place
    "bigquery.tables.updateData",  # loads and appends
    "bigquery.tables.update",  # tags of columns that change during a run
    "bigquery.tables.delete",  # removing staging tables
  ]
}

resource "google_bigquery_dataset_iam_member" "hakobuNightlyStaging" {
  project    = "example-warehouse"
  dataset_id = "shop"
  role       = google_project_iam_custom_role.hakobuNightlyStaging.name
  member     = "serviceAccount:${google_service_account.hakobu.email}"
}

resource "google_project_iam_custom_role" "hakobuNightlyTarget" {
  project     = "example-warehouse"
  role_id     = "hakobuNightlyTarget"
  title       = "hakobu nightly, targets"
  permissions = [
    "bigquery.datasets.get",  # where the dataset is
    "bigquery.tables.create",  # new tables
    "bigquery.tables.get",  # what a table is, and what hangs on it
    "bigquery.tables.getData",  # counting, comparing, MERGE, and row access policies
    "bigquery.tables.updateData",  # loads, appends and MERGE
    "bigquery.tables.update",  # new columns, descriptions, max_staleness
    "bigquery.rowAccessPolicies.list",  # policies that putting a table in place must keep
    "bigquery.tables.getIamPolicy",  # grants on a table
    # "bigquery.tables.setCategory",  # only where columns have policy tags; with datacatalog.taxonomies.get on the taxonomy's project
  ]
}

resource "google_bigquery_dataset_iam_member" "hakobuNightlyTarget" {
  project    = "example-warehouse"
  dataset_id = "shop"
  role       = google_project_iam_custom_role.hakobuNightlyTarget.name
  member     = "serviceAccount:${google_service_account.hakobu.email}"
}

