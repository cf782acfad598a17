"""Remembering an answer that changes seldom."""

import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

#: Seconds.
LIFETIME = 300.0


class Refreshed(Generic[T]):
    """Asks anew when the last answer is older than `LIFETIME`."""

    def __init__(self) -> None:
        self._known: tuple[float, T] | None = None

    def get(self, ask: Callable[[], T]) -> T:
        now = time.monotonic()
        if self._known is None or now - self._known[0] > LIFETIME:
            self._known = now, ask()
        return self._known[1]
