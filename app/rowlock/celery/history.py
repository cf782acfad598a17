"""The thread of a worker's parent process that writes history, and learns which runs to be careful with."""

import json
import math
import os
import select
import threading
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from celery.utils.log import get_logger
from django.db import DataError
from django.db import Error as DatabaseError

from rowlock.announce import announce
from rowlock.celery.result_writer import ResultWriter
from rowlock.celery.results import Stored
from rowlock.celery.run_logs import RunLogs, lines_of
from rowlock.models import Run, connections
from rowlock.models.run import parse_id
from rowlock.runs.history import merge, write
from rowlock.runs.log_capture import Piece
from rowlock.runs.putting_back import put_back as write_put_back
from rowlock.runs.reporting import Progress

logger = get_logger(__name__)

#: Seconds for which a start may wait to be told: a short task's end comes with its start then.
GATHERING = 0.1
#: Seconds between two writes at the least, so that under load each has many reports: what a write costs by itself, in
#: this process and in the database, is as much as dozens of them.
PACE = 0.01
#: And while more messages wait here to be started, which do not need the room that acks make.
UNHURRIED_PACE = 0.03
#: Seconds between looks for runs that were cancelled or whose message may exist twice.
CAUTION_POLL = 1.0
#: Rows become visible up to so many seconds after the time that they bear.
OVERLAP = timedelta(seconds=15)
LONGEST_PAUSE = 5.0
#: A pipe takes up to this many bytes from several processes without mixing them (POSIX PIPE_BUF).
LONGEST_LINE = 4096

Cancel = Callable[[str], None]


