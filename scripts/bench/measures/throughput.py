"""Tasks a second: no-op, and of 10 ms each; and tasks for a second of processor time, that is, a second of one core."""

from collections.abc import Iterable
from functools import partial

from cases import Bench, Case, Figure, Quantity
from filled import execute
from learning import learn
from paced import Pace
from peers import BARE, Peer
from work import Kind

KINDS: dict[Kind, str] = {"nothing": "no-op tasks", "brief": "10 ms tasks"}
#: Of the queue by which a pace is learned: short, as Postgres has room for 40 characters of a queue of Procrastinate's.
FIRST = "first"


def cases(bench: Bench) -> list[Case]:
    return [Case(run=partial(_measure, bench, peer, Pace(slots=peer.slots))) for peer in bench.peers]


def _measure(bench: Bench, peer: Peer, pace: Pace) -> Iterable[Figure]:
    """Both kinds one after the other, by the same worker; the first time only how fast a peer is."""
    if not bench.tasks and not pace.rates:
        pace.rates["nothing"] = learn(bench, peer, FIRST)
        return
    for done in execute(bench, peer, [pace.stretch(bench, kind) for kind in KINDS]):
        pace.learn(done)
        title, base = f"{KINDS[done.kind]} executed", BARE.name
        rate = Quantity(title=title, unit="a second", base=base)
        yield Figure(quantity=rate, subject=peer.name, value=done.rate)
        # With a handful of tasks it is less than the kernel counts.
        if done.cpu:
            per_core = Quantity(title=f"{title} for a second of one core", unit="a second", base=base)
            yield Figure(quantity=per_core, subject=peer.name, value=1000 / done.cpu)
