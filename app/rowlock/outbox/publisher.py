"""Publishing many messages over one connection, with one wait for the broker's confirms of all."""

import json
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from celery import Celery, signals
from celery.app.routes import MapRoute
from celery.backends.base import DisabledBackend
from celery.utils.saferepr import saferepr
from django.utils import timezone
from kombu import Connection
from kombu.exceptions import OperationalError
from kombu.serialization import dumps

from rowlock.models import Run
from rowlock.outbox.confirms import Confirms
from rowlock.outbox.patterns import Pattern, may_be_made
from rowlock.redaction import hides_arguments

#: Seconds to wait for the broker's confirm of a batch.
CONFIRM_TIMEOUT = 10.0
#: Encoded arguments that are remembered, and the characters of the longest: many runs of a task have the same, or none.
REMEMBERED = 256
SHORT = 200


@dataclass(kw_only=True)
class Receipt:
    """What became of a batch: runs whose message the broker has confirmed, and those of which it is not known.

    `refused` are those that the broker or Celery would not take, with the reason; nothing of them was published.
    """

    confirmed: list[Run] = field(default_factory=list)
    uncertain: list[Run] = field(default_factory=list)
    unsent: list[Run] = field(default_factory=list)
    refused: list[tuple[Run, str]] = field(default_factory=list)
    error: Exception | None = None
    channel_closed: bool = False


