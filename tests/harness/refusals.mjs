// What the local BigQuery refuses by name rather than answer wrongly: [what, statement or job, the refusal's words].
export const refusedSql = [
  ['PIVOT', "SELECT * FROM (SELECT 'a' AS k, 1 AS v) PIVOT(SUM(v) FOR k IN ('a'))", /PIVOT is not supported/],
  ['UNPIVOT', 'SELECT * FROM (SELECT 1 AS a, 2 AS b) UNPIVOT(v FOR k IN (a, b))', /UNPIVOT is not supported/],
  ['GROUPING SETS', 'SELECT a, COUNT(*) AS n FROM (SELECT 1 AS a) GROUP BY GROUPING SETS ((a), ())', /GROUPING SETS is not supported/],
  ['wildcard tables', 'SELECT * FROM `refusals.t*`', /Wildcard tables are not supported/],
  ['FOR SYSTEM_TIME AS OF', 'SELECT * FROM refusals.t FOR SYSTEM_TIME AS OF CURRENT_TIMESTAMP()', /FOR SYSTEM_TIME AS OF is not supported/],
  ['TABLESAMPLE', 'SELECT * FROM refusals.t TABLESAMPLE SYSTEM (10 PERCENT)', /TABLESAMPLE is not supported/],
  ['pipe syntax', 'SELECT 1 AS a |> WHERE a = 1', /Pipe syntax is not supported/],
  ['scripting: DECLARE', 'DECLARE x INT64 DEFAULT 1; SELECT x', /DECLARE is not supported/],
  ['scripting: IF', 'IF TRUE THEN SELECT 1; END IF', /Statement IF is not supported/],
  ['EXECUTE IMMEDIATE', "EXECUTE IMMEDIATE 'SELECT 1'", /EXECUTE is not supported/],
  ['CALL', 'CALL refusals.p()', /CALL is not supported/],
  ['ASSERT', "ASSERT TRUE AS 'x'", /ASSERT is not supported/],
  ['multi-statement transactions', 'BEGIN TRANSACTION; SELECT 1; COMMIT TRANSACTION', /[Tt]ransaction control statements are not supported/],
  ['temporary tables', 'CREATE TEMP TABLE x AS SELECT 1 AS a', /CREATE TEMP is not supported/],
  ['temporary functions', 'CREATE TEMP FUNCTION f(x INT64) AS (x + 1); SELECT f(1)', /CREATE TEMP is not supported/],
  ['user-defined functions', 'CREATE FUNCTION refusals.f(x INT64) AS (x + 1)', /CREATE FUNCTION is not supported/],
  ['procedures', 'CREATE PROCEDURE refusals.p() BEGIN SELECT 1; END', /CREATE PROCEDURE is not supported/],
  ['materialized views', 'CREATE MATERIALIZED VIEW refusals.m AS SELECT 1 AS a', /CREATE MATERIALIZED is not supported/],
  ['external tables', "CREATE EXTERNAL TABLE refusals.e (a INT64) OPTIONS (format = 'CSV', uris = ['gs://b/o'])", /CREATE EXTERNAL is not supported/],
  ['snapshots', 'CREATE SNAPSHOT TABLE refusals.s CLONE refusals.t', /CREATE SNAPSHOT is not supported/],
  ['models', 'CREATE MODEL refusals.m OPTIONS (model_type = "linear_reg") AS SELECT 1 AS label', /CREATE MODEL is not supported/],
  ['search indexes', 'CREATE SEARCH INDEX i ON refusals.t (ALL COLUMNS)', /CREATE SEARCH is not supported/],
  ['EXPORT DATA', "EXPORT DATA OPTIONS (uri = 'gs://b/*', format = 'CSV') AS SELECT 1 AS a", /EXPORT is not supported/],
  ['LOAD DATA', "LOAD DATA INTO refusals.t FROM FILES (format = 'CSV', uris = ['gs://b/o'])", /LOAD is not supported/],
  ['GRANT by SQL', "GRANT `roles/bigquery.dataViewer` ON TABLE refusals.t TO 'user:a@b.c'", /GRANT is not supported/],
  ['row access policies by SQL', "CREATE ROW ACCESS POLICY p ON refusals.t GRANT TO ('user:a@b.c') FILTER USING (TRUE)", /CREATE ROW is not supported/],
  ['functions of geography', 'SELECT ST_DISTANCE(ST_GEOGPOINT(1, 2), ST_GEOGPOINT(1, 2)) AS a', /Function not found: ST_/],
  ['a function that it does not know', 'SELECT ML.PREDICT(1) AS a', /Function not found|not supported|Syntax error/],
  ['INFORMATION_SCHEMA views that it does not have', 'SELECT * FROM refusals.INFORMATION_SCHEMA.ROUTINES', /INFORMATION_SCHEMA.ROUTINES is not supported/],
];

// Jobs: [what, configuration, the refusal's words]. P stands for the project.
export const refusedJobs = [
  ['legacy SQL', { query: { query: 'SELECT 1', useLegacySql: true } }, /[Ll]egacy SQL/],
  ['extract jobs', { extract: { sourceTable: { projectId: 'P', datasetId: 'refusals', tableId: 't' }, destinationUris: ['gs://b/o'] } }, /extract/i],
  ['loads from Cloud Storage', { load: { sourceUris: ['gs://b/o'], destinationTable: { projectId: 'P', datasetId: 'refusals', tableId: 't' }, sourceFormat: 'CSV' } }, /sourceUris|gs:\/\/|Cloud Storage/],
  ['ORC files', { load: { destinationTable: { projectId: 'P', datasetId: 'refusals', tableId: 't' }, sourceFormat: 'ORC' } }, /ORC/],
  ['snapshots by copy jobs', { copy: { operationType: 'SNAPSHOT', sourceTable: { projectId: 'P', datasetId: 'refusals', tableId: 't' }, destinationTable: { projectId: 'P', datasetId: 'refusals', tableId: 's' } } }, /SNAPSHOT/],
];

export const refusalTitle = (what) => `refused by name: ${what}`;
