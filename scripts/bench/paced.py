"""How many tasks a peer is given, so that each is measured for as long as the others, however fast it is."""

from dataclasses import dataclass, field

from cases import Bench
from filled import Execution, Stretch
from work import BRIEF, Kind

#: Seconds' worth of tasks that come first and are not counted: a worker starts its processes, and grows what it takes
#: ahead, in these; and those of what follows in the same worker.
WARMING, CHANGING = 1.5, 0.75
#: Tasks that are counted at least, and at most: more would take longer to publish than they tell.
FEWEST, MOST = 200, 60_000
#: Share of the tasks that is not counted where their number is given.
WARMING_SHARE = 0.2


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
