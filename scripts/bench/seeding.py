# ruff: noqa: E501
"""A history as a busy project has it, made by the database itself: a million runs in a minute or two.

Skewed as real ones are: few tasks make most of the runs, most runs succeed, workers live for a day, some values are
very rare and old (`shop.legacy.once`, the queue `forgotten`), and a few thousand runs have not finished.
"""

from django.db import connection

#: Days over which the runs are spread; the newer, the denser.
DAYS = 30
CHUNK = 100_000

_ROWS = """
INSERT INTO rowlock_run (
    id, task, queue, arguments, priority, options, owner, key, parent_id, retry_of, state, created, due, expires,
    published, started, finished, changed, attempts, publish_after, check_first, cancel_requested, deliveries, retries,
    worker, progress_done, progress_total, progress_message, result, result_note, error_type, error_message, traceback
)
SELECT
    id, task, queue, format('{"args":[%%s],"kwargs":{"customer":"c-%%s","dry_run":false}}', n, (r3 * 50000)::int),
    CASE WHEN r1 < 0.1 THEN 5 END, '', owner,
    CASE WHEN r4 < 0.25 THEN format('%%s-%%s', (ARRAY['import', 'invoice', 'order', 'nightly'])[1 + (r5 * 4)::int %% 4], n) END,
    CASE WHEN r5 < 0.03 THEN pg_temp.run_id(greatest(0, n - 1000), %(all)s) END,
    CASE WHEN r5 > 0.99 THEN pg_temp.run_id(greatest(0, n - 500), %(all)s) END,
    state, created, due, NULL,
    CASE WHEN state > 0 THEN created + interval '20 ms' END, started,
    CASE WHEN state >= 5 THEN coalesce(started, created) + ran END,
    CASE WHEN state >= 5 THEN coalesce(started, created) + ran ELSE coalesce(started, created) END,
    CASE WHEN state > 0 THEN 1 ELSE 0 END, coalesce(due, created), false,
    CASE WHEN state = 5 THEN created + waited END,
    CASE WHEN started IS NULL THEN 0 WHEN r3 < 0.002 THEN 2 ELSE 1 END, CASE WHEN r4 > 0.98 THEN (r1 * 5)::int ELSE 0 END,
    CASE WHEN started IS NULL THEN ''
         ELSE format('celery@worker-%%s-%%s-%%s', queue, to_char(created, 'MMDD'), (r2 * 8)::int) END,
    CASE WHEN r2 < 0.1 AND started IS NOT NULL THEN 100 END, CASE WHEN r2 < 0.1 AND started IS NOT NULL THEN 100 END, '',
    CASE WHEN state = 8 THEN format('{"rows":%%s,"ok":true}', (r3 * 1000)::int) END, '',
    CASE WHEN failing THEN (ARRAY[
        'requests.exceptions.ConnectTimeout', 'requests.exceptions.ConnectTimeout', 'requests.exceptions.ConnectTimeout',
        'ValueError', 'ValueError', 'KeyError', 'psycopg.OperationalError', 'billiard.exceptions.TimeLimitExceeded',
        'shop.errors.OutOfStock', 'PermissionError'
    ])[1 + (r3 * 10)::int %% 10] ELSE '' END,
    CASE WHEN failing THEN format(
        '%%s 10.0.%%s.%%s:5432 (customer c-%%s, attempt %%s)',
        (ARRAY['connection timed out:', 'connection refused by', 'no such record at', 'permission denied by'])[1 + (r1 * 4)::int %% 4],
        (r2 * 255)::int, (r4 * 255)::int, (r3 * 50000)::int, n %% 4
    ) ELSE '' END,
    CASE WHEN failing THEN repeat('  File "/srv/shop/tasks.py", line 214, in charge' || chr(10), 25) ELSE '' END
FROM (
    SELECT *, state IN (2, 7) AS failing,
        CASE WHEN state IN (3, 2, 7, 8) OR state = 5 AND r3 < 0.3 THEN coalesce(due, created) + waited END AS started
    FROM (
        SELECT *,
            CASE
                WHEN n >= %(all)s - %(unfinished)s THEN (ARRAY[0, 0, 0, 0, 0, 1, 1, 3, 3, 2])[1 + (r2 * 10)::int %% 10]
                WHEN r2 < 0.95 THEN 8 WHEN r2 < 0.985 THEN 7 WHEN r2 < 0.994 THEN 5 ELSE 6
            END AS state,
            CASE WHEN n >= %(all)s - %(unfinished)s AND r2 < 0.2 THEN now() + (r1 * interval '20 hours')
                 WHEN r1 > 0.97 THEN created + interval '90 s' END AS due,
            CASE
                WHEN n < 5 THEN 'shop.legacy.once'
                ELSE format('shop.%%s.%%s', (ARRAY[
                    'mail', 'orders', 'images', 'search', 'billing', 'reports', 'imports', 'users', 'stock', 'audit'
                ])[1 + app], (ARRAY['send', 'refresh', 'resize', 'charge', 'rebuild', 'sync', 'notify', 'clean'])[1 + verb])
            END AS task,
            CASE WHEN n BETWEEN 100 AND 130 THEN 'forgotten'
                 ELSE (ARRAY['celery', 'celery', 'heavy', 'celery', 'email', 'reports', 'imports', 'email', 'celery', 'bulk'])[1 + app]
            END AS queue,
            CASE WHEN r3 < 0.2 THEN '' ELSE format('user-%%s', (2000 * power(r3, 4))::int) END AS owner,
            (-ln(1 - r4 * 0.9999) * 0.8) * (CASE WHEN r5 < 0.02 THEN 60 ELSE 1 END) * interval '1 s' AS waited,
            exp(r1 * 7 - 4) * (CASE WHEN r4 < 0.001 THEN 60 ELSE 1 END) * interval '1 s' AS ran
        FROM (
            SELECT n, pg_temp.run_id(n, %(all)s) AS id, pg_temp.run_time(n, %(all)s) AS created,
                random() AS r1, random() AS r2, random() AS r3, random() AS r4, random() AS r5,
                (10 * power(random(), 2))::int %% 10 AS app, (8 * power(random(), 2))::int %% 8 AS verb
            FROM generate_series(%(first)s::int, %(last)s::int) AS n
        ) AS drawn
    ) AS chosen
) AS timed
"""


def seed(runs: int, unfinished: int = 5000) -> None:
    """Fill the empty table of runs, and have the database look at what is in it. Postgres only."""
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit TO off")
        cursor.execute("SELECT setseed(0.42)")
        _define()
        for first in range(0, runs, CHUNK):
            last = min(first + CHUNK, runs) - 1
            cursor.execute(_ROWS, {"all": runs, "unfinished": unfinished, "first": first, "last": last})
        # What autovacuum does within minutes.
        cursor.execute("VACUUM ANALYZE rowlock_run")


def _define() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"""
            CREATE OR REPLACE FUNCTION pg_temp.run_time(n int, runs int) RETURNS timestamptz LANGUAGE sql STABLE AS
            $$ SELECT now() - interval '{DAYS} days' * power(1 - n::float8 / runs, 1.5) - interval '1 s' $$
        """)
        cursor.execute("""
            CREATE OR REPLACE FUNCTION pg_temp.run_id(n int, runs int) RETURNS uuid LANGUAGE sql STABLE AS
            $$ SELECT (lpad(to_hex((extract(epoch FROM pg_temp.run_time(n, runs)) * 1000)::bigint), 12, '0')
                || '7' || substr(md5(n::text), 1, 3) || '8' || substr(md5(n::text), 4, 15))::uuid $$
        """)
