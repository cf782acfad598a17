#!/usr/bin/env python3
"""What the database has to do for lists, searches, counts and the overview, with a million runs in Postgres.

Milliseconds in the database (as its client sees them), how the plans read the table, and how many rows. Real Postgres
17, in Docker or the one that DATABASE_URL names, whose table of runs must be empty or seeded by this.
"""

import argparse
import json
import os
import statistics as numbers
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import environment  # noqa: E402
import services  # noqa: E402

#: Milliseconds that none of them may take.
GOAL = 100

QUERIES = (
    "",
    "state:failed",
    "state:succeeded",
    "state:unfinished",
    "state:finished",
    "state:expired,cancelled",
    "state:scheduled",
    "-state:succeeded",
    "state:retrying state:failed",
    "task:send",
    "task:shop.mail.*",
    "task:shop.mail.send",
    "task:legacy.once",
    "task:nothing.such",
    "-task:shop.mail.*",
    "queue:celery",
    "queue:imports",
    "queue:forgotten",
    "queue:nosuch",
    "queue:im*",
    "queue:zz*",
    "-queue:celery",
    "-queue:*",
    "worker:{worker}",
    "worker:{old_worker}",
    "worker:celery@nobody",
    "worker:*heavy*",
    "worker:*nobody*",
    "-worker:*",
    "owner:user-0",
    "owner:user-1999",
    "owner:nobody",
    "owner:user-19*",
    "owner:no-*",
    "-owner:*",
    "key:import-77777",
    "key:import-7777*",
    "key:*-777777",
    "key:nosuch-*",
    "key:*",
    "-key:*",
    "error:ValueError",
    "error:OutOfStock",
    "error:NoSuchError",
    "error:*",
    "-error:*",
    "error:shop.*",
    "send",
    "timed out",
    "c-4711",
    "user-77",
    "import-123456",
    "zzzzzzzzz",
    "zz",
    "e",
    "-send",
    "-timeout",
    "took:>5m",
    "took:>1000h",
    "took:<10ms",
    "waited:>1m",
    "waited:>1000h",
    "retries:>2",
    "retries:7",
    "deliveries:>1",
    "deliveries:>7",
    "parent:*",
    "retry-of:*",
    "since:1h",
    "since:10d until:9d",
    "until:29d",
    "since:1m state:failed",
    "until:25d queue:forgotten",
    "state:failed task:send queue:email",
    "state:failed error:OutOfStock since:7d",
    "state:failed timeout",
    "state:failed error:PermissionError worker:*heavy*",
    "state:started queue:heavy",
    "state:started task:legacy.once",
    "state:cancelled owner:user-1500",
    "queue:forgotten took:>1h",
    "task:shop.mail.send took:>1h",
    "owner:user-0 waited:>10h",
    "state:succeeded took:>10h",
    "-state:succeeded,failed -queue:celery",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1_000_000, help="rows in the table of runs (1000000)")
    parser.add_argument("--rounds", type=int, default=3, help="counted rounds, after one that warms up (3)")
    parser.add_argument("--match", default="", help="only what has this in its name")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args()
    programs = environment.ensure("example")
    if os.environ.get("ROWLOCK_BENCH_DATABASE") != "ready":
        # Django is in the environment that was just made, which may not be this program's.
        with services.real_services() as variables:
            if variables is None:
                sys.exit("The benchmark needs Docker, or DATABASE_URL, BROKER_URL and REDIS_URL.")
            paths = f"{environment.ROOT / 'app'}:{HERE.parent}:{HERE}"
            chosen = {"VARIANT": "rowlock", "DJANGO_SETTINGS_MODULE": "bench_settings", "DEBUG": "true"}
            os.environ.update(variables, **chosen, PYTHONPATH=paths, ROWLOCK_BENCH_DATABASE="ready")
            sys.exit(subprocess.run([str(programs / "python"), __file__, *sys.argv[1:]], check=False).returncode)
    measure(options)


def measure(options: argparse.Namespace) -> None:
    """In a process that has Django and a database."""
    import django

    django.setup()
    from django.core.management import call_command

    from rowlock.models import Run
    from seeding import seed
    from watching_sql import cost_of

    call_command("migrate", verbosity=0)
    if not Run.objects.exists():
        print(f"seeding {options.runs:,} runs", file=sys.stderr, flush=True)
        seed(options.runs)
    found: list[dict[str, Any]] = []
    print(f"{'':<52} {'median':>8} {'max':>8}  {'rows read':>9} {'found':>15}  plan")
    for name, work in [*lists(), *counts(), *pages(), *overview()]:
        if options.match not in name:
            continue
        cost = cost_of(work, options.rounds)
        median, most = numbers.median(cost.milliseconds), max(cost.milliseconds)
        mark = "!" if most > GOAL or any(node.startswith("Seq run") for node in cost.nodes) else " "
        how = cost.problem or ", ".join(sorted(cost.nodes))
        print(f"{name:<52} {median:>8.1f} {most:>8.1f}{mark} {cost.rows_read:>9} {cost.answer:>15}  {how}", flush=True)
        found.append(
            {
                "name": name,
                "milliseconds": cost.milliseconds,
                "rows read": cost.rows_read,
                "statements": cost.statements,
                "nodes": sorted(cost.nodes),
                "problem": cost.problem,
            }
        )
    slowest = max((one for one in found), key=lambda one: max(one["milliseconds"]))
    print(f"\n{len(found)} kinds; slowest: {slowest['name']}, {max(slowest['milliseconds']):.0f} ms")
    if options.json:
        options.json.write_text(json.dumps({"runs": options.runs, "goal": GOAL, "found": found}, indent=2))


