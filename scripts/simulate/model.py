"""A pool of workers under KEDA and the HorizontalPodAutoscaler, in steps of a quarter second.

What it takes from their sources: RabbitMQ refreshes its queue statistics every five seconds; KEDA asks every `polling`
seconds and moves a pool from sleep to `wake` pods and, `cooldown` seconds after the last message, back; the HPA looks
every fifteen seconds, tolerates ten percent, takes the largest answer of its metrics, and the largest of the last
`stabilisation` seconds before it shrinks.
"""

import math
import random
from collections import deque
from dataclasses import dataclass, field

STEP = 0.25
#: Seconds between two refreshments of RabbitMQ's statistics, and between two looks of the HPA.
STATISTICS, HPA_SYNC = 5.0, 15.0
TOLERANCE = 0.1


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Values of a pool, named as in the chart; times in seconds."""

    min: int = 0
    max: int = 20
    concurrency: int = 2
    messages_per_worker: int | None = None
    max_wait: float | None = None
    wake: int = 1
    polling: float = 5
    cooldown: float = 120
    stabilisation: float = 300
    #: At most, in fifteen seconds: the share of pods, or the number of pods, whichever is more.
    up_percent: int = 200
    up_pods: int = 10
    #: At most, in sixty seconds.
    down_percent: int = 50
    #: What is counted: waiting and running, waiting alone, or the CPU as a plain HPA sees it.
    count: str = "all"
    #: Do busy pods go last, as `podDeletionCost` has it?
    idle_first: bool = True

    @property
    def target(self) -> int:
        return self.messages_per_worker or self.concurrency


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """What a pod takes to work: `start` seconds, and `crowding` more for each that starts at the same time.

    The kubelet sees that it is ready `probe` seconds later.
    """

    start: float = 5.0
    crowding: float = 0.5
    probe: float = 1.0
    grace: float = 330.0
    #: CPUs that one running task takes, of one that the pod requested.
    cpu: float = 0.15


@dataclass(frozen=True, kw_only=True)
class Task:
    arrives: float
    seconds: float


@dataclass
class Pod:
    ready_at: float
    busy: list[tuple[float, Task]] = field(default_factory=list)
    leaves_by: float | None = None


@dataclass(frozen=True, kw_only=True)
class Sample:
    time: float
    wanted: int
    ready: int
    waiting: int
    running: int


@dataclass
class Outcome:
    """What a load met under some settings; `started_twice` are tasks that a leaving pod had to put back."""

    samples: list[Sample] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    pod_seconds: float = 0
    busy_seconds: float = 0
    started_twice: int = 0
    turns: int = 0

    def wait(self, share: float) -> float:
        """Seconds that this share of the tasks waited at most."""
        ordered = sorted(self.waits)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0

    @property
    def peak(self) -> int:
        return max(sample.wanted for sample in self.samples)

    @property
    def pod_hours(self) -> float:
        return self.pod_seconds / 3600


class Pool:
    """One simulated pool; `run` once."""

    def __init__(self, settings: Settings, cluster: Cluster, *, seed: int = 0) -> None:
        self._settings, self._cluster, self._random = settings, cluster, random.Random(seed)  # noqa: S311
        self._wanted = settings.min
        self._pods = [Pod(ready_at=0) for _ in range(settings.min)]
        self._queue: deque[Task] = deque()
        self._seen = (0, 0, 0.0)
        self._active = -math.inf
        self._advice: deque[tuple[float, int]] = deque()
        self._changes: deque[tuple[float, int]] = deque()
        self._direction = 0
        phase = self._random.random
        self._statistics, self._poll, self._sync = (
            phase() * STATISTICS,
            phase() * settings.polling,
            phase() * HPA_SYNC,
        )
        self.outcome = Outcome()

    def run(self, tasks: list[Task], seconds: float) -> Outcome:
        """What happens to `tasks`, in order of arrival, in so many seconds."""
        coming = deque(tasks)
        for step in range(int(seconds / STEP)):
            now = step * STEP
            while coming and coming[0].arrives <= now:
                self._queue.append(coming.popleft())
            self._end(now)
            self._begin(now)
            self._look(now)
            self._follow(now)
            self._note(now, last=step % int(1 / STEP) == 0)
        return self.outcome

    def _end(self, now: float) -> None:
        for pod in self._pods:
            pod.busy = [(end, task) for end, task in pod.busy if end > now]
            if pod.leaves_by is not None and now >= pod.leaves_by:
                self._queue.extendleft(task for _, task in pod.busy)
                self.outcome.started_twice += len(pod.busy)
                pod.busy = []
        self._pods = [pod for pod in self._pods if pod.leaves_by is None or pod.busy]

    def _begin(self, now: float) -> None:
        free = [pod for pod in self._pods if pod.leaves_by is None and pod.ready_at <= now]
        while self._queue:
            free = [pod for pod in free if len(pod.busy) < self._settings.concurrency]
            if not free:
                return
            task = self._queue.popleft()
            # RabbitMQ hands messages round its consumers.
            pod = free[self._random.randrange(len(free))]
            pod.busy.append((now + task.seconds, task))
            self.outcome.waits.append(now - task.arrives)

    def _look(self, now: float) -> None:
        running = sum(len(pod.busy) for pod in self._pods)
        if now >= self._statistics:
            self._statistics += STATISTICS
            self._seen = (len(self._queue), running, now - self._queue[0].arrives if self._queue else 0.0)
        if now >= self._poll:
            self._poll += self._settings.polling
            self._wake_or_sleep(now)
        if now >= self._sync:
            self._sync += HPA_SYNC
            if self._wanted:
                self._scale(now)

    def _messages(self) -> int:
        waiting, running, _ = self._seen
        return waiting if self._settings.count == "ready" else waiting + running

    def _wake_or_sleep(self, now: float) -> None:
        if self._settings.min or self._settings.count == "cpu":
            return
        if self._messages():
            self._active = now
            if not self._wanted:
                self._set(now, self._settings.wake)
        elif self._wanted and now > self._active + self._settings.cooldown:
            self._set(now, 0)

    def _scale(self, now: float) -> None:
        wanted = max(self._by_metric(now), self._settings.min, self._settings.wake)
        wanted = min(wanted, self._settings.max)
        while self._advice and self._advice[0][0] <= now - self._settings.stabilisation:
            self._advice.popleft()
        self._advice.append((now, wanted))
        if wanted < self._wanted:
            wanted = min(self._wanted, max(advice for _, advice in self._advice))
        self._set(now, self._within_policies(now, wanted))

    def _by_metric(self, now: float) -> int:
        ready = [pod for pod in self._pods if pod.leaves_by is None and pod.ready_at <= now]
        if self._settings.count == "cpu":
            use = sum(len(pod.busy) for pod in ready) * self._cluster.cpu / max(1, len(ready)) / 0.7
            return self._by_share(use, len(ready))
        share = self._messages() / (self._settings.target * self._wanted)
        found = self._wanted if abs(share - 1) <= TOLERANCE else math.ceil(self._messages() / self._settings.target)
        if self._settings.max_wait:
            found = max(found, self._by_share(self._seen[2] / self._settings.max_wait, len(ready)))
        return found

    def _by_share(self, share: float, ready: int) -> int:
        return self._wanted if abs(share - 1) <= TOLERANCE else math.ceil(share * ready)

    def _within_policies(self, now: float, wanted: int) -> int:
        up = self._wanted - sum(change for at, change in self._changes if change > 0 and at > now - 15)
        down = self._wanted - sum(change for at, change in self._changes if change < 0 and at > now - 60)
        highest = max(math.ceil(up * (1 + self._settings.up_percent / 100)), up + self._settings.up_pods)
        lowest = int(down * (1 - self._settings.down_percent / 100))
        return max(min(wanted, highest), min(lowest, self._wanted))

    def _set(self, now: float, wanted: int) -> None:
        change = wanted - self._wanted
        if not change:
            return
        self._changes.append((now, change))
        direction = 1 if change > 0 else -1
        self.outcome.turns += self._direction == -1 and direction == 1
        self._direction = direction
        self._wanted = wanted
        if not wanted:
            self._advice.clear()

    def _follow(self, now: float) -> None:
        staying = [pod for pod in self._pods if pod.leaves_by is None]
        for _ in range(self._wanted - len(staying)):
            starting = sum(pod.ready_at > now for pod in self._pods)
            takes = self._cluster.start * self._random.uniform(0.85, 1.25) + self._cluster.crowding * starting
            self._pods.append(Pod(ready_at=now + takes))
        surplus = len(staying) - self._wanted
        if surplus > 0:
            # Pods that are not ready go first, then the youngest, unless a deletion cost says who is idle.
            order = sorted(
                staying,
                key=lambda pod: (
                    pod.ready_at <= now,
                    len(pod.busy) if self._settings.idle_first else 0,
                    -pod.ready_at,
                ),
            )
            for pod in order[:surplus]:
                pod.leaves_by = now + self._cluster.grace

    def _note(self, now: float, *, last: bool) -> None:
        seen = now - self._cluster.probe
        ready = sum(pod.ready_at <= seen and pod.leaves_by is None for pod in self._pods)
        running = sum(len(pod.busy) for pod in self._pods)
        self.outcome.pod_seconds += len(self._pods) * STEP
        self.outcome.busy_seconds += running * STEP
        if last:
            sample = Sample(time=now, wanted=self._wanted, ready=ready, waiting=len(self._queue), running=running)
            self.outcome.samples.append(sample)
