"""What is measured, on whom, and what came out."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from peers import Peer


@dataclass(frozen=True, kw_only=True)
class Bench:
    """One run of the benchmark; `run` makes the names of its queues its own."""

    run: str
    out: Path
    #: Seconds for which the tasks of a case are counted, and their number where that is given instead.
    seconds: float
    tasks: int | None
    requests: int
    samples: int
    backlogs: tuple[int, ...]
    histories: tuple[int, ...]
    pools: tuple[int, ...]
    peers: tuple[Peer, ...]


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """`base` is the subject that the others are compared with; without its figures the first one is.

    `along` names what grows from subject to subject, if anything does: the plot has a curve of it.
    """

    title: str
    unit: str
    base: str = ""
    digits: int = 0
    along: str = ""


@dataclass(frozen=True, kw_only=True)
class Point:
    """Where a subject is on a curve, and whose curve it is."""

    curve: str
    at: float


@dataclass(frozen=True, kw_only=True)
class Figure:
    quantity: Quantity
    subject: str
    value: float
    point: Point | None = None


@dataclass(frozen=True, kw_only=True)
class Case:
    """Something that yields figures.

    `once`: it takes too long for every round. `is_warm`: it warms up what it measures by itself, or there is nothing to
    warm, so it has no part in the round that is not counted.
    """

    run: Callable[[], Iterable[Figure]]
    once: bool = False
    is_warm: bool = False


@dataclass
class Results:
    """The figures of the counted rounds, in the order in which quantities and subjects first came."""

    values: dict[Quantity, dict[str, list[float]]] = field(default_factory=dict)
    points: dict[str, Point] = field(default_factory=dict)

    def add(self, figure: Figure) -> None:
        self.values.setdefault(figure.quantity, {}).setdefault(figure.subject, []).append(figure.value)
        if figure.point:
            self.points[figure.subject] = figure.point
