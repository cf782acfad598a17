"""What the tasks of a worker log, gathered in its parent process until it is written."""

import json
import math
import time
from collections import deque
from dataclasses import dataclass, field
from uuid import UUID

from celery.utils.log import get_logger
from django.db import DataError
from django.db import Error as DatabaseError
from django.utils import timezone

from rowlock.conf import settings
from rowlock.models import RunLog, connections
from rowlock.runs.bounded_text import BoundedText
from rowlock.runs.log_capture import Piece

logger = get_logger(__name__)

#: Seconds between two writes of what tasks that still run have logged.
INTERVAL = 1.0
#: Seconds after a write that failed.
PAUSE = 5.0
#: Rows in one statement: at the most some megabytes.
CHUNK = 50


@dataclass(kw_only=True)
class _Log:
    run: UUID
    attempt: int
    text: BoundedText = field(default_factory=lambda: BoundedText(settings().log_limit))
    has_news: bool = True
    has_ended: bool = False


def lines_of(piece: Piece) -> list[bytes]:
    """`piece` as lines for a pipe, one a part, each short enough to be written whole."""
    lines = [
        json.dumps({"log": [piece.execution, piece.run, piece.attempt, part]}, ensure_ascii=False)
        for part in piece.parts
    ]
    return [f"{line}\n".encode(errors="replace") for line in lines]


class RunLogs:
    """The logs of one worker's tasks. All but `finish`, `forget` and `is_waiting` belongs to the thread that writes."""

    def __init__(self, worker: str) -> None:
        self._worker = worker
        self._logs: dict[str, _Log] = {}
        #: Last pieces, and ids of runs whose process is gone.
        self._ends: deque[Piece | str] = deque()
        #: In monotonic seconds: when to write what tasks have logged that still run, and when to try again.
        self._due = self._again = -math.inf

    @property
    def is_waiting(self) -> bool:
        """Is there anything that is not written and could be?"""
        if time.monotonic() < self._again:
            return False
        return bool(self._ends) or any(log.has_news or log.has_ended for log in tuple(self._logs.values()))

    def finish(self, piece: Piece) -> None:
        """Take the last piece of an execution; from any thread."""
        self._ends.append(piece)

    def forget(self, run: str) -> None:
        """Nothing more comes of this run's execution; from any thread, and for every one of them."""
        if self._logs or self._ends:
            self._ends.append(run)

    def ends(self) -> list[Piece | str]:
        """The executions that have ended since. To be asked for before the pipe is read, and given to `end` after."""
        return [self._ends.popleft() for _ in range(len(self._ends))]

    def end(self, ends: list[Piece | str]) -> None:
        for ended in ends:
            if isinstance(ended, str):
                for log in self._logs.values():
                    log.has_ended = log.has_ended or str(log.run) == ended
                continue
            for part in ended.parts:
                self.hear(ended.execution, ended.run, ended.attempt, part)
            if ended.execution in self._logs:
                self._logs[ended.execution].has_ended = True

    def hear(self, execution: str, run: str, attempt: int, part: str | int) -> None:
        """Take a part of what an execution has logged."""
        log = self._logs.get(execution)
        if log is None:
            log = self._logs[execution] = _Log(run=UUID(run), attempt=attempt)
        log.has_news = True
        if isinstance(part, int):
            log.text.leave_out(part)
        else:
            log.text.add(part)

    def write(self) -> None:
        """Write what is due. Never raises: what cannot be written now is tried again."""
        now = time.monotonic()
        ended = [execution for execution, log in self._logs.items() if log.has_ended]
        if now < self._again or (now < self._due and not ended):
            return
        news = [execution for execution, log in self._logs.items() if log.has_news]
        try:
            for begin in range(0, len(news), CHUNK):
                self._write(news[begin : begin + CHUNK])
        except DatabaseError as error:
            logger.warning("what tasks log cannot be written, next try in %.0f s: %s", PAUSE, error)
            connections.drop()
            self._again = now + PAUSE
            return
        for execution in ended:
            del self._logs[execution]
        self._due = now + INTERVAL

    def _write(self, executions: list[str]) -> None:
        try:
            self._upsert(executions)
        except DataError:
            logger.exception("logs of tasks cannot be kept")
        for execution in executions:
            self._logs[execution].has_news = False

    def _upsert(self, executions: list[str]) -> None:
        rows = [
            RunLog(
                id=UUID(execution),
                run_id=log.run,
                attempt=log.attempt,
                worker=self._worker,
                text=log.text.text(),
                cut=log.text.cut,
                changed=timezone.now(),
            )
            for execution, log in ((execution, self._logs[execution]) for execution in executions)
        ]
        RunLog.objects.bulk_create(
            rows, update_conflicts=True, unique_fields=["id"], update_fields=["text", "cut", "changed"]
        )
