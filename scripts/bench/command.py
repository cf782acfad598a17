"""Rowlock measured against the field, on this machine and side by side.

Real RabbitMQ, Redis and Postgres (in Docker, or the ones that DATABASE_URL, BROKER_URL and REDIS_URL name; they should
be new, for queues and rows stay). A first round is not counted: there is learned how many tasks a peer does in a few
seconds, which is how many it is given in all others. The cases take turns in every round, so that a machine whose speed
drifts does not favour one. Printed is one table, ratios first: medians, and how far the rounds spread. --out gets every
figure of every round as JSON, and a plot.
"""

import argparse
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import apart
import environment
import exporter
import machine
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
        seconds=options.seconds,
        tasks=options.tasks,
        requests=options.requests,
        samples=options.samples,
        backlogs=tuple(options.backlogs),
        histories=tuple(options.histories),
        pools=tuple(options.pools),
        peers=tuple(peer for peer in peers.PEERS if any(word in peer.name for word in options.peers)),
    )
    environments = {peer.apart for peer in bench.peers if peer.apart}
    environments |= {exporter.ENVIRONMENT} if "watching" in options.only else set()
    # Before anything is measured.
    for name in sorted(environments):
        apart.programs(name)
    with services.real_services(direct=True) as variables:
        if variables is None:
            sys.exit("The benchmark needs Docker, or DATABASE_URL, BROKER_URL and REDIS_URL.")
        os.environ.update(variables, DJANGO_SETTINGS_MODULE="bench_settings", QUEUE="bench")
        # The default virtual host, as pika and aio-pika read it too.
        os.environ["BROKER_URL"] = re.sub("//$", "/%2F", os.environ["BROKER_URL"])
        migrate = [sys.executable, "-m", "django", "migrate", "--skip-checks", "--verbosity", "0"]
        subprocess.run(migrate, check=True)
        facts = machine.facts(environments)
        cases = [case for part in options.only for case in PARTS[part](bench)]
        results = Results()
        try:
            measure(cases, options.rounds, results)
        finally:
            # What there is, also when something ends it early.
            if results.values:
                _report(results, options, facts, out)


def _report(results: Results, options: argparse.Namespace, facts: Mapping[str, Any], out: Path) -> None:
    asked = {name: value for name, value in vars(options).items() if name not in ("out", "json")}
    report.show(results)
    told = report.document(results, asked, facts)
    report.write(results, told, [out / "results.json", *([options.json] if options.json else [])], out / "results.svg")
    print(f"\n{out}", file=sys.stderr)


def measure(cases: Sequence[Case], rounds: int, results: Results) -> None:
    """Every case once a round, but those that take no part in it; the first round is not counted."""
    turns = [
        (number, case)
        for number in range(rounds + 1)
        for case in cases
        if (number == 1 if case.once else number or not case.is_warm)
    ]
    for left, (number, case) in zip(reversed(range(len(turns))), turns, strict=True):
        word = f"round {number}" if number else "warming up"
        for figure in case.run():
            value = f"{figure.value:.{figure.quantity.digits}f} {figure.quantity.unit}"
            print(f"{word}: {figure.quantity.title}: {figure.subject}: {value}", file=sys.stderr, flush=True)
            if number:
                results.add(figure)
        print(f"{datetime.now(UTC):%H:%M:%S} {word}, {left} of {len(turns)} cases left", file=sys.stderr, flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/bench/run", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parts = ",".join(PARTS)
    parser.add_argument("--only", type=_parts, default=list(PARTS), metavar="PART,…", help=f"some of {parts}")
    parser.add_argument(
        "--peers", type=_words, default=[""], metavar="WORD,…",
        help="of the peers of throughput and memory only those with one of these words in their names",
    )  # fmt: skip
    parser.add_argument("--rounds", type=_positive, default=3, help="counted rounds, after one that warms up (3)")
    parser.add_argument(
        "--seconds", type=_seconds, default=2.5,
        help="throughput, watching and scale: for how long tasks are counted, after 1.5 that warm up (2.5)",
    )  # fmt: skip
    parser.add_argument("--tasks", type=_positive, help="count as many tasks instead, whatever time they take")
    parser.add_argument("--requests", type=_positive, default=1000, help="accepting: requests a case and round (1000)")
    parser.add_argument("--samples", type=_positive, default=8, help="latency: tasks a case and round (8)")
    parser.add_argument(
        "--backlogs", type=_numbers, default=[1000, 10_000], metavar="N,…",
        help="scale: messages that wait in the queue (1000,10000; the whole curve: 1000,10000,100000,1000000)",
    )  # fmt: skip
    parser.add_argument(
        "--histories", type=_numbers, default=[10_000, 100_000], metavar="N,…",
        help="scale: runs in the history (10000,100000; the whole curve goes to 10000000)",
    )  # fmt: skip
    parser.add_argument(
        "--pools", type=_numbers, default=[1, 10], metavar="N,…",
        help="scale: idle pools side by side (1,10; the whole curve goes to 50, which need 6 GB)",
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


def _words(given: str) -> list[str]:
    words = given.split(",")
    if unknown := [word for word in words if not any(word in peer.name for peer in peers.PEERS)]:
        names = "; ".join(peer.name for peer in peers.PEERS)
        raise argparse.ArgumentTypeError(f"no peer has {' or '.join(unknown)} in its name; there are {names}")
    return words


def _numbers(given: str) -> list[int]:
    return [_positive(one) for one in given.split(",")]


def _seconds(given: str) -> float:
    try:
        seconds = float(given)
    except ValueError:
        seconds = 0.0
    # "nan" is not.
    if not 0.5 <= seconds <= 600:
        raise argparse.ArgumentTypeError(f"{given!r} is not a number of seconds from 0.5 to 600")
    return seconds


def _positive(given: str) -> int:
    if not given.isdecimal() or int(given) < 1:
        raise argparse.ArgumentTypeError(f"{given!r} is not a whole number of 1 or more")
    return int(given)


if __name__ == "__main__":
    main()
