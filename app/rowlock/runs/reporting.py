"""How far a task is, told from inside of it."""

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from celery import current_task

from rowlock.runs.errors import OptionsError

#: Seconds between two reports of a task that go out; the last one goes out in any case, with the task's outcome.
INTERVAL = 0.25
LONGEST_MESSAGE = 500

#: Takes the id of a run and its progress to where they are written. A worker sets it.
Sink = Callable[[str, "Progress"], None]


@dataclass(frozen=True, kw_only=True)
class Progress:
    done: float
    total: float | None
    message: str


class _State(threading.local):
    """Of the task that runs in this thread."""

    id = ""
    last: Progress | None = None
    sent = 0.0


_state = _State()
_sink: Sink | None = None


def progress(done: float, total: float | None = None, message: str = "") -> None:
    """Tell how far the running task is: `done` of `total` (None where that is not known).

    As often as you like: what is sent is one report each quarter of a second, and the last. Outside of a task it does
    nothing, so that a task's function can be called as a function.
    """
    for name, value in (("done", done), ("total", total)):
        if value is None and name == "total":
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise OptionsError(f"{name} must be a number, not {value!r:.100}.")
    request = current_task.request if current_task else None
    if request is None or not request.id or _sink is None:
        return
    if _state.id != request.id:
        _state.id, _state.sent = request.id, 0.0
    _state.last = Progress(done=done, total=total, message=str(message)[:LONGEST_MESSAGE])
    at = time.monotonic()
    if at - _state.sent >= INTERVAL:
        _state.sent = at
        _sink(request.id, _state.last)


def last_progress(id: str) -> Progress | None:
    """What the task `id`, which has just run in this thread, reported last."""
    return _state.last if _state.id == id else None


def send_progress_to(sink: Sink | None) -> None:
    """From now on progress in this process goes to `sink`."""
    global _sink  # noqa: PLW0603 - one a process
    _sink = sink
