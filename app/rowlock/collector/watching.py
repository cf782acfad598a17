"""Asking a service again and again from a thread of its own, so that no scrape ever waits for it."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from rowlock.collector.failing import Reason, reason_of

logger = logging.getLogger(__name__)

T = TypeVar("T")

#: Seconds between two questions.
INTERVAL = 10.0
#: Seconds for which an answer is told. A service that has been silent for so long is as good as away.
LONGEST_AGE = 30.0
#: Seconds after which a question is given up, and asked anew from another thread: some clients wait for ever.
LONGEST_QUESTION = 60.0


@dataclass(frozen=True, kw_only=True)
class Answer(Generic[T]):
    """What a service told, or why it did not."""

    found: T | None
    reason: Reason | None


class Watcher(Generic[T]):
    """Asks by `look`, which may raise anything and take any time."""

    def __init__(self, name: str, look: Callable[[], T], *, interval: float = INTERVAL) -> None:
        self._name = name
        self._look = look
        self._interval = interval
        self._lock = threading.Lock()
        self._thread: object = None
        self._answer: Answer[T] | None = None
        self._answered = self._asked = time.monotonic()

    def start(self) -> "Watcher[T]":
        """Ask from now on, until the process ends."""
        self._begin()
        return self

    def last(self) -> Answer[T] | None:
        """The last answer; None while the first question may still be answered."""
        with self._lock:
            now = time.monotonic()
            if self._thread is not None and now - self._asked > LONGEST_QUESTION:
                self._begin()
            if now - self._answered <= LONGEST_AGE:
                return self._answer
            return Answer(found=None, reason="unreachable")

    def _begin(self) -> None:
        self._asked = time.monotonic()
        self._thread = thread = threading.Thread(target=self._run, name=f"rowlock {self._name}", daemon=True)
        thread.start()

    def _run(self) -> None:
        mine = threading.current_thread()
        while self._thread is mine:
            self._asked = time.monotonic()
            answer = self._ask()
            with self._lock:
                if self._thread is not mine:
                    # Another thread asks by now.
                    return
                self._tell_change(answer.reason)
                self._answer, self._answered = answer, time.monotonic()
            time.sleep(self._interval)

    def _ask(self) -> Answer[T]:
        try:
            return Answer(found=self._look(), reason=None)
        except Exception as error:  # whatever a client raises
            self._problem = f"{type(error).__name__}: {error}"
            return Answer(found=None, reason=reason_of(error))

    def _tell_change(self, reason: Reason | None) -> None:
        before = None if self._answer is None else self._answer.reason
        if reason is not None and reason != before:
            logger.warning("%s cannot be watched (%s): %s", self._name, reason, self._problem.strip())
        elif reason is None and before is not None:
            logger.info("%s is being watched again", self._name)