class HistoryWriter:
    """Writes reports in batches, then calls back who waits for that: the acks.

    While the database is away reports stay here and what they hold back is not acked: nothing is lost, and no more
    is begun than the worker may prefetch.
    """

    def __init__(
        self,
        cancel: Cancel,
        *,
        worker: str = "",
        results: ResultWriter | None = None,
        is_supplied: Callable[[], bool] = lambda: False,
    ) -> None:
        """`is_supplied`: does the worker have messages that wait for their start?"""
        self._cancel = cancel
        self._is_supplied = is_supplied
        self._results = results
        self._logs = RunLogs(worker)
        self._chores: list[Callable[[], None]] = []
        self._lock = threading.Lock()
        self._reports: dict[UUID, dict[str, Any]] = {}
        #: Requests whose start is not told yet, the earliest first.
        self._begun: dict[Any, None] = {}
        #: Is the thread about to sleep for longer than a start may wait?
        self._naps = True
        self._progress: dict[UUID, tuple[float, float | None, str]] = {}
        self._waiting: list[Callable[[], None]] = []
        #: Those that were started and wait again, and the worker that had started them.
        self._put_back: dict[UUID, str] = {}
        #: When what waits is to be written, in monotonic seconds.
        self._due = math.inf
        self._unwritten = threading.Condition(self._lock)
        self._doubtful: set[UUID] = set()
        self._cancelled: set[UUID] = set()
        self._seen: datetime | None = None
        self._has_looked = False
        self._is_writing = False
        # Children write their progress into it, this process a line break when there is something to write.
        self._pipe, self._pipe_end = os.pipe()
        os.set_blocking(self._pipe_end, False)
        os.set_blocking(self._pipe, False)
        self._unread = b""
        self._thread = threading.Thread(target=self._run, name="rowlock history", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def also(self, chore: Callable[[], None]) -> None:
        """Have the thread call `chore`, which may ask the database, about every second; before `start`."""
        self._chores.append(chore)

    def add(self, report: dict[str, Any] | None, *, then: Callable[[], None] | None = None) -> None:
        """Write `report` soon, and call `then` when it is written."""
        if report is None and not (self._results and self._results.is_waiting):
            if then is not None:
                then()
            return
        with self._lock:
            if report is not None:
                self._keep(report)
            if then is not None:
                self._waiting.append(then)
            wake = self._is_due_in(0.0 if then is not None else GATHERING)
        if wake:
            self._send(b"\n")

    def begins(self, request: Any) -> None:
        """A task was started; that is told together with its end, or after a moment by `request.start()`."""
        self._begun[request] = None
        if self._naps:
            self._send(b"\n")

    def takes_back(self, request: Any) -> bool:
        """Has its start not been told yet? Then it will not be: whoever asks tells it."""
        if self._begun.pop(request, request) is None:
            return True
        with self._lock:
            # Whoever is telling it has told it then, and what its end says comes after.
            return False

    def store(self, results: Iterable[Stored]) -> None:
        """Have Celery's result backend keep `results`; call it before `add`, whose `then` comes after them."""
        if self._results:
            self._results.add(results)

    def put_back(self, id: str, *, worker: str, then: Callable[[], None]) -> None:
        """Write that `worker`, which had started the run, could not end it, and call `then`, which gives it back."""
        run_id = parse_id(id)
        if run_id is None:
            then()
            return
        with self._lock:
            self._put_back[run_id] = worker
            self._waiting.append(then)
            wake = self._is_due_in(0.0)
        if wake:
            self._send(b"\n")

    def send_progress(self, id: str, progress: Progress) -> None:
        """Called in whichever process executes the task."""
        line = json.dumps([id, progress.done, progress.total, progress.message], ensure_ascii=False).encode(
            errors="replace"
        )
        if len(line) < LONGEST_LINE:
            self._send(line + b"\n")

    def send_log(self, piece: Piece) -> bool:
        """Called in whichever process executes the task; False where the pipe is full."""
        return all(self._sent(line) for line in lines_of(piece))

    def end_log(self, run: str, piece: Piece | None) -> None:
        """The run's execution here is over, and `piece` is the last of what it logged; call it before `add`."""
        if piece is not None:
            self._logs.finish(piece)
        else:
            self._logs.forget(run)

    def is_doubtful(self, id: str) -> bool:
        """Must the database be asked before this run starts? Any of them, until it has told which."""
        return not self._has_looked or (bool(self._doubtful) and parse_id(id) in self._doubtful)

    def flush(self, *, seconds: float) -> bool:
        """Wait until everything is written, `seconds` at the most; returns whether it is."""
        with self._unwritten:
            return self._unwritten.wait_for(
                lambda: not (self._reports or self._waiting or self._is_writing or self._logs.is_waiting),
                timeout=seconds,
            )

    def _keep(self, report: dict[str, Any]) -> None:
        self._reports[report["id"]] = merge(self._reports.get(report["id"]), report)

    def _is_due_in(self, seconds: float) -> bool:
        due = time.monotonic() + seconds
        wake, self._due = due < self._due, min(due, self._due)
        return wake

    def _send(self, line: bytes) -> None:
        # A pipe that is full wakes the writer anyway; and of progress more will follow.
        self._sent(line)

    def _sent(self, line: bytes) -> bool:
        try:
            os.write(self._pipe_end, line)
        except BlockingIOError:
            return False
        return True

    def _run(self) -> None:
        pause, looked, wrote = 0.0, -math.inf, -math.inf
        while True:
            if pause:
                time.sleep(pause)
            elif self._has_looked:
                self._rest(wrote)
            ends = self._logs.ends()
            self._read_pipe()
            self._logs.end(ends)
            try:
                self._tell_starts()
                if self._write_batch():
                    wrote = time.monotonic()
                self._write_logs()
                if time.monotonic() - looked >= CAUTION_POLL:
                    self._look_for_caution()
                    looked, self._has_looked = time.monotonic(), True
                    self._do_chores()
                    connections.rest()
            except DatabaseError as error:
                pause = min(LONGEST_PAUSE, pause * 2 or 0.25)
                logger.warning("the history cannot be written, next try in %.1f s: %s", pause, error)
                connections.drop()
            except Exception:
                pause = LONGEST_PAUSE
                logger.exception("the history cannot be written, next try in %.1f s", pause)
                connections.drop()
            else:
                pause = 0.0

    def _rest(self, wrote: float) -> None:
        # In this order: whoever begins a task looks at it after it has put that down.
        self._naps = True
        is_quiet = not self._begun and time.monotonic() - wrote > GATHERING
        self._naps = is_quiet and not self._begun
        longest = CAUTION_POLL if self._naps else GATHERING
        select.select([self._pipe], [], [], max(0.0, min(longest, self._due - time.monotonic())))
        self._naps = False
        _sleep_until(wrote + PACE)
        if self._is_supplied():
            _sleep_until(wrote + UNHURRIED_PACE)

    def _tell_starts(self) -> None:
        since = time.monotonic() - GATHERING
        for request in tuple(self._begun):
            if request.began > since:
                return
            with self._lock:
                if self._begun.pop(request, request) is not None:
                    continue
                report, stored = request.start()
                if report is not None:
                    self._keep(report)
                    self._due = 0.0
                if stored is not None:
                    self.store([stored])

    def _read_pipe(self) -> None:
        try:
            data = self._unread + os.read(self._pipe, 65536)
        except BlockingIOError:
            return
        *lines, self._unread = data.split(b"\n")
        for line in filter(None, lines):
            told = json.loads(line)
            if isinstance(told, dict):
                self._logs.hear(*told["log"])
                continue
            spelt, done, total, message = told
            if run_id := parse_id(spelt):
                self._progress[run_id] = (done, total, message)

    def _write_batch(self) -> bool:
        """Returns whether there was anything to write."""
        if self._results:
            self._results.write()
        with self._lock:
            if self._due > time.monotonic() and not self._progress:
                return False
            reports, waiting, put_back = self._reports, self._waiting, self._put_back
            self._reports, self._waiting, self._put_back, self._due = {}, [], {}, math.inf
            self._is_writing = True
        progress, self._progress = self._progress, {}
        if not reports and not progress and not put_back:
            self._called_back(waiting)
            return True
        try:
            self._write(list(reports.values()), progress)
            for worker in set(put_back.values()):
                write_put_back([run_id for run_id, by in put_back.items() if by == worker], worker=worker)
        except BaseException:
            with self._lock:
                newer = {run_id: merge(reports.get(run_id), later) for run_id, later in self._reports.items()}
                self._reports = {**reports, **newer}
                self._waiting = waiting + self._waiting
                self._put_back = {**put_back, **self._put_back}
                self._due, self._is_writing = 0.0, False
            self._progress = {**progress, **self._progress}
            raise
        self._called_back(waiting)
        announce()
        return True

    def _do_chores(self) -> None:
        for chore in self._chores:
            try:
                chore()
            except DatabaseError as error:
                # What history there is to write does not wait for these.
                logger.warning("%s: %s", getattr(chore, "__qualname__", chore), error)
                connections.drop()

    def _write_logs(self) -> None:
        if self._logs.is_waiting:
            self._logs.write()
            with self._unwritten:
                self._unwritten.notify_all()

    def _called_back(self, waiting: list[Callable[[], None]]) -> None:
        for then in waiting:
            then()
        with self._unwritten:
            self._is_writing = False
            self._unwritten.notify_all()

    def _write(self, reports: list[dict[str, Any]], progress: dict[UUID, tuple[float, float | None, str]]) -> None:
        try:
            write(reports, progress)
        except DataError:
            # One report with something in it that no database takes must not hold up all others for ever.
            for report in reports:
                self._write_alone(report)

    def _write_alone(self, report: dict[str, Any]) -> None:
        try:
            write([report], {})
        except DataError as error:
            logger.exception("the report of run %s cannot be written; its state alone is", report["id"])
            bare: dict[str, Any] = {
                name: report[name] for name in ("id", "task", "state", "finished") if name in report
            }
            write([{**bare, "arguments": "", "result_note": f"The report was not written: {error}"[:255]}], {})

    def _look_for_caution(self) -> None:
        found = Run.objects.filter(check_first=True)
        if self._seen is not None:
            found = found.filter(changed__gt=self._seen - OVERLAP)
        for run_id, cancel_requested, changed in found.values_list("id", "cancel_requested", "changed"):
            self._doubtful.add(run_id)
            if cancel_requested is not None and run_id not in self._cancelled:
                self._cancelled.add(run_id)
                self._cancel(str(run_id))
            self._seen = changed if self._seen is None else max(self._seen, changed)


def _sleep_until(moment: float) -> None:
    seconds = moment - time.monotonic()
    if seconds > 0:
        time.sleep(seconds)
