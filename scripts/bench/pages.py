#!/usr/bin/env python3
"""How long pages of the console take in Chromium with a million runs in Postgres, and how soon they show a change.

Milliseconds from the click: the first byte, the first paint; and from a commit in the database to the changed row in an
open page. Real Postgres, RabbitMQ and Redis, in Docker or those that DATABASE_URL, BROKER_URL and REDIS_URL name, whose
table of runs must be empty or seeded by this.
"""

import argparse
import os
import secrets
import statistics as numbers
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import environment  # noqa: E402
import services  # noqa: E402

PAGES = (
    "/console/",
    "/console/runs/",
    "/console/runs/?q=state:failed",
    "/console/runs/?q=timed+out",
    "/console/runs/?q=c-4711",
    "/console/runs/?q=queue:forgotten",
    "/console/queues/",
    "/console/tasks/",
)
_PAINT = """() => {
    const [navigation] = performance.getEntriesByType('navigation');
    const paint = performance.getEntriesByName('first-contentful-paint')[0];
    return [navigation.responseStart, paint ? paint.startTime : null];
}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1_000_000, help="rows in the table of runs (1000000)")
    parser.add_argument("--rounds", type=int, default=7, help="counted rounds, after one that warms up (7)")
    options = parser.parse_args()
    programs = environment.ensure("example", "dev")
    if os.environ.get("ROWLOCK_BENCH_DATABASE") == "ready":
        # In a process that has Django and a database.
        measure(options)
        return
    with services.real_services() as variables, tempfile.TemporaryDirectory() as folder:
        if variables is None:
            sys.exit("The benchmark needs Docker, or DATABASE_URL, BROKER_URL and REDIS_URL.")
        os.environ.update(
            variables,
            DEBUG="true",
            SECRET_KEY=secrets.token_hex(),
            DJANGO_SETTINGS_MODULE="example.settings",
            DJANGO_ALLOW_ASYNC_UNSAFE="true",
            ROWLOCK_EMBEDDED_DIR=folder,
            ROWLOCK_BENCH_DATABASE="ready",
            PATH=f"{programs}{os.pathsep}{os.environ['PATH']}",
            PYTHONPATH=f"{environment.ROOT / 'app'}:{HERE.parent}:{HERE}",
        )
        sys.exit(subprocess.run([str(programs / "python"), __file__, *sys.argv[1:]], check=False).returncode)


def measure(options: argparse.Namespace) -> None:
    import django

    django.setup()
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from django.test import Client

    from rowlock.models import Run
    from seeding import seed
    from tests.browser.chromium import running_browser
    from tests.web.test_serving import serving

    call_command("migrate", verbosity=0)
    if not Run.objects.exists():
        print(f"seeding {options.runs:,} runs", file=sys.stderr, flush=True)
        seed(options.runs)
    client = Client()
    client.force_login(User.objects.filter(username="ada").first() or User.objects.create_superuser("ada"))
    log = Path(os.environ["ROWLOCK_EMBEDDED_DIR"]) / "web"
    with serving(log, DJANGO_ALLOW_ASYNC_UNSAFE="") as web, running_browser() as browser:
        base = f"http://127.0.0.1:{web.port}"
        context = browser.new_context(base_url=base)
        context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": base}])
        print(f"{'':<40} {'first byte':>18} {'first paint':>18}   median (smallest to largest), ms")
        for path in PAGES:
            taken = [_open(context, path) for _ in range(options.rounds + 1)][1:]
            print(f"{path:<40} {_words([one[0] for one in taken])} {_words([one[1] for one in taken])}", flush=True)
        for path in ("/console/runs/", "/console/runs/?q=state:unfinished"):
            late = [_change(context, path, number) for number in range(options.rounds + 1)][1:]
            print(f"{'a change in ' + path:<40} {_words(late)}", flush=True)


def _open(context: Any, path: str) -> tuple[float, float]:
    page = context.new_page()
    page.goto(path)
    first_byte, paint = page.evaluate(_PAINT)
    while paint is None:
        page.wait_for_timeout(20)
        first_byte, paint = page.evaluate(_PAINT)
    page.close()
    return first_byte, paint


def _change(context: Any, path: str, number: int) -> float:
    """Milliseconds from a commit that makes a run newest, as a submission does, to its row in the page."""
    from rowlock import runs

    page = context.new_page()
    page.goto(path)
    page.locator("#live[data-state=live]").wait_for()
    # The page asks once more after it has connected, and at most once a second.
    page.wait_for_timeout(2500)
    run = runs.submit("example.tasks.basic.add", [number, 1], owner="bench")
    began = time.perf_counter()
    page.locator(f"[id$='{run.id}']").first.wait_for(state="attached")
    late = (time.perf_counter() - began) * 1000
    page.close()
    return late


def _words(milliseconds: list[float]) -> str:
    words = f"{numbers.median(milliseconds):.0f} ({min(milliseconds):.0f} to {max(milliseconds):.0f})"
    return f"{words:>18}"


if __name__ == "__main__":
    main()
