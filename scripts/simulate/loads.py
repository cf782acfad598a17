"""Typical loads of a pool: tasks in order of arrival, the same for the same seed."""

import math
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from simulate.model import Task

Rate = Callable[[float], float]


@dataclass(frozen=True, kw_only=True)
class Load:
    """`about` in words, the seconds it is looked at, and its tasks by seed."""

    about: str
    seconds: float
    tasks: Callable[[int], list[Task]]


def arriving(rate: Rate, highest: float, seconds: float, until: float) -> Callable[[int], list[Task]]:
    """Tasks of about `seconds`, at random with `rate(time)` in a second, `highest` at most."""

    def tasks(seed: int) -> list[Task]:
        chance, found, now = random.Random(seed), [], 0.0  # noqa: S311
        while (now := now + chance.expovariate(highest)) < until:
            if chance.random() < rate(now) / highest:
                found.append(Task(arrives=now, seconds=seconds * chance.uniform(0.5, 1.5)))
        return found

    return tasks


def burst(count: int, seconds: float, at: float) -> Callable[[int], list[Task]]:
    def tasks(seed: int) -> list[Task]:
        chance = random.Random(seed)  # noqa: S311
        return [Task(arrives=at, seconds=seconds * chance.uniform(0.5, 1.5)) for _ in range(count)]

    return tasks


def on_off(now: float) -> float:
    return 3.0 if now % 300 < 120 else 0.0


def ramp(now: float) -> float:
    return 0.2 + 3.8 * max(0.0, math.sin(math.pi * now / 1800))


LOADS: Mapping[str, Load] = {
    "few": Load(about="8 tasks of 30 s at once", seconds=420, tasks=burst(8, 30, 60)),
    "burst": Load(about="100 tasks of 10 s at once", seconds=900, tasks=burst(100, 10, 60)),
    "steady": Load(about="2 a second of 4 s", seconds=1800, tasks=arriving(lambda _: 2, 2, 4, 1500)),
    "ramp": Load(about="up to 4 a second of 5 s and back", seconds=2100, tasks=arriving(ramp, 4, 5, 1800)),
    "on-off": Load(about="3 a second of 5 s, 2 of 5 minutes", seconds=1800, tasks=arriving(on_off, 3, 5, 1500)),
    "long tasks": Load(
        about="1 a minute of 3 minutes", seconds=3600, tasks=arriving(lambda _: 1 / 60, 1 / 60, 180, 2700)
    ),
    "short tasks": Load(about="20 a second of 50 ms", seconds=900, tasks=arriving(lambda _: 20, 20, 0.05, 600)),
}
