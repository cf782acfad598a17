"""Threads in which submissions are answered, those of many requests by one commit."""

import asyncio
import contextvars
import threading
import time
from asyncio import AbstractEventLoop, Future
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from django.http.response import HttpResponseBase

from rowlock.asgi import Scope
from rowlock.models import Run
from rowlock.runs.group_commit import Group

#: Requests that share a commit at the most, and seconds after which no other joins them unless another commit is not
#: over yet.
MOST = 64
LONGEST = 0.005
#: Mostly one thread answers while another commits. More are for middleware that waits for something: where none has
#: begun a request for so many seconds, and there are some, one more does.
PATIENCE = 0.02
THREADS = 16

Answer = Callable[[Scope, bytes], HttpResponseBase]
#: What is sent instead of an answer where the commit failed.
Refuse = Callable[[HttpResponseBase, Exception], HttpResponseBase]


class _Job(NamedTuple):
    scope: Scope
    body: bytes
    context: contextvars.Context
    future: "Future[HttpResponseBase]"


class _Done(NamedTuple):
    future: "Future[HttpResponseBase]"
    found: HttpResponseBase | BaseException
    accepted: list[list[Run]]


_Answer = tuple["Future[HttpResponseBase]", HttpResponseBase | BaseException]


class SubmissionThreads:
    """Answers requests in as few threads as keep up with them; every thread more has to be switched to."""

    def __init__(self, answer: Answer, refuse: Refuse) -> None:
        self._answer = answer
        self._refuse = refuse
        self._lock = threading.Lock()
        #: Told to who waits for the end of a commit, of that and of more requests.
        self._changed = threading.Condition(self._lock)
        self._is_committing = False
        self._jobs: deque[_Job] = deque()
        self._number = 0
        #: Threads that are about to take the next job: they were called, or are answering one.
        self._taking = 0
        #: Threads that wait to be called, each for the release of its lock. The last to come has the warmest caches.
        self._idle: list[threading.Lock] = []
        self._is_watched = False
        self._last = 0.0

    async def answered(self, scope: Scope, body: bytes) -> HttpResponseBase:
        """The answer, once what it says is durable."""
        loop = asyncio.get_running_loop()
        job = _Job(scope, body, contextvars.copy_context(), loop.create_future())
        with self._lock:
            self._jobs.append(job)
            if not self._taking:
                self._call_another()
            elif self._is_committing:
                self._changed.notify()
        if not self._is_watched:
            self._is_watched = True
            loop.call_later(PATIENCE, self._watch, loop)
        return await job.future

    def _watch(self, loop: AbstractEventLoop) -> None:
        with self._lock:
            self._is_watched = bool(self._jobs)
            if self._jobs and time.monotonic() - self._last > PATIENCE:
                self._call_another()
        if self._is_watched:
            loop.call_later(PATIENCE, self._watch, loop)

    def _call_another(self) -> None:
        if self._idle:
            self._idle.pop().release()
        elif self._number < THREADS:
            self._number += 1
            threading.Thread(target=self._run, name=f"rowlock submissions {self._number}", daemon=True).start()
        else:
            return
        self._taking += 1

    def _run(self) -> None:
        group, called = Group(), threading.Lock()
        called.acquire()
        while True:
            self._answer_some(group)
            with self._lock:
                goes_on = bool(self._jobs) and not self._taking
                if goes_on:
                    self._taking += 1
                else:
                    self._idle.append(called)
            if not goes_on:
                called.acquire()

    def _answer_some(self, group: Group) -> None:
        done: list[_Done] = []
        until = time.monotonic() + LONGEST
        while (job := self._next(done, until)) is not None:
            group.begin()
            try:
                answer: HttpResponseBase | BaseException = job.context.run(self._answer, job.scope, job.body)
            except BaseException as raised:
                # Again where the request came from.
                answer = raised
            done.append(_Done(job.future, answer, group.end()))
        with self._lock:
            self._taking -= 1
            if self._jobs and not self._taking:
                self._call_another()
        errors = self._commit(group, [runs for one in done for runs in one.accepted])
        answers: list[_Answer] = []
        for one in done:
            found, failed = one.found, [errors[id(runs)] for runs in one.accepted]
            refusal = next((failure for failure in failed if failure is not None), None)
            if refusal is not None and isinstance(found, HttpResponseBase):
                found = self._refuse(found, refusal)
            answers.append((one.future, found))
        for loop in {future.get_loop() for future, _ in answers}:
            loop.call_soon_threadsafe(_tell, [answer for answer in answers if answer[0].get_loop() is loop])
        # Nobody waits for that any more.
        group.rest()

    def _next(self, done: Sequence[_Done], until: float) -> _Job | None:
        """The next request to answer; None when it is time to commit what was accepted, and nobody else does."""
        with self._lock:
            while True:
                self._last = time.monotonic()
                has_time = not done or self._is_committing or self._last < until
                if self._jobs and len(done) < MOST and has_time:
                    return self._jobs.popleft()
                if not any(one.accepted for one in done):
                    return None
                if not self._is_committing:
                    self._is_committing = True
                    return None
                # What comes meanwhile is in the next one: few large commits cost less than many.
                self._changed.wait()

    def _commit(self, group: Group, accepted: Sequence[list[Run]]) -> dict[int, Exception | None]:
        if not accepted:
            return {}
        try:
            return dict(zip(map(id, accepted), group.commit(accepted), strict=True))
        except Exception as error:
            return {id(runs): error for runs in accepted}
        finally:
            with self._lock:
                self._is_committing = False
                self._changed.notify_all()


def _tell(answers: Sequence[_Answer]) -> None:
    for future, found in answers:
        # Cancelled where the client has gone.
        if future.done():
            continue
        if isinstance(found, BaseException):
            future.set_exception(found)
        else:
            future.set_result(found)
