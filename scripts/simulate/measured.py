"""What the test cluster showed: k8s-tests/cluster/test_autoscaling.py writes measured.json with ROWLOCK_TRACE."""

import json
from dataclasses import dataclass
from pathlib import Path

from simulate.model import Cluster, Outcome, Pool, Settings, Task

FILE = Path(__file__).resolve().parent / "measured.json"
#: Seconds before the first task, so that the autoscalers' own clocks may stand anywhere.
BEFORE = 30.0


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A burst on the test cluster: times in seconds since the first submit."""

    settings: Settings
    cluster: Cluster
    tasks: list[Task]
    #: Time, pods wanted, pods ready.
    samples: list[tuple[float, int, int]]

    @property
    def peak(self) -> int:
        return max(wanted for _, wanted, _ in self.samples)

    @property
    def all_ready(self) -> float:
        return next(time for time, _, ready in self.samples if ready == self.peak)

    @property
    def shrinks(self) -> float:
        """When fewer pods were wanted again."""
        return next(time for time, wanted, _ in self.samples if time > self.all_ready and wanted < self.peak)


def measured() -> Measured:
    told = json.loads(FILE.read_text())
    return Measured(
        settings=Settings(**told["settings"]),
        cluster=Cluster(**told["cluster"]),
        tasks=[Task(**task) for task in told["tasks"]],
        samples=[(time, wanted, ready) for time, wanted, ready in told["samples"]],
    )


def modelled(what: Measured, seed: int) -> Outcome:
    """The same burst in the model, `BEFORE` seconds after its beginning."""
    tasks = [Task(arrives=task.arrives + BEFORE, seconds=task.seconds) for task in what.tasks]
    return Pool(what.settings, what.cluster, seed=seed).run(tasks, BEFORE + what.samples[-1][0] + 120)


def all_ready(outcome: Outcome) -> float:
    """Seconds from the first task until as many pods were ready as ever were wanted."""
    return next(sample.time for sample in outcome.samples if sample.ready == outcome.peak) - BEFORE


def shrinks(outcome: Outcome) -> float:
    """Seconds from the first task until fewer pods were wanted again."""
    after = BEFORE + all_ready(outcome)
    return (
        next(sample.time for sample in outcome.samples if sample.time > after and sample.wanted < outcome.peak) - BEFORE
    )
