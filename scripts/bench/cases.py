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
    tasks: int
    requests: int
    samples: int
    backlogs: tuple[int, ...]
    histories: tuple[int, ...]
    pools: tuple[int, ...]
    peers: tuple[Peer, ...]


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """`base` is the subject that the others are compared with; without its figures the first one is."""

    title: str
    unit: str
    base: str = ""
    digits: int = 0


@dataclass(frozen=True, kw_only=True)
class Figure:
    quantity: Quantity
    subject: str
    value: float


@dataclass(frozen=True, kw_only=True)
class Case:
    """Something that yields figures; `once`: it takes too long for every round."""

    run: Callable[[], Iterable[Figure]]
    once: bool = False


@dataclass
class Results:
    """The figures of the counted rounds, in the order in which quantities and subjects first came."""

    values: dict[Quantity, dict[str, list[float]]] = field(default_factory=dict)

    def add(self, figure: Figure) -> None:
        self.values.setdefault(figure.quantity, {}).setdefault(figure.subject, []).append(figure.value)
