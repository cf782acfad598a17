"""What a task logs while it runs, captured in the process and thread that executes it.

Short tasks send it along with their outcome. Of longer ones a thread sends what is new twice a second.
"""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple
from uuid import UUID

from rowlock.conf import settings
from rowlock.models.identifier import new_id
from rowlock.models.run import parse_id
from rowlock.redaction import hides_logs
from rowlock.runs.bounded_text import BoundedText

#: Seconds between two looks for what is new.
INTERVAL = 0.5
#: Characters of one part, so that in whatever encoding a line of a pipe with it is shorter than PIPE_BUF.
LONGEST_PART = 600
#: What Celery itself says of a task, which the history has in better words.
_NOT_OF_THE_TASK = "celery.app.trace"
#: Loggers that do not pass on what they get may be below this one (celery/app/log.py `setup_task_loggers`).
_TASKS = logging.getLogger("celery.task")
_ROOT = logging.getLogger()


class Piece(NamedTuple):
    """A part of what one execution logged."""

    #: Of the execution, and of its run.
    execution: str
    run: str
    #: 1 for the first.
    attempt: int
    #: Texts, and in the place of what was left out the number of its bytes.
    parts: tuple[str | int, ...]


#: Takes a part of a piece to where it is written; False if it cannot now. A worker sets it.
Sink = Callable[[Piece], bool]


class _Execution:
    """What one task has logged and nobody has been told yet."""

    def __init__(self, run: str, attempt: int) -> None:
        self.id: UUID = new_id()
        self._run = run
        self._attempt = attempt
        self._untold = BoundedText(settings().log_limit)

    def add(self, line: str) -> None:
        for begin in range(0, len(line), LONGEST_PART):
            self._untold.add(line[begin : begin + LONGEST_PART])

    def take(self) -> Piece:
        untold, self._untold = self._untold, BoundedText(settings().log_limit)
        return self._piece(tuple(untold.pieces()))

    def send(self, sink: Sink) -> None:
        """What cannot be sent now is kept for later."""
        if not self._untold:
            return
        parts = self.take().parts
        for index, part in enumerate(parts):
            if not sink(self._piece((part,))):
                for kept in parts[index:]:
                    if isinstance(kept, str):
                        self._untold.add(kept)
                    else:
                        self._untold.leave_out(kept)
                return

    def _piece(self, parts: tuple[str | int, ...]) -> Piece:
        return Piece(execution=str(self.id), run=self._run, attempt=self._attempt, parts=parts)


class _Current(threading.local):
    """The task that runs in this thread."""

    run = ""
    task = ""
    attempt = 1
    execution: _Execution | None = None


class _Handler(logging.Handler):
    """Gives each record to the task that runs in its thread. Its lock guards what is not told yet."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(_formatter())
        self._executions: set[_Execution] = set()
        self._news = threading.Event()
        self._thread: threading.Thread | None = None

    def emit(self, record: logging.LogRecord) -> None:
        if not _current.run or record.name == _NOT_OF_THE_TASK:
            return
        try:
            execution = _current.execution or self._begin()
            if execution is not None:
                execution.add(f"{self.format(record)}\n")
                self._news.set()
        except Exception:
            self.handleError(record)

    def end(self, execution: _Execution) -> Piece:
        with self._locked():
            self._executions.discard(execution)
            return execution.take()

    def send_now(self) -> None:
        """Send whatever is new."""
        if _sink is not None:
            with self._locked():
                for execution in self._executions:
                    execution.send(_sink)

    def _begin(self) -> _Execution | None:
        if parse_id(_current.run) is None or hides_logs(_current.task):
            _current.run = ""
            return None
        execution = _current.execution = _Execution(_current.run, _current.attempt)
        self._executions.add(execution)
        if self._thread is None or not self._thread.is_alive():
            # A process that was forked has none of the threads of the one before.
            self._thread = threading.Thread(target=self._send_news, name="rowlock logs", daemon=True)
            self._thread.start()
        return execution

    def _send_news(self) -> None:
        while True:
            self._news.wait()
            time.sleep(INTERVAL)
            self._news.clear()
            self.send_now()

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        self.acquire()
        try:
            yield
        finally:
            self.release()


_current = _Current()
_handler: _Handler | None = None
_sink: Sink | None = None


def begin(id: str, task: str, retries: int) -> None:
    """From now on what this thread logs is of the task `id`, if that is a run's, until `end`."""
    limits = settings()
    if not limits.log_limit:
        return
    _listen(limits.log_level)
    _current.run, _current.task, _current.attempt = id, task, retries + 1


def end() -> Piece | None:
    """What the task of this thread has logged that was not sent yet; None if it has logged nothing."""
    execution, _current.execution, _current.run = _current.execution, None, ""
    return _handler.end(execution) if execution is not None and _handler is not None else None


def send_logs_to(sink: Sink | None) -> None:
    """From now on what tasks of this process log goes to `sink` while they run."""
    global _sink  # noqa: PLW0603 - one a process
    _sink = sink


def _listen(level: str) -> None:
    global _handler  # noqa: PLW0603 - one a process
    if _handler is None:
        _handler = _Handler()
    if _handler not in _ROOT.handlers:
        # Also again where the project has configured logging anew.
        _handler.setLevel(level)
        _ROOT.addHandler(_handler)
    if not _TASKS.propagate and _handler not in _TASKS.handlers:
        _TASKS.addHandler(_handler)


def _formatter() -> logging.Formatter:
    formatter = logging.Formatter(
        "%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s: %(message)s", datefmt="%Y-%m-%dT%H:%M:%S"
    )
    formatter.converter = time.gmtime
    return formatter
