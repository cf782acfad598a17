"""Rowlock measured against the field, on this machine and side by side.

Real RabbitMQ, Redis and Postgres (in Docker, or the ones that DATABASE_URL, BROKER_URL and REDIS_URL name; they should
be new, for queues and rows stay). One round warms up and is not counted; the cases take turns in every round, so that a
machine whose speed drifts does not favour one. Printed is one table, ratios first: medians, and how far the rounds
spread. --out gets every figure of every round as JSON, and a plot.
"""

import argparse
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import environment
import peers
import report
import services
from cases import Bench, Case, Results
from measures import accepting, latency, memory, scale, throughput, watching

PARTS: dict[str, Callable[[Bench], Sequence[Case]]] = {
    "throughput": throughput.cases,
    "accepting": accepting.cases,
    "latency": latency.cases,
    "watching": watching.cases,
    "memory": memory.cases,
    "scale": scale.cases,
}


def main() -> None:
    # Else a TERM would leave workers and services behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by a signal"))
    options = _options()
    out: Path = options.out / f"{datetime.now(UTC):%Y-%m-%dT%H-%M-%SZ}"
    out.mkdir(parents=True)
    bench = Bench(
        run=uuid4().hex[:6],
        out=out,
        tasks=options.tasks,
        requests=options.requests,
        samples=options.samples,
        backlogs=tuple(options.backlogs),
        histories=tuple(options.histories),
        peers=tuple(peer for peer in peers.PEERS if any(word in peer.name for word in options.peers)),
    )
    if not bench.peers:
        sys.exit(f"No peer has {' or '.join(options.peers)} in its name: {'; '.join(one.name for one in peers.PEERS)}")
    with services.real_services() as variables:
        if variables is None:
            sys.exit("The benchmark needs Docker, or DATABASE_URL, BROKER_URL and REDIS_URL.")
        os.environ.update(variables, DJANGO_SETTINGS_MODULE="bench_settings", QUEUE="bench")
        # The default virtual host, as pika and aio-pika read it too.
        os.environ["BROKER_URL"] = re.sub("//$", "/%2F", os.environ["BROKER_URL"])
        migrate = [sys.executable, "-m", "django", "migrate", "--skip-checks", "--verbosity", "0"]
        subprocess.run(migrate, check=True)
        cases = [case for part in options.only for case in PARTS[part](bench)]
        results = measure(cases, options.rounds)
    report.show(results)
    report.write(results, out, rounds=options.rounds, tasks=options.tasks, parts=options.only)
    if options.json:
        report.write_json(results, options.json, rounds=options.rounds, tasks=options.tasks, parts=options.only)
    print(f"\n{out}", file=sys.stderr)


def measure(cases: Sequence[Case], rounds: int) -> Results:
    """Every case once a round; the first round is not counted."""
    results = Results()
    for number in range(rounds + 1):
        for case in cases:
            if case.once and number != 1:
                continue
            for figure in case.run():
                word = "warming up" if number == 0 else f"round {number}"
                value = f"{figure.value:.{figure.quantity.digits}f} {figure.quantity.unit}"
                print(f"{word}: {figure.quantity.title}: {figure.subject}: {value}", file=sys.stderr, flush=True)
                if number:
                    results.add(figure)
    return results


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/bench/run", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parts = ",".join(PARTS)
    parser.add_argument("--only", type=_parts, default=list(PARTS), metavar="PART,…", help=f"some of {parts}")
    parser.add_argument(
        "--peers", type=lambda given: given.split(","), default=[""], metavar="WORD,…",
        help="of the peers of throughput and memory only those with one of these words in their names",
    )  # fmt: skip
    parser.add_argument("--rounds", type=_positive, default=3, help="counted rounds, after one that warms up (3)")
    parser.add_argument("--tasks", type=_positive, default=3000, help="tasks a case and round (3000)")
    parser.add_argument("--requests", type=_positive, default=2000, help="requests a case and round (2000)")
    parser.add_argument("--samples", type=_positive, default=20, help="tasks whose latency is taken a round (20)")
    parser.add_argument(
        "--backlogs", type=_numbers, default=[1000, 10_000], metavar="N,…",
        help="scale: messages that wait in the queue (1000,10000; the whole curve: 1000,10000,100000,1000000)",
    )  # fmt: skip
    parser.add_argument(
        "--histories", type=_numbers, default=[10_000, 100_000], metavar="N,…",
        help="scale: runs in the history (10000,100000; the whole curve goes to 10000000)",
    )  # fmt: skip
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to this file too")
    out = environment.ROOT / ".bench"
    parser.add_argument(
        "--out", type=Path, default=out, metavar="DIR", help="a folder for each run is made here (.bench)"
    )
    return parser.parse_args()


def _parts(given: str) -> list[str]:
    chosen = given.split(",")
    if unknown := sorted(set(chosen) - set(PARTS)):
        raise argparse.ArgumentTypeError(f"no such part: {', '.join(unknown)}; there are {', '.join(PARTS)}")
    return [part for part in PARTS if part in chosen]


def _numbers(given: str) -> list[int]:
    return [_positive(one) for one in given.split(",")]


def _positive(given: str) -> int:
    if not given.isdecimal() or int(given) < 1:
        raise argparse.ArgumentTypeError(f"{given!r} is not a whole number of 1 or more")
    return int(given)


if __name__ == "__main__":
    main()
