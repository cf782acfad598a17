"""Tasks a second: no-op, and of 10 ms each; and tasks for a second of processor time, that is, a second of one core."""

from collections.abc import Iterable
from functools import partial

from cases import Bench, Case, Figure, Quantity
from filled import execute
from peers import BARE, Peer
from work import Kind

KINDS: dict[Kind, str] = {"nothing": "no-op tasks", "brief": "10 ms tasks"}


def cases(bench: Bench) -> list[Case]:
    return [Case(run=partial(_measure, bench, peer, kind)) for kind in KINDS for peer in bench.peers]


def _measure(bench: Bench, peer: Peer, kind: Kind) -> Iterable[Figure]:
    rate = Quantity(title=f"{KINDS[kind]} executed", unit="a second", base=BARE.name)
    per_core = Quantity(title=f"{KINDS[kind]} executed for a second of one core", unit="a second", base=BARE.name)
    done = execute(bench, peer, kind, bench.tasks)
    yield Figure(quantity=rate, subject=peer.name, value=done.rate)
    # With a handful of tasks it is less than the kernel counts.
    if done.cpu:
        yield Figure(quantity=per_core, subject=peer.name, value=1000 / done.cpu)
