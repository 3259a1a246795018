// Parts of GoogleSQL that the local BigQuery answers as Google's does: [what, query, rows]. Run over {TABLE}, whose rows
// (id, k, v) are (1, 'a', 10), (2, 'a', 20), (3, 'b', 30), (4, NULL, 40).
export const answeredSql = [
  ['QUALIFY', 'SELECT id FROM {TABLE} QUALIFY ROW_NUMBER() OVER (PARTITION BY k ORDER BY v DESC) = 1 ORDER BY id',
    [{ id: 2 }, { id: 3 }, { id: 4 }]],
  ['SAFE. functions and SAFE_CAST', "SELECT SAFE.PARSE_DATE('%F', 'x') AS a, SAFE.SUBSTR('abc', 1, -1) AS b, SAFE_CAST('x' AS INT64) AS c, [1, 2][SAFE_OFFSET(5)] AS d, SAFE_DIVIDE(1, 0) AS e",
    [{ a: null, b: null, c: null, d: null, e: null }]],
  ['APPROX_COUNT_DISTINCT, APPROX_QUANTILES, APPROX_TOP_COUNT', 'SELECT APPROX_COUNT_DISTINCT(k) AS a, APPROX_QUANTILES(v, 1) AS b, APPROX_TOP_COUNT(k, 1) AS c FROM {TABLE}',
    [{ a: 2, b: [10, 40], c: [{ value: 'a', count: 2 }] }]],
  ['GROUP BY ROLLUP, CUBE and ALL', 'SELECT k, COUNT(*) AS n FROM {TABLE} GROUP BY ROLLUP(k) ORDER BY k, n',
    [{ k: null, n: 1 }, { k: null, n: 4 }, { k: 'a', n: 2 }, { k: 'b', n: 1 }]],
  ['SELECT * EXCEPT and REPLACE', 'SELECT * EXCEPT (k) REPLACE (v * 2 AS v) FROM {TABLE} ORDER BY id LIMIT 1', [{ id: 1, v: 20 }]],
  ['UNNEST WITH OFFSET', "SELECT x, o FROM UNNEST(['a', 'b']) AS x WITH OFFSET AS o ORDER BY o DESC", [{ x: 'b', o: 1 }, { x: 'a', o: 0 }]],
  ['STRING_AGG and ARRAY_AGG with DISTINCT, ORDER BY, LIMIT, IGNORE NULLS', "SELECT STRING_AGG(k, '-' ORDER BY id DESC LIMIT 2) AS a, STRING_AGG(DISTINCT k, ',' ORDER BY k) AS b, ARRAY_AGG(v ORDER BY v DESC LIMIT 2) AS c, ARRAY_AGG(k IGNORE NULLS ORDER BY id DESC) AS d FROM {TABLE}",
    [{ a: 'b-a', b: 'a,b', c: [40, 30], d: ['b', 'a', 'a'] }]],
  ['GENERATE_ARRAY, GENERATE_DATE_ARRAY, GENERATE_TIMESTAMP_ARRAY', "SELECT GENERATE_ARRAY(1, 10, 4) AS a, ARRAY(SELECT CAST(d AS STRING) FROM UNNEST(GENERATE_DATE_ARRAY('2024-01-31', '2024-04-30', INTERVAL 1 MONTH)) AS d ORDER BY d) AS b, ARRAY_LENGTH(GENERATE_TIMESTAMP_ARRAY('2024-01-01', '2024-01-02', INTERVAL 6 HOUR)) AS c",
    [{ a: [1, 5, 9], b: ['2024-01-31', '2024-02-29', '2024-03-29', '2024-04-29'], c: 5 }]],
  ['FORMAT_TIMESTAMP and its like', "SELECT FORMAT_TIMESTAMP('%Y-%m-%d %H:%M:%E3S %Z', TIMESTAMP '2024-03-04 05:06:07.123456+00', 'Asia/Tokyo') AS a, FORMAT_DATE('%d %b %G-W%V', DATE '2024-12-30') AS b, FORMAT_TIME('%R', TIME '05:06:07') AS c",
    [{ a: '2024-03-04 14:06:07.123 UTC+9', b: '30 Dec 2025-W01', c: '05:06' }]],
  ['PARSE_TIMESTAMP and its like', "SELECT CAST(PARSE_TIMESTAMP('%Y-%m-%dT%H:%M:%E*S%Ez', '2024-03-04T05:06:07.25+09:00') AS STRING) AS a, CAST(PARSE_DATE('%b %e %Y', 'Mar  4 2024') AS STRING) AS b, CAST(PARSE_TIME('%H%M', '0506') AS STRING) AS c",
    [{ a: '2024-03-03 20:06:07.250+00', b: '2024-03-04', c: '05:06:00' }]],
  ['Named windows, frames, LAG, PERCENTILE_CONT', 'SELECT id, SUM(v) OVER (ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS a, LAG(v, 1, 0) OVER w AS b, PERCENTILE_CONT(v, 0.5) OVER () AS c FROM {TABLE} WINDOW w AS (ORDER BY id) ORDER BY id LIMIT 2',
    [{ id: 1, a: 10, b: 0, c: 25 }, { id: 2, a: 30, b: 10, c: 25 }]],
  ['WITH RECURSIVE', 'WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 3) SELECT n FROM r ORDER BY n', [{ n: 1 }, { n: 2 }, { n: 3 }]],
  ['Several statements in one job', 'SELECT 1 AS a; SELECT 2 AS a', [{ a: 2 }]],
];

export const answerTitle = (what) => `answered: ${what}`;