Work = tuple[str, Callable[[], object]]


def lists() -> list[Work]:
    """The first page of every kind of query, and deep ones."""
    from rowlock.models import Run
    from rowlock.runs.paging import cursor_at
    from rowlock.runs.query import parse
    from rowlock.runs.search import find
    from rowlock.runs.viewer import EVERYBODY, Viewer

    workers = Run.objects.filter(worker__gt="")
    names = {
        "worker": workers.order_by("-created").values_list("worker", flat=True).first(),
        "old_worker": workers.order_by("created").values_list("worker", flat=True).first(),
    }

    def listed(query: str, cursor: str | None = None, viewer: Viewer = EVERYBODY) -> str:
        found = find(parse(query), viewer, cursor=cursor, limit=50)
        return f"{len(found.runs)}" + (f" since {found.searched_until:%d %b}" if found.searched_until else "")

    def after(query: str, pages: int) -> str | None:
        found = parse(query).filter(Run.objects.order_by("-created", "-id")).values_list("created", "id")
        last = found[50 * pages : 50 * pages + 1].first()
        return cursor_at(*last) if last else None

    texts = [query.format(**names) for query in QUERIES]
    numbers = [("", 10_000), ("state:failed", 300), ("task:send", 2000), ("queue:imports", 200)]
    deep = [(query, number, after(query, number)) for query, number in numbers]
    ordinary = Viewer(name="user-1500")
    return [
        *((f"list {query or '(newest)'}", lambda query=query: listed(query)) for query in texts),
        *(
            (f"page {number} of {query or '(newest)'}", lambda query=query, at=at: listed(query, at))
            for query, number, at in deep
        ),
        *(
            (f"list of one owner {query or '(newest)'}", lambda query=query: listed(query, viewer=ordinary))
            for query in ("", "state:failed", "send", "zzzzzzz", "took:>10h", "queue:forgotten")
        ),
    ]


def counts() -> list[Work]:
    """How many a query finds, as asked before bulk actions."""
    return []


def pages() -> list[Work]:
    """One run, and what live views read."""
    from datetime import UTC, datetime

    from rowlock.live.changes import Changes
    from rowlock.live.counts import count
    from rowlock.models import Run
    from rowlock.runs.presentation import HEAVY_COLUMNS, detail
    from rowlock.runs.query import parse
    from rowlock.runs.query.facts import Facts
    from rowlock.runs.viewer import EVERYBODY, Viewer

    parent = Run.objects.filter(parent_id__isnull=False)[0]
    again = Run.objects.filter(retry_of__isnull=False)[0]
    ids = list(Run.objects.order_by("-changed").values_list("id", flat=True)[:250])
    changes = Changes()

    def relatives() -> object:
        return [
            list(Run.objects.filter(parent_id=parent.parent_id).order_by("-created").defer(*HEAVY_COLUMNS)[:50]),
            list(Run.objects.filter(retry_of=again.retry_of).order_by("-created").defer(*HEAVY_COLUMNS)[:50]),
        ]

    def matching() -> object:
        found = parse("state:failed timeout").filter(Run.objects.filter(id__in=ids))
        return list(found.order_by("created", "id").defer(*HEAVY_COLUMNS))

    def resumed() -> object:
        since = datetime.now(UTC) - timedelta(minutes=2)
        return list(Run.objects.filter(changed__gte=since).order_by("-changed").values_list("id", flat=True)[:1001])

    return [
        ("run: one", lambda: detail(Run.objects.get(id=parent.id))),
        ("run: its children and retries", relatives),
        ("live: look for changes", changes.look),
        ("live: 250 changed runs against a query", matching),
        ("live: coming back", resumed),
        ("live: counts of everybody's", lambda: count(EVERYBODY)),
        ("live: counts of one owner's", lambda: count(Viewer(name="user-0"))),
        ("names of tasks", lambda: Facts("default").task_names),
    ]


def overview() -> list[Work]:
    """What the overview and the queues' page show."""
    from rowlock import statistics
    from rowlock.models import Run
    from rowlock.queues.depths import _waiting

    statistics.keep(most_rows=statistics.COLLECTORS_MOST_ROWS)
    return [
        ("queues: unfinished runs of each", lambda: _waiting(Run.objects.all())),
        *(
            (f"statistics: {what.__name__}, {period.label}", lambda what=what, period=period: what(period))
            for what in (statistics.activity, statistics.by_task, statistics.by_queue, statistics.depths)
            for period in statistics.Period
        ),
        (
            "statistics: activity of a task, 24h",
            lambda: statistics.activity(statistics.Period.DAY, task="shop.mail.send"),
        ),
    ]


if __name__ == "__main__":
    main()
