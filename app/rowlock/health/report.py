from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a process says of itself: it finished booting, it can work now, its main loop turns."""

    started: bool
    ready: bool
    alive: bool
    detail: str


Reporter = Callable[[], Report]


def answer(path: str, report: Report) -> bool | None:
    """Whether `report` satisfies the probe at `path`; None where there is no such probe."""
    return {"/livez": report.alive, "/readyz": report.ready, "/startupz": report.started}.get(path)