class Publisher:
    """Publishes runs as Celery messages from one thread."""

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._connection: Connection | None = None
        self._producer: Any = None
        self._confirms = Confirms()
        self._routes: dict[tuple[str, str, int | None], dict[str, Any]] = {}
        self._declared: set[str] = set()
        self._patterns: dict[tuple[str, str, int | None], _Known] = {}
        self._bodies: dict[tuple[str, str | None], tuple[bytes, str, str]] = {}
        self._may_copy = False
        self._no_backend = DisabledBackend(app=app)

    def connect(self) -> None:
        """Be connected; raises kombu's OperationalError or OSError when the broker is not there."""
        if self._connection is not None:
            if not self._confirms.has_news():
                return
            try:
                # What the broker has said meanwhile, its farewell among it.
                self._connection.drain_events(timeout=0.001)
            except TimeoutError:
                return
            except Exception:  # each transport has its own errors for a connection that is gone
                self.close()
            else:
                return
        options = {**self._app.conf.broker_transport_options, "confirm_publish": False}
        connection = self._app.connection_for_write(transport_options=options)
        connection.ensure_connection(max_retries=1, timeout=self._app.conf.broker_connection_timeout)
        self._confirms = Confirms()
        self._confirms.watch(connection.default_channel)
        self._routes, self._declared, self._patterns = {}, set(), {}
        self._producer = self._app.amqp.Producer(connection, auto_declare=False)
        self._connection = connection

    def publish(self, runs: Iterable[Run]) -> Receipt:
        """Publish `runs`, each in its queue, and wait for the confirms; `connect` comes first."""
        assert self._connection is not None, "connect first"
        receipt = Receipt()
        with self._without_result_backend():
            sent = self._send_all(runs, receipt)
        # A channel that the broker closed on a refusal says nothing more of what it took before.
        if receipt.error is None and not receipt.channel_closed:
            receipt.error = self._wait(sent)
        for tag, run in sent.items():
            if str(run.id) in self._confirms.returned:
                receipt.refused.append((run, "The broker has no queue for it."))
            elif self._confirms.is_nacked(tag):
                receipt.refused.append((run, "The broker did not take it; its queue may be full."))
            elif self._confirms.has(tag):
                receipt.confirmed.append(run)
            else:
                receipt.uncertain.append(run)
        if receipt.error is not None or receipt.channel_closed or self._confirms.returned:
            # A queue that somebody deleted is declared again over a new connection.
            self.close()
        else:
            self._confirms.forget()
        return receipt

    def close(self) -> None:
        if self._connection is not None:
            connection, self._connection = self._connection, None
            connection.collect()

    def _send_all(self, runs: Iterable[Run], receipt: Receipt) -> dict[int, Run]:
        connection = self._connection
        assert connection is not None
        self._may_copy = _sends_as_celery_does(self._app) and may_be_made(self._app)
        sent: dict[int, Run] = {}
        rest = iter(runs)
        for run in rest:
            try:
                self._send(self._producer, run)
            except Exception as error:
                cause = error.__cause__ or error
                if isinstance(cause, connection.channel_errors):
                    receipt.refused.append((run, f"{type(cause).__name__}: {cause}"))
                    receipt.channel_closed = True
                    break
                if isinstance(error, (OperationalError, OSError, *connection.connection_errors)):
                    receipt.uncertain.append(run)
                    receipt.error = error
                    break
                # Whatever this one run has done to Celery or kombu; the others need not suffer.
                receipt.refused.append((run, f"{type(error).__name__}: {error}"))
            else:
                sent[self._confirms.tag or len(sent)] = run
        receipt.unsent.extend(rest)
        try:
            self._confirms.flush()
        except (OSError, *connection.connection_errors) as error:
            receipt.error = receipt.error or error
        return sent

    def _send(self, producer: Any, run: Run) -> None:
        if run.options or not _sends_as_celery_does(self._app):
            self._send_by_celery(producer, run)
            return
        key = run.task, run.queue, run.priority
        if self._may_copy and run.expires is None and (known := self._patterns.get(key)) is not None:
            self._send_like(known, run)
            return
        # What `send_task` would do, without what it finds out anew for each message (celery/app/base.py).
        amqp = self._app.amqp
        parent = str(run.parent_id) if run.parent_id else None
        expires = _seconds_left(run)
        shown = _shown_arguments(run)
        arguments = json.loads(run.arguments) if run.arguments else {"args": [], "kwargs": {}}
        options = self._route(run)
        ignore_result = options.pop("ignore_result", None)
        for own in ("time_limit", "soft_time_limit", "expires"):
            options.pop(own, None)
        if expires is not None:
            options["expiration"] = expires
        message = amqp.create_task_message(
            str(run.id),
            run.task,
            arguments["args"],
            arguments["kwargs"],
            expires=expires,
            retries=run.retries,
            reply_to=self._app.thread_oid,
            create_sent_event=self._app.conf.task_send_sent_event,
            root_id=parent,
            parent_id=parent,
            ignore_result=ignore_result,
            **shown,
            **options,
        )
        queue = getattr(options.get("queue"), "name", "")
        # Declared once over a connection, which kombu would look up again for each message.
        declare: list[Any] | None = [] if queue in self._declared else None
        headers = {"rowlock": {"attempt": run.attempts, "owner": run.owner}}
        amqp.send_task_message(producer, run.task, message, headers=headers, declare=declare, **shown, **options)
        if queue:
            self._declared.add(queue)
        if self._may_copy and run.expires is None and key in self._routes:
            sent = self._confirms.pattern()
            if sent is not None:
                self._patterns[key] = _Known(
                    pattern=sent, serializer=options.get("serializer"), hides="argsrepr" in shown
                )

    def _send_like(self, known: "_Known", run: Run) -> None:
        """Publish a message like one that went before: the same task, queue and priority."""
        own = str(run.id)
        parent = str(run.parent_id) if run.parent_id else None
        body, argsrepr, kwargsrepr = self._body(run.arguments, known.serializer)
        headers = known.pattern.headers.copy()
        headers.update(
            id=own,
            root_id=parent or own,
            parent_id=parent,
            retries=run.retries,
            rowlock=_own_header(run.attempts, run.owner),
        )
        if not known.hides:
            headers.update(argsrepr=argsrepr, kwargsrepr=kwargsrepr)
        signals.before_task_publish.send(sender=run.task, headers=headers)
        self._confirms.write(known.pattern.message(own, headers, body))

    def _body(self, arguments: str, serializer: str | None) -> tuple[bytes, str, str]:
        """The body of a message, and what Celery writes of its arguments beside it."""
        key = arguments, serializer
        if (known := self._bodies.get(key)) is not None:
            return known
        given = json.loads(arguments) if arguments else {"args": [], "kwargs": {}}
        # Empty ones as `as_task_v2` has them (celery/app/amqp.py).
        args, kwargs = given["args"] or (), given["kwargs"]
        embedded = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}
        _, _, body = dumps((args, kwargs, embedded), serializer=serializer or self._app.conf.task_serializer)
        amqp, levels = self._app.amqp, self._app.conf.task_repr_maxlevels
        found = (
            body.encode() if isinstance(body, str) else body,
            saferepr(args, amqp.argsrepr_maxsize, maxlevels=levels),
            saferepr(kwargs, amqp.kwargsrepr_maxsize, maxlevels=levels),
        )
        if len(arguments) <= SHORT:
            if len(self._bodies) >= REMEMBERED:
                self._bodies.clear()
            self._bodies[key] = found
        return found

    @contextmanager
    def _without_result_backend(self) -> Iterator[None]:
        # Before it publishes Celery asks the backend, and Redis's answer is a subscription that nobody here waits on:
        # publishing must not need Redis. The backend is one a thread (celery/app/base.py `_backend`).
        local = self._app._local
        before = getattr(local, "backend", None)
        local.backend = self._no_backend
        try:
            yield
        finally:
            if before is None:
                del local.backend
            else:
                local.backend = before

    def _route(self, run: Run) -> dict[str, Any]:
        """The options with which Celery publishes such a run."""
        key = run.task, run.queue, run.priority
        if (known := self._routes.get(key)) is not None:
            return dict(known)
        task = self._app.tasks.get(run.task)
        own = {} if task is None else task._get_exec_options() or {}
        options = {name: value for name, value in own.items() if value is not None}
        options.update(mandatory=True, retry=False)
        if run.queue:
            options["queue"] = run.queue
        if run.priority is not None:
            options["priority"] = run.priority
        found: dict[str, Any] = self._app.amqp.router.route(options, run.task, run.args, run.kwargs, task)
        if all(isinstance(router, MapRoute) for router in self._app.amqp.router.routes):
            # Others may go by the arguments.
            self._routes[key] = dict(found)
        return found

    def _send_by_celery(self, producer: Any, run: Run) -> None:
        routing: dict[str, Any] = {"queue": run.queue} if run.queue else {}
        if run.priority is not None:
            routing["priority"] = run.priority
        options = json.loads(run.options) if run.options else {}
        headers = {**options.pop("headers", {}), "rowlock": {"attempt": run.attempts, "owner": run.owner}}
        parent = str(run.parent_id) if run.parent_id else None
        self._app.send_task(
            run.task,
            args=run.args,
            kwargs=run.kwargs,
            task_id=str(run.id),
            producer=producer,
            headers=headers,
            parent_id=parent,
            root_id=parent,
            expires=_seconds_left(run),
            retries=run.retries,
            # The worker's own limits hold, which are its pool's; this process may have others.
            time_limit=None,
            soft_time_limit=None,
            add_to_parent=False,
            **_shown_arguments(run),
            mandatory=True,
            retry=False,
            **routing,
            **options,
        )

    def _wait(self, sent: dict[int, Run]) -> Exception | None:
        connection = self._connection
        assert connection is not None
        deadline = time.monotonic() + CONFIRM_TIMEOUT
        try:
            while not all(self._confirms.has(tag) or self._confirms.is_nacked(tag) for tag in sent):
                connection.drain_events(timeout=max(0.001, deadline - time.monotonic()))
                if time.monotonic() > deadline:
                    return TimeoutError(f"no confirm within {CONFIRM_TIMEOUT:.0f} s")
        except (OSError, *connection.connection_errors, *connection.channel_errors) as error:
            broken: Exception = error
            return broken
        return None


def _sends_as_celery_does(app: Celery) -> bool:
    # Not where a project, or what watches it, has a `send_task` of its own.
    return type(app).send_task is _SEND_TASK and "send_task" not in vars(app)


_SEND_TASK = Celery.send_task


def _seconds_left(run: Run) -> float | None:
    return None if run.expires is None else max(0.0, (run.expires - timezone.now()).total_seconds())


def _shown_arguments(run: Run) -> dict[str, str]:
    # What Celery writes beside the arguments for logs and monitors.
    return {"argsrepr": "(redacted)", "kwargsrepr": "{redacted}"} if hides_arguments(run.task) else {}


@lru_cache(maxsize=256)
def _own_header(attempt: int, owner: str) -> dict[str, Any]:
    return {"attempt": attempt, "owner": owner}


@dataclass(frozen=True, kw_only=True)
class _Known:
    """How runs of one task, queue and priority are published; `hides` their arguments from logs and monitors."""

    pattern: Pattern
    serializer: str | None
    hides: bool
