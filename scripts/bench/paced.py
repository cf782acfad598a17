"""How many tasks a peer is given, so that each is measured for as long as the others, however fast it is."""

import time
from dataclasses import dataclass, field

from cases import Bench
from filled import Execution, Stretch, fill, forget, variables_of, worker_of
from peers import Peer
from processes import until
from work import BRIEF, Kind

#: Seconds' worth of tasks that come first and are not counted: a worker starts its processes, and grows what it takes
#: ahead, in these; and those of what follows in the same worker.
WARMING, CHANGING = 1.5, 0.75
#: Tasks that are counted at least, and at most: more would take longer to publish than they tell.
FEWEST, MOST = 200, 60_000
#: Share of the tasks that is not counted where their number is given.
WARMING_SHARE = 0.2
#: No-op tasks by which a peer's pace is learned, and seconds for which they are watched.
LEARNED, LEARNING = 3000, 3.0
#: Between two looks.
PAUSE = 0.02


@dataclass(kw_only=True)
class Pace:
    """Tasks of each kind that a peer did in a second when it was last measured; it runs `slots` at a time."""

    slots: int
    rates: dict[Kind, float] = field(default_factory=dict)

    def stretch(self, bench: Bench, kind: Kind) -> Stretch:
        """As many tasks as `bench` wants, or as take its seconds."""
        if bench.tasks:
            return Stretch(kind=kind, warming=max(1, int(bench.tasks * WARMING_SHARE)), counted=bench.tasks)
        rate = self.rates.get(kind) or min(self.rates["nothing"], self.slots / BRIEF)
        counted = min(MOST, max(FEWEST, int(rate * bench.seconds)))
        warming = WARMING if kind == "nothing" else CHANGING
        return Stretch(kind=kind, warming=max(1, int(counted * warming / bench.seconds)), counted=counted)

    def learn(self, done: Execution) -> None:
        self.rates[done.kind] = done.rate


def learn(bench: Bench, peer: Peer, part: str) -> float:
    """No-op tasks that a peer does in a second, from a few of them; those that it does not get to are thrown away."""
    filled = fill(bench, peer, "nothing", LEARNED, part)
    try:
        with worker_of(bench, peer, part) as worker:
            looks = [(time.monotonic(), filled.wait(worker, 1).ended)]

            def has_seen() -> bool:
                looks.append((time.monotonic(), filled.ended()))
                return looks[-1][1] >= LEARNED or looks[-1][0] - looks[0][0] > LEARNING

            until(has_seen, worker, f"{LEARNED} tasks", pause=PAUSE)
    finally:
        forget(variables_of(bench, peer, part)["QUEUE"])
    # The later half: a worker is slower while it starts.
    last = looks[-1]
    half = next(look for look in looks if look[0] >= (looks[0][0] + last[0]) / 2)
    return max(1.0, (last[1] - half[1]) / max(PAUSE, last[0] - half[0]))
