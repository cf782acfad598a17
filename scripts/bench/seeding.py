# ruff: noqa: E501
"""A history as a busy project has it, made by the database itself: a million runs in half a minute or so.

Skewed as real ones are: few tasks make most of the runs, most runs succeed, workers live for a day, some values are
very rare and old (`shop.legacy.once`, the queue `forgotten`), and a few thousand runs have not finished.
"""

import contextlib
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue
from typing import Any

from django.db import ProgrammingError, connection
from django.utils import timezone

#: Days over which the runs are spread; the newer, the denser.
DAYS = 30
CHUNK = 100_000
#: Connections that work side by side.
CONNECTIONS = 2

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
    CASE WHEN r5 < 0.03 THEN pg_temp.run_id(greatest(0, n - 1000), %(all)s, %(now)s) END,
    CASE WHEN r5 > 0.99 THEN pg_temp.run_id(greatest(0, n - 500), %(all)s, %(now)s) END,
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
            CASE WHEN n >= %(all)s - %(unfinished)s AND r2 < 0.2 THEN %(now)s + (r1 * interval '20 hours')
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
            SELECT n, pg_temp.run_id(n, %(all)s, %(now)s) AS id, pg_temp.run_time(n, %(all)s, %(now)s) AS created,
                random() AS r1, random() AS r2, random() AS r3, random() AS r4, random() AS r5,
                (10 * power(random(), 2))::int %% 10 AS app, (8 * power(random(), 2))::int %% 8 AS verb
            FROM setseed(%(seed)s), generate_series(%(first)s::int, %(last)s::int) AS n
        ) AS drawn
    ) AS chosen
) AS timed
"""


def seed(runs: int, unfinished: int = 5000) -> None:
    """Fill the empty table of runs, and have the database look at what is in it. Postgres only."""
    of_all = {"all": runs, "unfinished": unfinished, "now": timezone.now()}
    # Made at once for all rows they take a third of the time that they do row by row.
    indexes = _drop_indexes()
    chunks = [{"first": first, "last": min(first + CHUNK, runs) - 1} for first in range(0, runs, CHUNK)]
    _execute((_ROWS, {**of_all, **chunk, "seed": chunk["first"] / runs}) for chunk in chunks)
    _execute((index, None) for index in indexes)
    with connection.cursor() as cursor:
        # What autovacuum does within minutes.
        cursor.execute("VACUUM ANALYZE rowlock_run")
        # Else it comes in the midst of what is measured. Not every user may ask for it.
        with contextlib.suppress(ProgrammingError):
            cursor.execute("CHECKPOINT")


def _drop_indexes() -> list[str]:
    """All but those of constraints; returns how to make them again."""
    with connection.cursor() as cursor:
        cursor.execute("""
            SELECT indexname, indexdef FROM pg_indexes
            WHERE tablename = 'rowlock_run' AND indexname NOT IN (SELECT conname FROM pg_constraint)
        """)
        found = cursor.fetchall()
        for name, _ in found:
            cursor.execute(f'DROP INDEX "{name}"')
    return [definition for _, definition in found]


def _execute(statements: Iterable[tuple[str, Mapping[str, Any] | None]]) -> None:
    """Over CONNECTIONS at a time."""
    waiting: SimpleQueue[tuple[str, Mapping[str, Any] | None]] = SimpleQueue()
    for statement in statements:
        waiting.put(statement)
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        for worker in [pool.submit(_execute_all, waiting) for _ in range(CONNECTIONS)]:
            worker.result()


def _execute_all(waiting: SimpleQueue[tuple[str, Mapping[str, Any] | None]]) -> None:
    try:
        _prepare()
        with connection.cursor() as cursor, contextlib.suppress(Empty):
            while True:
                cursor.execute(*waiting.get_nowait())
    finally:
        # The one of this thread.
        connection.close()


def _prepare() -> None:
    with connection.cursor() as cursor:
        # Nothing here is worth waiting for the disk; compiling a chunk's query takes longer than it saves.
        cursor.execute("SET synchronous_commit TO off")
        cursor.execute("SET jit TO off")
        cursor.execute("SET maintenance_work_mem TO '512MB'")
        cursor.execute(f"""
            CREATE OR REPLACE FUNCTION pg_temp.run_time(n int, runs int, at timestamptz) RETURNS timestamptz
            LANGUAGE sql STABLE AS
            $$ SELECT at - interval '{DAYS} days' * power(1 - n::float8 / runs, 1.5) - interval '1 s' $$
        """)
        cursor.execute("""
            CREATE OR REPLACE FUNCTION pg_temp.run_id(n int, runs int, at timestamptz) RETURNS uuid
            LANGUAGE sql STABLE AS
            $$ SELECT (lpad(to_hex((extract(epoch FROM pg_temp.run_time(n, runs, at)) * 1000)::bigint), 12, '0')
                || '7' || substr(md5(n::text), 1, 3) || '8' || substr(md5(n::text), 4, 15))::uuid $$
        """)
