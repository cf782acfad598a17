"""How many pods a Deployment wanted and had, as it changed."""

import math
import subprocess
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from cluster.harness.cluster import Namespace

COLUMNS = '{.spec.replicas},{.status.replicas},{.status.readyReplicas}{"\\n"}'


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Pods of a Deployment at `time` (seconds since the epoch)."""

    time: float
    wanted: int
    made: int
    ready: int


@dataclass
class Trace:
    samples: list[Sample] = field(default_factory=list)

    @property
    def now(self) -> Sample | None:
        return self.samples[-1] if self.samples else None

    def since(self, moment: float, until: float = math.inf) -> "Trace":
        """What was seen from `moment` on, beginning with what held then."""
        before = [sample for sample in self.samples if sample.time <= moment][-1:]
        return Trace(before + [sample for sample in self.samples if moment < sample.time <= until])

    def wanted(self) -> list[int]:
        """The numbers of pods that were wanted, one after the other."""
        found: list[int] = []
        for sample in self.samples:
            if not found or found[-1] != sample.wanted:
                found.append(sample.wanted)
        return found

    def when(self, *, wanted: int = 0, ready: int = 0) -> float | None:
        """The first moment with so many pods at least; None while there was none."""
        times = (sample.time for sample in self.samples if sample.wanted >= wanted and sample.ready >= ready)
        return next(times, None)


@contextmanager
def traced(namespace: Namespace, deployment: str) -> Iterator[Trace]:
    """The trace of `deployment`, growing for as long as the context is open."""
    command = ("kubectl", "--kubeconfig", str(namespace.cluster.kubeconfig), "--namespace", namespace.name, "get")
    watch = ("deployment", deployment, "--watch", "--output", f"jsonpath={COLUMNS}")
    trace = Trace()
    with subprocess.Popen([*command, *watch], stdout=subprocess.PIPE, text=True) as process:
        reader = threading.Thread(target=_read, args=(process.stdout, trace), daemon=True)
        reader.start()
        try:
            yield trace
        finally:
            process.terminate()
            reader.join()


def _read(lines: Iterable[str], trace: Trace) -> None:
    for line in lines:
        wanted, made, ready = (int(part or 0) for part in line.strip().split(","))
        trace.samples.append(Sample(time=time.time(), wanted=wanted, made=made, ready=ready))
